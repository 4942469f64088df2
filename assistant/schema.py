"""The frozen records that cross every boundary of Lineside.

Boxes are fractions of the page (0..1, origin at the top left), so that they fit a picture of any size.
Pages are 1-based pages of the file, never printed page labels.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from assistant.trace import Trace

Language = Literal["en", "zh"]
Role = Literal["technician", "supervisor", "administrator"]
Source = Literal["manual", "work_order"]
BlockKind = Literal["heading", "text", "list", "table", "notice", "figure"]
SignalWord = Literal["DANGER", "WARNING", "CAUTION", "NOTICE"]
IngestStatus = Literal["ingested", "unchanged", "superseded", "ready", "rejected"]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, as fractions of its width and height from the top left."""

    page: int
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class Block:
    """One heading, paragraph, list, table part, notice or caption, in reading order.

    Attributes:
        level: heading depth from 1, or 0 for anything else.
        signal: the signal word of a notice, else None.
        header: for a table part, its header row as text, so that a row never travels without it.
    """

    kind: BlockKind
    text: str
    page: int
    boxes: tuple[Box, ...] = ()
    level: int = 0
    signal: SignalWord | None = None
    header: str = ""


@dataclass(frozen=True, slots=True)
class ParsedPage:
    """One page of a file as its parser read it.

    Attributes:
        ocr: True when text of it, or of a region of it, was read from the picture.
        label: the page number printed on paper ('3-14', 'iv'), empty when the file tells none.
        confidence: mean confidence of what OCR read, 0..1; None without OCR.
        remarks: what a supervisor should know of this page, one line each ('text layer has no Unicode map').
    """

    number: int
    blocks: tuple[Block, ...]
    ocr: bool = False
    label: str = ""
    confidence: float | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What a parser made of one file: a title and its pages (one page for files without pages)."""

    title: str
    pages: tuple[ParsedPage, ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """The unit that is searched and cited.

    Attributes:
        id: UUID derived from document, revision and position, so that a second run changes nothing.
        document: file name (or path below the ingested folder) as shown to users.
        revision: id of the revision that the chunk belongs to.
        revision_label: what the revision is called on paper ('C', '2024-03').
        title: the document's title.
        section: headings from the outermost inwards.
        page: first page; page_last: last page.
        page_label: what is printed on paper as the number of the first page; empty when unknown.
        kind: kind of its main block.
        text: what is read, embedded and quoted; tables keep their header.
        identifiers: normalised fault codes, part and model numbers (see assistant.identifiers).
        applies_to: casefolded asset tags and model names; empty means the whole plant.
        notices: ids of the notice chunks that belong to this passage.
        extra: for work orders the columns a reader wants to see (order, asset, date, ...).
    """

    id: str
    document: str
    revision: str
    title: str
    section: tuple[str, ...]
    page: int
    page_last: int
    kind: BlockKind
    text: str
    revision_label: str = ""
    source: Source = "manual"
    boxes: tuple[Box, ...] = ()
    signal: SignalWord | None = None
    identifiers: tuple[str, ...] = ()
    applies_to: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    ordinal: int = 0
    extra: Mapping[str, str] = field(default_factory=dict)
    page_label: str = ""

    @property
    def heading(self) -> str:
        """The section path as one line."""
        return " › ".join(self.section)


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that a search found.

    Attributes:
        score: of the fusion, only comparable within one search.
        exact: True when an identifier of the question stands in the chunk.
        signals: what the ranking counted for and against it, by name.
    """

    chunk: Chunk
    score: float
    exact: bool = False
    signals: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of the conversation."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the text as typed, the asset chosen (if any) and the earlier turns."""

    text: str
    asset: str | None = None
    history: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """A numbered reference of an answer to a passage that was retrieved for it.

    Attributes:
        boxes: where the passage stands on its pages.
        quote: the passage.
        spans: where in the chunk's text the rows, steps or sentences stand that the answer rests on, as
            offsets (start, end); empty for the whole passage.
    """

    n: int
    document: str
    revision: str
    page: int
    boxes: tuple[Box, ...]
    quote: str
    chunk_id: str = ""
    section: str = ""
    source: Source = "manual"
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class SafetyNotice:
    """A notice of the manual that belongs to a cited passage, in the manual's own words.

    Attributes:
        boxes: where it stands; empty for sources without pages.
        chunk_id: the chunk that it was taken from.
    """

    level: SignalWord
    text: str
    document: str
    page: int
    boxes: tuple[Box, ...] = ()
    chunk_id: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """One side of a conflict: what is said, where, and when that was written (empty when unknown)."""

    text: str
    date: str
    citation: Citation


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two places that disagree about what was asked.

    Attributes:
        kind: two revisions of one document, two documents, or a manual and this fleet's work orders.
        leading: the side that applies; it is the one the answer states.
    """

    kind: Literal["revisions", "documents", "work_order"]
    leading: Statement
    other: Statement


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer: text with [n] markers, what they point to, and how it came about.

    Attributes:
        mode: 'llm' when the model wrote it, 'extractive' when passages are quoted instead.
        note: why passages are quoted instead, or what was withheld; empty when all went well.
        hits: every passage retrieved, best first.
        closest: of a refusal, the pages worth opening all the same, best first.
        conflicts: places that disagree with what the answer states.
        trace: how it came about; None for an answer that was not made by the pipeline.
    """

    text: str
    refused: bool
    mode: Literal["llm", "extractive"]
    language: Language
    citations: tuple[Citation, ...] = ()
    safety: tuple[SafetyNotice, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    hits: tuple[Hit, ...] = ()
    closest: tuple[Citation, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """A machine of the plant: tag, what it is called, its model, where it stands, its serial number."""

    tag: str
    name: str = ""
    model: str = ""
    location: str = ""
    serial: str = ""


@dataclass(frozen=True, slots=True)
class IngestOutcome:
    """What became of one file; `reason` is one line for a rejected file or a warning worth reading.

    Attributes:
        status: 'ingested' and 'superseded' are visible now, 'ready' waits for a supervisor's approval.
    """

    document: str
    revision: str
    status: IngestStatus
    pages: int = 0
    chunks: int = 0
    ocr_pages: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TriageForm:
    """What a technician tells about a fault: the machine, what is seen, the code shown, what was tried."""

    asset: str
    happened: str
    code: str = ""
    tried: str = ""


@dataclass(frozen=True, slots=True)
class TriagePart:
    """A spare part that a cause may need; `on_hand` is None when the part is not in the stock list."""

    part: str
    description: str
    on_hand: int | None = None
    location: str = ""


@dataclass(frozen=True, slots=True)
class TriageCause:
    """A probable cause as the manual gives it, with its checks and remedies in the manual's words."""

    rank: int
    cause: str
    checks: tuple[str, ...]
    parts: tuple[TriagePart, ...]
    citation: Citation


@dataclass(frozen=True, slots=True)
class PastOrder:
    """A similar work order of this fleet, as it was written."""

    number: str
    asset: str
    date: str
    text: str
    remedy: str
    status: str


@dataclass(frozen=True, slots=True)
class TriageResult:
    """Causes from the manuals, best first, and apart from them what this fleet's work orders tell.

    Attributes:
        note: says so when the manuals hold nothing on this fault or code; else empty.
    """

    form: TriageForm
    language: Language
    causes: tuple[TriageCause, ...]
    orders: tuple[PastOrder, ...]
    safety: tuple[SafetyNotice, ...]
    note: str = ""


Json = dict[str, Any]
