"""What running text says: procedures, entries of alarm lists, articles that answer their title, notices."""

import re
from collections.abc import Iterator, Sequence

from assistant.identifiers import find_identifiers
from assistant.language import language_of, sentences
from assistant.schema import Chunk, Language
from assistant.subjects import heading_code, speaks_of_codes
from finetune.fact import MAX_STATEMENT, Fact

# Sentences that an answer takes over at most, and steps of a procedure.
MAX_SENTENCES, MAX_STEPS = 3, 8
# Numbered lines shorter than this are headings.
SHORTEST_STEP = 8
# A question longer than this is a paragraph that was set as a heading.
MAX_TITLE = 80
_STEP = re.compile(r"^(?:\(?(\d{1,2})[.)、）]|步骤\s*(\d+))\s*(.+)$")
_SECTION_NUMBER = re.compile(
    r"^\s*(?:\d+(?:[.\-]\d+)*[.、]?|[A-Z]\d+\.\d+[-\s]?|[a-z][.)]|[一二三四五六七八九十]+、)\s*"
)
# Numbering of articles ('016OPC UA …') is the shelf's, not the title's.
_SHELF = re.compile(r"^(?:[A-Z]\d{2}\.)?0\d{2}[.\-\s]*")
_LABEL = re.compile(r"^[•\-\s]*([^:：。；,，]{2,12})[:：]\s*(.*)$")
_SOLVES = re.compile(
    r"解决|处理|措施|方法|对策|排除|remed|solution|solve|fix|correct|action|what to do", re.IGNORECASE
)
_TELLS_CAUSE = re.compile(r"原因|cause|reason", re.IGNORECASE)
_ASKS = re.compile(
    r"如何|怎么|怎样|能否|是否|为什么|什么|哪|\bhow\b|\bwhy\b|\bwhat\b|\bcan\b|\?|？", re.IGNORECASE
)
_CODE = re.compile(r"-?[A-Za-z]{0,5}[-\s]?\d{2,6}[A-Za-z]?")
_LABELS_ONLY = re.compile(r"^tags?\s*[:：]|[:：?？]$", re.IGNORECASE)


def prose_facts(chunk: Chunk) -> Iterator[Fact]:
    """Facts of a notice, a list or a paragraph."""
    if chunk.signal:
        yield from _of_notice(chunk)
        return
    lines = [line.strip() for line in chunk.text.splitlines() if line.strip()]
    language, heading = language_of(chunk.text), heading_of(chunk)
    counts = speaks_of_codes(chunk.title, *chunk.section)
    if any(heading_code(name, counts) for name in chunk.section):
        yield from _of_entry(chunk, lines, language)
    elif steps := _steps(lines):
        yield Fact("procedure", "procedure.all", language, chunk, {"heading": heading}, steps)
    elif _ASKS.search(heading) or _ASKS.search(_title(chunk)):
        yield from _of_article(chunk, lines, language, heading)


def heading_of(chunk: Chunk) -> str:
    """The innermost heading without its number; the title's when the chunk has none."""
    heading = chunk.section[-1] if chunk.section else chunk.title
    return _SHELF.sub("", _SECTION_NUMBER.sub("", heading)).strip(" .:：")


def _title(chunk: Chunk) -> str:
    return _SHELF.sub("", chunk.title).strip()


def _of_notice(chunk: Chunk) -> Iterator[Fact]:
    word, _, body = chunk.text.partition("\n")
    said = sentences(" ".join(body.split()).lstrip(":： "))[:MAX_SENTENCES]
    heading, language = heading_of(chunk), language_of(body)
    if not said or not heading or max(map(len, said)) > MAX_STATEMENT:
        return
    word = word.strip(" :：")
    opening = f"{word}：{said[0]}" if language == "zh" else f"{word}: {said[0]}"
    yield Fact("notice", "notice.all", language, chunk, {"heading": heading}, (opening, *said[1:]))


def _steps(lines: Sequence[str]) -> tuple[str, ...]:
    """Numbered steps from the first on, numbers kept; () when a chunk begins in the middle of a procedure."""
    matches = [match for match in map(_STEP.match, lines) if match]
    numbers = [int(match[1] or match[2]) for match in matches]
    if len(matches) < 2 or numbers != list(range(1, len(numbers) + 1)) or len(numbers) > MAX_STEPS:
        return ()
    if min(len(match[3]) for match in matches) < SHORTEST_STEP:
        return ()
    steps = tuple(f"{number}. {match[3].strip()}" for number, match in zip(numbers, matches, strict=True))
    return steps if max(map(len, steps)) <= MAX_STATEMENT else ()


def _of_entry(chunk: Chunk, lines: Sequence[str], language: Language) -> Iterator[Fact]:
    """An entry of a list of alarms: its heading names the code, its text the cause and the remedy."""
    headings = [name for name in chunk.section if find_identifiers(name) or re.search(r"\d{3,}", name)]
    spaced = re.sub(r"\s+", " ", headings[-1] if headings else "")
    code, _, meaning = (part.strip() for part in spaced.replace(":", "：").partition("："))
    if not _CODE.fullmatch(code):
        return
    names = {"code": code, "message": meaning}
    remedies = _whole(_under(lines, _SOLVES) or _under(lines, _TELLS_CAUSE))
    mend = Fact("entry", "fault.remedy", language, chunk, names, remedies) if remedies else None
    opening = f"{code}：{meaning}" if language == "zh" else f"{code}: {meaning}"
    if mend:
        yield mend
    if meaning:
        yield Fact("entry", "fault.meaning", language, chunk, names, (opening,), mend)
    if meaning and remedies:
        yield Fact("entry", "fault.all", language, chunk, names, (opening, *remedies))


def _of_article(chunk: Chunk, lines: Sequence[str], language: Language, heading: str) -> Iterator[Fact]:
    title = _title(chunk)
    asked = heading if _ASKS.search(heading) else title
    if asked == title and not (_SOLVES.search(heading) or len(chunk.section) <= 1):
        return
    pieces = [piece for line in lines for piece in sentences(line.lstrip("• "))]
    said = _whole([piece for piece in pieces if asked not in piece])
    if said and 4 <= len(asked) <= MAX_TITLE and "?" not in asked[:-1]:
        yield Fact("article", "article.all", language, chunk, {"heading": asked}, said)


def _whole(pieces: Sequence[str]) -> tuple[str, ...]:
    """The first sentences that say something by themselves; () when one of them is too long to take over."""
    telling = [piece for piece in pieces if len(piece) > 3 and not _LABELS_ONLY.search(piece)]
    first = tuple(telling[:MAX_SENTENCES])
    return first if all(len(piece) <= MAX_STATEMENT for piece in first) else ()


def _under(lines: Sequence[str], wanted: re.Pattern[str]) -> list[str]:
    """The lines below the label that a pattern finds, up to the next label."""
    found: list[str] = []
    inside = False
    for line in lines:
        label = _LABEL.match(line)
        if label and (wanted.search(label[1]) or (inside and not label[2])):
            inside = bool(wanted.search(label[1]))
            if inside and label[2]:
                found.append(label[2])
        elif inside:
            found.append(line.lstrip("• -"))
    return [line for line in found if len(line) > 3]
