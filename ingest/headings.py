"""Which lines are headings, and how deep: bookmarks, size, weight, numbering and words such as 'Chapter'."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from ingest.lines import Line, words_text
from ingest.notices import signal_of
from ingest.page import CJK
from ingest.pdf import OutlineEntry

RUN_IN_LEVEL = 3
TASK_LEVEL = 4
# A short bold line that recurs so often is a label, not a heading.
MIN_LABELS = 3
CENTRED_LEVEL = 4
CAPITALS_LEVEL = 5
CAPTION_LEVEL = 6
_CAPTION = re.compile(r"^(?:table|tab\.|表)\s*(?:[A-Z]?[-–.]?\d+|\d+)", re.IGNORECASE)
_FIGURE = re.compile(
    r"^(?:figure|fig\.|图)\s*[A-Z]?[-–.]?\d+(?:[-–.]\d+)*[a-z]?\s*(?:$|[.:：、]|\s(?=[A-Z\u3400-\u9fff(（]))",
    re.IGNORECASE,
)
_CONTINUED = re.compile(
    r"\s*[-–—(（]*\s*(?:continued|cont\.?|cont'd|续表?|续上表)\s*[)）.]*\s*$",
    re.IGNORECASE,
)
_CHAPTER = re.compile(
    r"^(?:chapter|part|appendix|annex)\s+[\dA-Z]+\b|^第\s*[\d一二三四五六七八九十]+\s*[章篇部]|^附录",
    re.IGNORECASE,
)
_SECTION = re.compile(r"^section\s+[\dIVX]+\b|^第\s*[\d一二三四五六七八九十]+\s*节", re.IGNORECASE)
_NUMBER_ONLY = re.compile(
    r"^(?:(?:chapter|part|appendix|annex|section)\s+[\dA-Z]{1,5}[.:]?|第\s*[\d一二三四五六七八九十]+\s*[章篇部节]|附录\s*\w?)$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^(\d{1,3}(?:[.\-–]\d{1,3})+)[.)]?\s+\S")
_SIMPLE = re.compile(r"^(?:\d{1,3}|[A-Z])[.)]?\s+\S")
_STEP = re.compile(
    # '(6).' at the start of a line is the end of the sentence above it.
    r"^(?:[(（]?\d{1,2} ?[.)）、](?![\d.,;])|\(?[a-z][.)]\s|step\s+\d+|[•●▪■◦‣·*–—-]\s|[①-⑳])",
    re.IGNORECASE,
)
_MARKER = re.compile(r"^[(（]?(\d{1,2}|[a-zA-Z]) ?[.)）、]\s*(\S?)")
_TASK = re.compile(
    r"^([a-z][.)]\s+)?[A-Z\u3400-\u9fff][^.:;。：；]{2,60}[.。]?\s*([(（]\s*(?:figure|fig\.|图)[^)）]*[)）])?\.?$",
)


@dataclass(frozen=True, slots=True)
class Style:
    """What is usual in a file.

    Attributes:
        body: font height of most characters; infinite where heights tell nothing.
        sizes: heights clearly above it, largest first.
        outline: (page, squeezed title) -> level.
        labels: squeezed texts of bold lines that recur within pages ('SYMPTOM', 'CAUSE').
        piles: lines of the head of indented tables ('MALFUNCTION / TEST / ACTION'), squeezed, that recur.
        stack: those of the labels that name the columns of a fault table set as a stack, from the outermost
            inwards: each stands further to the right, with what it says indented under it.
    """

    body: float
    sizes: tuple[float, ...]
    outline: dict[tuple[int, str], int]
    labels: frozenset[str] = frozenset()
    stack: tuple[str, ...] = ()
    piles: frozenset[str] = frozenset()


def style_of(pages: Sequence[Sequence[Line]], outline: Sequence[OutlineEntry]) -> Style:
    """Measures a file's style from the lines of its pages; leave out those read by OCR."""
    weights: Counter[float] = Counter()
    labels: Counter[str] = Counter()
    all_of: Counter[str] = Counter()
    indented: Counter[str] = Counter()
    left: dict[str, float] = {}
    for lines in pages:
        here: Counter[str] = Counter()
        for line, following in zip_longest(lines, lines[1:]):
            weights[round(line.size * 2) / 2] += len(line.text)
            mark = _label(line)
            if mark:
                here[mark] += 1
                all_of[mark] += 1
                left[mark] = min(left.get(mark, 1e9), line.x0)
                indented[mark] += following is not None and following.x0 - line.x0 > 0.5 * line.size
        for mark, count in here.items():
            labels[mark] = max(labels[mark], count)
    body = weights.most_common(1)[0][0] if weights else 10.0
    sizes = sorted((size for size in weights if size > 1.12 * body), reverse=True)
    known = {(entry.page, squeezed(entry.title)): entry.level for entry in outline}
    recurring = frozenset(mark for mark, count in labels.items() if count >= MIN_LABELS)
    # At the foot of a page nothing follows a label, so not all of them stand over text.
    over_text = [
        mark
        for mark, count in all_of.items()
        if count >= MIN_LABELS and labels[mark] > 1 and indented[mark] > 0.7 * count
    ]
    stack = tuple(sorted(over_text, key=lambda mark: round(left[mark] / 4)))
    if len(stack) < 2 or left[stack[1]] - left[stack[0]] < 0.5 * body:
        stack = ()
    return Style(body, tuple(sizes), known, recurring, stack, _recurring_piles(pages))


def is_pile(above: Line, below: Line) -> bool:
    """True for two short lines, bold or in capitals, one under the other and further to the right."""
    if not -0.5 * above.height < below.y0 - above.y1 < 0.3 * above.height:
        return False
    centred = abs(above.middle[0] - below.middle[0]) < 0.5 * above.size
    if centred or below.x0 - above.x0 <= 0.8 * above.size or max(len(above.text), len(below.text)) > 60:
        return False
    return all(line.bold or line.text.isupper() for line in (above, below))


def _recurring_piles(pages: Sequence[Sequence[Line]]) -> frozenset[str]:
    counts: Counter[str] = Counter()
    for lines in pages:
        pairs = zip(lines, lines[1:], strict=False)
        piled = {line for above, below in pairs if is_pile(above, below) for line in (above, below)}
        counts.update({squeezed(line.text) for line in piled if not is_numbered(line.text)})
    return frozenset(text for text, count in counts.items() if count >= 3)


def _label(line: Line) -> str:
    """A short bold line without numbers, squeezed; empty for any other line."""
    text = line.text
    if not line.bold or len(text) >= 40 or re.search(r"\d", text) or signal_of(text):
        return ""
    mark = squeezed(text)
    return mark if len(mark) > 2 else ""


def squeezed(text: str) -> str:
    """Letters and digits only, casefolded: how titles are compared."""
    return re.sub(r"[\W_]+", "", text.casefold())


def without_continued(text: str) -> str:
    """A title without '(continued)' and its like."""
    return _CONTINUED.sub("", text)


def is_caption(text: str) -> bool:
    """True for 'Table 3-1. …', '表 2 …'."""
    return bool(_CAPTION.match(text))


def is_figure_caption(text: str) -> bool:
    """True for 'Figure 4. …', '图 4 …'."""
    return len(text) < 200 and bool(_FIGURE.match(text))


def is_numbered(text: str) -> bool:
    """True when a line starts with a number in several parts, as in '4-14.' or '3.2'."""
    return bool(_NUMBERED.match(text))


def is_step(text: str) -> bool:
    """True when a line starts with a list marker."""
    return bool(_STEP.match(text))


def follows_step(text: str, previous: str) -> bool:
    """False when a line that starts like a step cannot be the one after another: a sentence wrapped there.

    '(7) and (8).' below '(3) Remove packings (6),' has a number that neither follows 3 nor opens a list.
    """
    here, before = _MARKER.match(text), _MARKER.match(previous)
    if not here or not before:
        return True
    if here.group(2).islower():
        return False
    now, then = here.group(1).lower(), before.group(1).lower()
    if now in {"1", "a", "i"} or now.isdigit() != then.isdigit():
        return True
    return int(now) == int(then) + 1 if now.isdigit() else ord(now) == ord(then) + 1


def heading_level(
    line: Line,
    text: str,
    page: int,
    style: Style,
    isolated: bool,
    known_only: bool = False,
    centred: bool = False,
) -> int:
    """Depth of a heading from 1, or 0 when the line is none.

    Args:
        line: its first line, for size and weight.
        text: the whole heading when it takes several lines.
        page: 1-based.
        style: of the file.
        isolated: white space stands above the line.
        known_only: go by the bookmarks alone.
        centred: it stands in the middle of the page, which ranks it above those at the margin.
    """
    known = style.outline.get((page, squeezed(text)))
    if known or known_only:
        return known or 0
    letters = re.sub(r"[^\w]|\d|_", "", text)
    if len(letters) < 2 or len(text) > 120 or signal_of(text):
        return 0
    if is_caption(text):
        return CAPTION_LEVEL if len(text) < 110 and (line.bold or isolated) else 0
    large = line.size > 1.12 * style.body
    if large and not is_step_like(text):
        return _depth(text, line, style)
    if line.bold and len(line.segments) <= 2 and _reads_like_title(text):
        depth = _depth(text, line, style)
        return CENTRED_LEVEL if centred and depth == CAPITALS_LEVEL else depth
    if (
        isolated
        and (_NUMBERED.match(text) or _CHAPTER.match(text))
        and _reads_like_title(text)
        and len(text) < 70
    ):
        return _depth(text, line, style)
    if isolated and style.body == float("inf") and text.isupper() and len(letters) >= 5 and len(text) < 60:
        return _depth(text, line, style)
    return 0


def is_step_like(text: str) -> bool:
    """A marker with more than one letter or a bracket, never a chapter number."""
    return bool(re.match(r"^(?:\(|[•●▪■◦‣·*–—]|step\s)", text, re.IGNORECASE))


def run_in_heading(line: Line) -> str:
    """The bold title with which a numbered paragraph opens ('3-2. Lubrication. Refer to …'), or empty."""
    words = line.words
    if line.bold or len(words) < 3 or not re.match(r"^\d{1,3}(?:[.\-–]\d{1,3})+\.?$", words[0].text):
        return ""
    end = 1
    while end < len(words) and words[end].bold:
        end += 1
    title = words_text(words[:end])
    return title.rstrip(" .") if 1 < end < len(words) and end <= 12 else ""


def is_number_only(text: str) -> bool:
    """True for a heading whose title stands on the next line: 'CHAPTER 5', '第五章'."""
    return bool(_NUMBER_ONLY.match(text))


def is_task(text: str, following: str) -> bool:
    """True for a line that names a task and nothing more: 'b. Repair. (figure 5-32)', over its first step.

    Args:
        text: of the line.
        following: of the line after it.
    """
    match = _TASK.match(text)
    if not match or len(text) > 80:
        return False
    lettered, figure = match.group(1), match.group(2)
    first = re.match(r"^[(（]?1[.)）、]\s", following) or signal_of(following)
    return bool(figure or (lettered and first))


def _reads_like_title(text: str) -> bool:
    if is_step_like(text) or re.match(r"^[a-z][.)]\s", text):
        return False
    if text.endswith((",", ";", "，", "；", "。")) or text[0].islower():
        return False
    words = [word for word in text.split() if len(word) > 4]
    capitals = sum(word.lstrip("(")[:1].isupper() for word in words) >= 0.8 * len(words)
    titled = text.isupper() or (is_numbered(text) and capitals)
    sentence = text.endswith(".") and not titled and len(text.split()) > 6
    return not sentence and len(text) <= (40 if CJK.search(text) else 120)


def _depth(text: str, line: Line, style: Style) -> int:
    if _CHAPTER.match(text):
        return 1
    if _SECTION.match(text):
        return 2
    numbered = _NUMBERED.match(text)
    if numbered:
        return min(5, 1 + len(re.findall(r"\d+", numbered.group(1))) - ("." in numbered.group(1)))
    nearest = [i for i, size in enumerate(style.sizes) if abs(size - line.size) <= 0.6]
    if nearest and line.size > 1.12 * style.body:
        return min(4, 1 + nearest[0])
    if text.isupper() and not _SIMPLE.match(text):
        return CAPITALS_LEVEL
    return 7
