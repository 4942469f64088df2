"""How well a file was read, page by page, from what the parser gave and what the passages hold."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from assistant.identifiers import find_identifiers
from assistant.records.quality import Dropped, Finding, OcrPage, QualityReport
from assistant.schema import Block, Chunk, ParsedFile, ParsedPage
from ingest.table_kinds import is_fault_row

# Below this mean confidence OCR of print is usually wrong somewhere on the page.
LOW_CONFIDENCE = 0.8
# A page with so small a share of its neighbours' words, where those are full of text, may have lost some.
FEW_WORDS = 0.1
NEIGHBOURS = 3
WORDY = 80
# Share of a page's characters that stand for no letter.
UNDECODABLE = 0.02
SHOWN_DROPPED = 50
_WORD = re.compile(r"[^\W\u3400-\u9fff]+")
_HAN = re.compile(r"[\u3400-\u9fff]")


def examine(parsed: ParsedFile, chunks: Sequence[Chunk], revision: str, document: str) -> QualityReport:
    """The page-quality report on a file that was read and cut.

    Args:
        parsed: from the parser.
        chunks: what was cut from it.
        revision: id under which the report is kept.
        document: name that users see.
    """
    blocks = [block for page in parsed.pages for block in page.blocks]
    words = {page.number: _words(block.text for block in page.blocks) for page in parsed.pages}
    suspicious = tuple(finding for page in parsed.pages for finding in _findings(page, words))
    dropped = list(_dropped(blocks, chunks))
    held = _words(chunk.text for chunk in chunks)
    # Less than a word a page: pictures without text, whatever the odd stamp on them says.
    empty = not chunks or held < len(parsed.pages)
    rows = [block for block in blocks if block.kind == "table"]
    return QualityReport(
        revision=revision,
        document=document,
        verdict="empty" if empty else "check" if suspicious else "good",
        pages=len(parsed.pages),
        chunks=len(chunks),
        words=held,
        pages_without_text=tuple(number for number, count in words.items() if not count),
        ocr_pages=tuple(OcrPage(page.number, page.confidence) for page in parsed.pages if page.ocr),
        table_rows=len(rows),
        table_pages=tuple(sorted({row.page for row in rows})),
        figures=sum(block.kind == "figure" for block in blocks),
        codes=_codes(blocks, parsed.title),
        notices=dict(Counter(chunk.signal for chunk in chunks if chunk.signal)),
        dropped_blocks=len(dropped),
        dropped=tuple(dropped[:SHOWN_DROPPED]),
        suspicious=suspicious,
    )


def _findings(page: ParsedPage, words: Mapping[int, int]) -> Iterator[Finding]:
    count = words[page.number]
    if not count:
        yield Finding(page.number, "no_text")
    if page.confidence is not None and page.confidence < LOW_CONFIDENCE:
        yield Finding(page.number, "low_confidence", f"{page.confidence:.2f}")
    around = [words.get(page.number + step, 0) for step in range(-NEIGHBOURS, NEIGHBOURS + 1) if step]
    usual = median([other for other in around if other] or [0])
    drawn = any(block.kind in {"table", "figure"} for block in page.blocks)
    if count and not drawn and usual >= WORDY and count < FEW_WORDS * usual:
        yield Finding(page.number, "few_words", f"{count} / {usual:.0f}")
    share = _undecodable("".join(block.text for block in page.blocks))
    if share > UNDECODABLE:
        yield Finding(page.number, "undecodable", f"{share:.0%}")
    for remark in page.remarks:
        yield Finding(page.number, "remark", remark)


def _words(texts: Iterator[str]) -> int:
    """Words; two Chinese characters count as one, about the length of a Chinese word."""
    counts = ((len(_WORD.findall(text)), len(_HAN.findall(text))) for text in texts)
    return sum(words + (han + 1) // 2 for words, han in counts)


def _undecodable(text: str) -> float:
    """Share of replacement, private-use and control characters."""
    strange = sum(char == "\ufffd" or unicodedata.category(char) in {"Co", "Cn"} for char in text)
    return strange / len(text) if text else 0.0


def _codes(blocks: Sequence[Block], title: str) -> tuple[str, ...]:
    """What opens the rows of fault tables and the headings; a machine's model in the title is no code."""
    machine = find_identifiers(title)
    openings = (
        find_identifiers(block.text)[:1]
        for block in blocks
        if block.kind == "heading" or (block.kind == "table" and is_fault_row(block))
    )
    return tuple(dict.fromkeys(code for opening in openings for code in opening if code not in machine))


def _dropped(blocks: Sequence[Block], chunks: Sequence[Chunk]) -> Iterator[Dropped]:
    """Blocks that no passage of their page holds, as text or as heading."""
    held: dict[int, list[str]] = {}
    for chunk in chunks:
        for page in range(chunk.page, chunk.page_last + 1):
            held.setdefault(page, []).append(chunk.text)
    squeezed = {page: _squeezed("".join(texts)) for page, texts in held.items()}
    headings = {_squeezed(heading) for chunk in chunks for heading in chunk.section}
    for block in blocks:
        text = _squeezed(block.text)
        if text and text not in squeezed.get(block.page, "") and text not in headings:
            yield Dropped(block.page, " ".join(block.text.split())[:120])


def _squeezed(text: str) -> str:
    return "".join(text.split())
