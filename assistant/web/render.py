"""Records become HTML here and nowhere else.

Every text, whoever wrote it, is escaped by the templates and loses what cannot be seen. Buttons for [n] are
made from resolved citations; no other text ever becomes a button, a link or a picture.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from assistant.clean import visible
from assistant.records.accounts import User
from assistant.schema import Answer, Hit, Language, SafetyNotice, TriageResult
from assistant.web.links import PageLink, PageLinks
from assistant.web.texts import texts
from assistant.web.why import why

_MARKER = re.compile(r"(\[\d{1,3}\])")
# The word that opens a notice's text, in front of which the coloured panel would repeat it.
_SIGNAL_WORD = re.compile(
    r"[\s!！⚠▲△]*(DANGER|WARNING|CAUTION|NOTICE|危险|警告|小心|当心|注意)(?!\w*事项)[\s!！:：.。–—-]*"
)
_CODE = re.compile(r"\b((?=[\w-]*\d)[A-Za-z0-9]{1,8}(?:-[A-Za-z0-9]{1,8}){1,3})\b", re.ASCII)
_BLANK_LINE = re.compile(r"\n\s*\n")
_STEP = re.compile(r"(?:^|(?<=\s))(\d{1,2})\.\s")


def _seen(value: Any) -> Any:
    """What is put into a template, without the characters that would turn or hide what stands around it.

    It may run on escaped text: nothing it removes stands in what escaping writes.
    """
    if isinstance(value, Markup):
        return Markup(visible(value))
    return visible(value) if isinstance(value, str) else value


_ENVIRONMENT = Environment(
    loader=PackageLoader("assistant.web"),
    autoescape=True,
    finalize=_seen,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its finished answer, as the Ask page shows it."""

    question: str
    asset: str
    answer: Answer


def render(template: str, language: Language, **values: Any) -> str:
    """One template with the words of a language as `t`."""
    return _ENVIRONMENT.get_template(template).render(t=texts(language), language=language, **values)


def signal_word(notice: SafetyNotice) -> tuple[str, str]:
    """A notice's own signal word, for the panel's head, and the words after it: its whole text."""
    match = _SIGNAL_WORD.match(notice.text)
    if match and match.end() < len(notice.text):
        return match.group(1), notice.text[match.end() :]
    return notice.level, notice.text


def unbroken(text: str) -> Markup:
    """Escaped text in which no line ends inside a code or part number such as 44-2320."""
    pieces = (
        Markup('<span class="whole">{}</span>').format(piece) if place % 2 else escape(piece)
        for place, piece in enumerate(_CODE.split(visible(text)))
    )
    return Markup("").join(pieces)


def header(user: User | None, page: str, language: Language) -> str:
    """The bar on top of every page; `page` is the one that is open."""
    return render("header.html", language, user=user, page=page, other="en" if language == "zh" else "zh")


def refused_page(language: Language) -> str:
    """A whole page for someone whose role does not suffice."""
    return render("refused.html", language, title=texts(language)["supervisor"])


def exchange(done: Exchange, links: PageLinks, *, explained: bool = False) -> str:
    """A finished exchange: safety first, then the answer, what disagrees with it, and its pages.

    Args:
        done: the exchange.
        links: finds the pages.
        explained: adds the panel on how the answer came about; only for those who may see it.
    """
    answer = done.answer
    sides = [side.citation for found in answer.conflicts for side in (found.leading, found.other)]
    cited = links.of_citations(answer.citations)
    return render(
        "answer.html",
        answer.language,
        question=done.question,
        asset=done.asset,
        answer=answer,
        paragraphs=paragraphs(answer.text, cited),
        cited=cited,
        places=links.in_force([*answer.closest, *sides]),
        notices=links.of_notices(answer.safety),
        why=why(answer.trace, answer.language) if explained and answer.trace else None,
        seconds=f"{answer.timings_ms.get('total', 0) / 1000:.1f}",
    )


def progress(
    question: str, asset: str, language: Language, hits: Sequence[Hit] | None = None, draft: str = ""
) -> str:
    """The exchange that is under way: searching, then what was found, then the draft."""
    places = list(dict.fromkeys((hit.chunk.document, hit.chunk.page) for hit in hits or ()))
    return render(
        "progress.html", language, question=question, asset=asset, hits=hits, places=places[:4], draft=draft
    )


def problem(line: str, language: Language, question: str = "", asset: str = "") -> str:
    """A question that could not be asked, with the reason."""
    return render("problem.html", language, line=line, question=question, asset=asset)


def triage(result: TriageResult, links: PageLinks) -> str:
    """Safety, then the manual's causes, then, apart, the fleet's work orders."""
    return render(
        "triage.html",
        result.language,
        result=result,
        cited=links.of_citations(cause.citation for cause in result.causes),
        notices=links.of_notices(result.safety),
    )


def paragraphs(text: str, cited: Mapping[int, PageLink]) -> list[list[list[str | int]]]:
    """Paragraphs of an answer, their lines, and each line cut into text and numbers of resolved citations.

    A number that nothing stands behind stays text.
    """
    written = [paragraph for paragraph in _BLANK_LINE.split(text) if paragraph.strip()]
    return [
        [[_piece(piece, cited) for piece in _MARKER.split(line) if piece] for line in lines(paragraph)]
        for paragraph in written
    ]


def lines(text: str) -> list[str]:
    """A text as people would write it: its own lines, and one for each table cell and numbered step.

    'Code: E-1 | Remedy: 1. Check 2. Replace' becomes four lines.
    """
    return [line for row in text.splitlines() for cell in row.split(" | ") for line in _steps(cell)]


def _steps(cell: str) -> list[str]:
    starts, expected = [0], 1
    for match in _STEP.finditer(cell):
        if int(match.group(1)) == expected:
            starts.append(match.start())
            expected += 1
    pieces = (cell[start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True))
    return [piece for piece in pieces if piece]


def _piece(piece: str, cited: Mapping[int, PageLink]) -> str | int:
    if not _MARKER.fullmatch(piece):
        return piece
    number = int(piece[1:-1])
    return number if number in cited else piece


_ENVIRONMENT.filters.update(signal_word=signal_word, unbroken=unbroken, lines=lines)
