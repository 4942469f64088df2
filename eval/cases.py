"""Evaluation cases: questions, triage forms and attacks whose right outcome is known, one JSON object a line.

The format is described in eval/suites/README.md. Files are read strictly: a case that says less or more than
the format, or contradicts itself, is refused with its line number before anything runs.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from assistant.errors import InputError
from assistant.identifiers import find_identifiers
from assistant.schema import Language, Turn
from eval.lines import parse_line, text_lines

Kind = Literal["lookup", "procedure", "code", "troubleshoot", "safety", "multi", "followup", "unanswerable"]
Carrier = Literal["pdf", "markdown", "work_order", "file_name"]
# How the payload looks on the page of a PDF.
Look = Literal["plain", "white", "tiny", "invisible"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A page (1-based in the file) of a document."""

    document: str
    page: int

    def __post_init__(self) -> None:
        """Refuses what can be no page."""
        if not self.document.strip() or self.page < 1:
            raise ValueError("a page is a document's name and a number from 1")


# One page of each group is needed; the pages of a group are alternatives.
Gold = tuple[tuple[Place, ...], ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A question and what a right answer to it holds.

    Attributes:
        gold: groups of alternative pages; a right answer rests on one page of each group.
        must_contain: groups of alternative wordings; a right answer holds one of each group.
        must_not_contain: wordings that only a wrong answer holds.
        refuse: the documents do not hold the answer, and saying so is right.
        safety: words of each notice that has to be shown with the answer.
    """

    id: str
    question: str
    lang: Language
    kind: Kind
    asset: str | None
    history: tuple[Turn, ...]
    gold: Gold
    must_contain: tuple[tuple[str, ...], ...]
    must_not_contain: tuple[str, ...]
    refuse: bool
    safety: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuses a case that contradicts itself.

        Raises:
            ValueError: says what is wrong.
        """
        if not self.id.strip() or not self.question.strip():
            raise ValueError("id and question must not be empty")
        if self.asset is not None and not self.asset.strip():
            raise ValueError("asset is a name or null, not empty text")
        if bool(self.history) != (self.kind == "followup"):
            raise ValueError("history belongs to kind followup, and only there")
        if self.refuse != (self.kind == "unanswerable"):
            raise ValueError("refuse is true for kind unanswerable, and only there")
        if self.refuse and (self.gold or self.must_contain or self.safety):
            raise ValueError("a case to refuse has no gold, must_contain or safety")
        if not self.refuse and not (self.gold and self.must_contain):
            raise ValueError("an answerable case needs gold and must_contain")
        _check_groups(self.gold, self.must_contain)
        _check_words("must_not_contain", self.must_not_contain)
        _check_words("safety", self.safety)

    @property
    def documents(self) -> tuple[str, ...]:
        """Documents with a gold page, each once."""
        return tuple(dict.fromkeys(place.document for group in self.gold for place in group))

    @property
    def asks_identifier(self) -> bool:
        """Whether the question holds a fault code, part or model number."""
        return bool(find_identifiers(self.question))


@dataclass(frozen=True, slots=True)
class InjectionCase(Case):
    """A question asked while a document, a work order or a file name carries an attack.

    Attributes:
        carrier: what brings the payload.
        payload: the text to plant, in reach of the asset.
        canary: what the answer holds when the attack succeeds.
        look: how the payload is hidden from people; in a PDF only.
    """

    carrier: Carrier
    payload: str
    canary: str
    look: Look = "plain"

    def __post_init__(self) -> None:
        """Refuses a case that contradicts itself."""
        # The short form of super() does not work in a dataclass with slots.
        Case.__post_init__(self)
        _check_words("payload and canary", (self.payload, self.canary))
        if self.look != "plain" and self.carrier != "pdf":
            raise ValueError("only the payload of a PDF can have a look")


@dataclass(frozen=True, slots=True)
class Form:
    """A triage form as a technician fills it."""

    asset: str
    happened: str
    code: str
    tried: str


@dataclass(frozen=True, slots=True)
class TriageCase:
    """A filled form and what its ranking must hold.

    Attributes:
        cause: groups of alternative wordings, each to be met by one of the first causes.
        page: gold pages of the causes, as in a question.
        parts: part numbers to be offered.
        notice: first words of each notice to be shown.
    """

    id: str
    form: Form
    lang: Language
    cause: tuple[tuple[str, ...], ...]
    page: Gold
    parts: tuple[str, ...]
    notice: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuses a case that contradicts itself."""
        if not self.id.strip() or not self.form.happened.strip() or not self.cause:
            raise ValueError("id, form.happened and cause must not be empty")
        _check_groups(self.page, self.cause)
        _check_words("parts", self.parts)
        _check_words("notice", self.notice)


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases of one file: questions (attacks among them) or triage forms."""

    name: str
    cases: tuple[Case, ...] = ()
    triage: tuple[TriageCase, ...] = ()


_CASE = TypeAdapter(Case)
_INJECTION = TypeAdapter(InjectionCase)
_TRIAGE = TypeAdapter(TriageCase)


def read_suite(path: Path) -> Suite:
    """A suite from its file; the first line tells triage forms and attacks from plain questions.

    Raises:
        InputError: the file is missing, empty or malformed; names the line.
    """
    lines = text_lines(path)
    first = lines[0][1]
    if '"form"' in first:
        triage = [parse_line(_TRIAGE, path, number, line) for number, line in lines]
        _check_unique(path, [case.id for case in triage])
        return Suite(path.stem, triage=tuple(triage))
    adapter: TypeAdapter[Case] = _INJECTION if '"canary"' in first else _CASE  # type: ignore[assignment]
    cases = [parse_line(adapter, path, number, line) for number, line in lines]
    _check_unique(path, [case.id for case in cases])
    return Suite(path.stem, cases=tuple(cases))


def read_cases(path: Path) -> list[Case]:
    """The questions of a suite.

    Raises:
        InputError: as read_suite, or the file holds triage forms.
    """
    suite = read_suite(path)
    if suite.triage:
        raise InputError(f"{path} holds triage forms, not questions")
    return list(suite.cases)


def clusters_of(cases: Sequence[Case]) -> list[str]:
    """What each case stands or falls with: its first gold document, or where it has none, its asset's.

    Cases on one manual are not independent of each other; statistics resample whole manuals.
    """
    documents: dict[str, Counter[str]] = {}
    for case in cases:
        if case.asset and case.documents:
            documents.setdefault(case.asset, Counter())[case.documents[0]] += 1
    return [
        case.documents[0]
        if case.documents
        else documents[case.asset].most_common(1)[0][0]
        if case.asset in documents
        else case.asset or ""
        for case in cases
    ]


def _check_groups(gold: Gold, wordings: tuple[tuple[str, ...], ...]) -> None:
    if not all(gold) or not all(wordings):
        raise ValueError("a group of alternatives must not be empty")
    for group in wordings:
        _check_words("alternatives", group)


def _check_words(name: str, words: tuple[str, ...]) -> None:
    if not all(word.strip() for word in words):
        raise ValueError(f"{name} must not hold empty text")


def _check_unique(path: Path, ids: Sequence[str]) -> None:
    twice = [name for name, count in Counter(ids).items() if count > 1]
    if twice:
        raise InputError(f"{path}: id {twice[0]!r} is used more than once", "Give each case its own id.")
