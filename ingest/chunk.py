"""Blocks -> chunks: what is searched and cited, cut along the sections of the document.

Fault-table rows and notices are chunks of their own; other rows, paragraphs and steps are gathered up to the
size limit, never across a heading. A chunk's text is the source's own words.
"""

import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from assistant.identifiers import find_identifiers
from assistant.schema import Block, BlockKind, Box, Chunk, ParsedFile, SignalWord
from assistant.subjects import passage_identifiers
from ingest.headings import is_caption
from ingest.table_kinds import is_fault_row, is_keyed_row, table_kind
from ingest.tying import Place, tie

CHUNKS = uuid.UUID("6f1d6b0e-6c1f-5d62-9d0a-3d6f5a1c7e11")
# Headings carry the meaning of short entries; a path longer than this many tokens is cut from the outside.
HEADING_TOKENS = 30
# A range in a heading ('alarms 7000 - 7999') names neither end as a code of its own.
_RANGE = re.compile(r"\d+\s+[-–—]\s+\d+|\d+\s*[~～至到]\s*\d+")
_TELLING = re.compile(r"\w\w|[\u3400-\u9fff●]|\d")
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|(?<=[。！？；\n])")


@dataclass(frozen=True, slots=True)
class Origin:
    """What all chunks of one revision share.

    Attributes:
        label: what the revision is called on paper.
        applies_to: casefolded tags and models, empty for the whole plant.
    """

    document: str
    revision: str
    label: str
    title: str
    applies_to: tuple[str, ...]


@dataclass(slots=True)
class _Draft:
    """A chunk being gathered.

    Attributes:
        headings: running numbers of all headings above it, without titles of tables.
    """

    section: tuple[str, ...]
    headings: tuple[int, ...]
    kind: BlockKind
    blocks: list[Block] = field(default_factory=list)
    signal: SignalWord | None = None
    tokens: int = 0


@dataclass(slots=True)
class _Section:
    """A heading that stands over what is being gathered.

    Attributes:
        number: counts the headings of the document.
        rows: it is the title of a table, and its rows have come.
    """

    heading: Block
    number: int
    rows: bool = False


def make_chunks(
    parsed: ParsedFile, origin: Origin, count_tokens: Callable[[str], int], limit: int
) -> list[Chunk]:
    """Cuts a parsed file into chunks in reading order.

    Args:
        parsed: from the parser.
        origin: what they share.
        count_tokens: the embedder's own count.
        limit: tokens that a chunk's text may take.

    Returns:
        Chunks with ordinals from 0 and ids derived from revision and ordinal.
    """
    every = [block for page in parsed.pages for block in page.blocks]
    # Stray letters and signs of a drawing tell nothing by themselves.
    blocks = [block for block in every if block.kind == "heading" or _TELLING.search(block.text)]
    drafts = _Gatherer(count_tokens, limit).gather(blocks)
    ids = [chunk_id(origin.revision, ordinal) for ordinal in range(len(drafts))]
    labels = {page.number: page.label for page in parsed.pages}
    ties = tie([Place(draft.kind, draft.headings) for draft in drafts])
    return [
        _chunk(draft, ordinal, ids, notices, origin, labels)
        for ordinal, (draft, notices) in enumerate(zip(drafts, ties, strict=True))
    ]


def chunk_id(revision: str, ordinal: int) -> str:
    """The UUID of a chunk: the same revision and position give the same id."""
    return str(uuid.uuid5(CHUNKS, f"{revision}/{ordinal}"))


def embedding_text(chunk: Chunk) -> str:
    """What is embedded and indexed for words: the section path, then the text."""
    return f"{chunk.heading}\n{chunk.text}" if chunk.section else chunk.text


class _Gatherer:
    """Walks over the blocks with the stack of headings above them."""

    def __init__(self, count_tokens: Callable[[str], int], limit: int) -> None:
        self._count = count_tokens
        self._limit = limit
        self._drafts: list[_Draft] = []
        self._open: _Draft | None = None
        self._stack: list[_Section] = []
        self._bare: Block | None = None
        self._headings = 0

    def gather(self, blocks: Sequence[Block]) -> list[_Draft]:
        """All drafts in order."""
        for block in blocks:
            if block.kind == "heading":
                self._heading(block)
            else:
                self._bare = None
                self._content(block)
        self._close()
        self._keep_bare()
        return self._drafts

    def _heading(self, block: Block) -> None:
        same = _same_title(block.text)
        # A heading repeated at the top of a page ('Table 3-2 (continued)') goes on with its section.
        above = [section.heading for section in self._stack]
        if any(_same_title(heading.text) == same and heading.level == block.level for heading in above):
            return
        self._close()
        if self._bare is not None and self._bare.level >= block.level:
            self._keep_bare()
        while self._stack and (self._stack[-1].heading.level >= block.level or self._stack[-1].rows):
            self._stack.pop()
        self._headings += 1
        self._stack.append(_Section(block, self._headings))
        self._bare = block

    def _keep_bare(self) -> None:
        """A heading without text is dropped, unless it names a code that must be found."""
        bare, self._bare = self._bare, None
        if bare is not None and find_identifiers(_RANGE.sub(" ", bare.text)):
            above = [section for section in self._stack if section.heading is not bare]
            path = tuple(section.heading.text for section in above)
            self._drafts.append(_Draft(path, _numbers(above), "text", [bare]))

    def _content(self, block: Block) -> None:
        if block.kind == "notice":
            self._close()
            self._drafts.append(self._draft("notice", [block]))
            return
        if block.kind == "list" and self._stack and self._stack[-1].rows:
            # The steps go on below a table that stands among them.
            self._close()
            self._stack.pop()
        if block.kind == "table" and self._stack and is_caption(self._stack[-1].heading.text):
            self._stack[-1].rows = True
        if block.kind == "figure" or self._stands_alone(block):
            self._close()
            for piece in self._cut(block):
                self._drafts.append(self._draft(block.kind, [piece]))
        else:
            for piece in self._cut(block):
                self._add(piece)

    def _stands_alone(self, block: Block) -> bool:
        """True for a row that is looked up by itself: a fault with its remedy, a part by its number."""
        return block.kind == "table" and (is_fault_row(block) or is_keyed_row(block))

    def _add(self, block: Block) -> None:
        tokens = self._count(block.text)
        draft = self._open
        if draft is not None:
            other = (draft.kind == "table") != (block.kind == "table")
            header = draft.kind == "table" and draft.blocks[-1].header != block.header
            if other or header or draft.tokens + tokens > self._limit:
                self._close()
        if self._open is None:
            self._open = self._draft(block.kind, [])
        self._open.blocks.append(block)
        self._open.tokens += tokens
        if block.kind == "list" and self._open.kind == "text":
            self._open.kind = "list"

    def _draft(self, kind: BlockKind, blocks: list[Block]) -> _Draft:
        signal = blocks[0].signal if kind == "notice" else None
        return _Draft(self._path(), _numbers(self._stack), kind, blocks, signal)

    def _close(self) -> None:
        if self._open is not None:
            self._drafts.append(self._open)
            self._open = None

    def _path(self) -> tuple[str, ...]:
        path = [section.heading.text for section in self._stack]
        while len(path) > 1 and self._count(" › ".join(path)) > HEADING_TOKENS:
            path.pop(0)
        return tuple(path)

    def _cut(self, block: Block) -> Iterator[Block]:
        """A block within the limit as it is, a longer one at sentence ends; table rows stay whole."""
        if block.kind == "table" or self._count(block.text) <= self._limit:
            yield block
            return
        for text in split_text(block.text, self._count, self._limit):
            yield Block(block.kind, text, block.page, block.boxes, signal=block.signal, header=block.header)


def split_text(text: str, count_tokens: Callable[[str], int], limit: int) -> Iterator[str]:
    """Cuts a long text at sentence ends into pieces of at most `limit` tokens, as even as they come."""
    piece = ""
    for sentence in _SENTENCE.split(text):
        for part in _shortened(sentence, count_tokens, limit):
            longer = f"{piece} {part}".strip() if piece.isascii() else f"{piece}{part}"
            if piece and count_tokens(longer) > limit:
                yield piece.strip()
                piece = part
            else:
                piece = longer
    if piece.strip():
        yield piece.strip()


def _shortened(sentence: str, count_tokens: Callable[[str], int], limit: int) -> Iterator[str]:
    """Halves what has no sentence end at all until it fits."""
    if len(sentence) < 2 or count_tokens(sentence) <= limit:
        yield sentence
        return
    middle = len(sentence) // 2
    space = sentence.find(" ", middle)
    cut = space if 0 < space < len(sentence) - 1 and space - middle < middle // 2 else middle
    yield from _shortened(sentence[:cut], count_tokens, limit)
    yield from _shortened(sentence[cut:], count_tokens, limit)


def _numbers(stack: Sequence[_Section]) -> tuple[int, ...]:
    return tuple(section.number for section in stack if not is_caption(section.heading.text))


def _same_title(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


def _chunk(
    draft: _Draft,
    ordinal: int,
    ids: Sequence[str],
    notices: Sequence[int],
    origin: Origin,
    labels: Mapping[int, str],
) -> Chunk:
    text = "\n".join(block.text for block in draft.blocks)
    pages = [block.page for block in draft.blocks]
    return Chunk(
        id=ids[ordinal],
        document=origin.document,
        revision=origin.revision,
        title=origin.title,
        section=draft.section,
        page=min(pages),
        page_last=max(pages),
        kind=draft.kind,
        text=text,
        extra=_table_extra(draft),
        revision_label=origin.label,
        boxes=_boxes(draft.blocks),
        signal=draft.signal,
        identifiers=passage_identifiers(
            origin.title, [_RANGE.sub(" ", name) for name in draft.section], text
        ),
        applies_to=origin.applies_to,
        notices=tuple(ids[index] for index in notices),
        ordinal=ordinal,
        page_label=labels.get(min(pages), ""),
    )


def _table_extra(draft: _Draft) -> dict[str, str]:
    """What kind of table a row is from, for those who look for causes, torques or parts."""
    if draft.kind != "table":
        return {}
    kind = table_kind(draft.blocks[0].header, draft.section[-1] if draft.section else "")
    return {"table": kind} if kind else {}


def _boxes(blocks: Sequence[Block]) -> tuple[Box, ...]:
    """The boxes of the blocks; those that follow each other closely in one column become one."""
    merged: list[Box] = []
    for box in (box for block in blocks for box in block.boxes):
        last = merged[-1] if merged else None
        beside = last is not None and last.page == box.page and min(last.x1, box.x1) > max(last.x0, box.x0)
        if last is not None and beside and -0.002 <= box.y0 - last.y1 < 0.03:
            merged[-1] = Box(box.page, min(last.x0, box.x0), last.y0, max(last.x1, box.x1), box.y1)
        else:
            merged.append(box)
    return tuple(merged)
