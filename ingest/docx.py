"""Word documents (ECMA-376, WordprocessingML) -> blocks on one page.

The text is that of the document as it is printed: numbers of lists and headings are counted as Word counts
them, tracked deletions and hidden text are left out, headers and footers too. Macros, embedded objects and
links to other files are never opened; XML that declares entities is refused.
"""

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from assistant.errors import DocumentError
from assistant.schema import Block, ParsedFile
from ingest.archives import check_archive
from ingest.docx_numbering import Numbering, Styles, attribute, child, local
from ingest.headers import looks_like_header, row_blocks
from ingest.headings import is_step
from ingest.text import one_line, tidy, titled, with_notices

BODY = "word/document.xml"
# Elements that only wrap others; of an alternative only the first choice is read, the second repeats it.
_WRAPPERS = frozenset(
    {"sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag", "AlternateContent", "Choice"}
)
_LEFT_OUT = frozenset({"del", "moveFrom", "delText", "instrText", "Fallback", "rPr", "pPr"})


def read_docx(path: Path) -> ParsedFile:
    """Parses a DOCX file.

    Raises:
        DocumentError: damaged, protected, a bomb, or without any text.
    """
    names = check_archive(path)
    try:
        with zipfile.ZipFile(path) as archive:
            parts = {
                name: fromstring(archive.read(f"word/{name}.xml"), forbid_dtd=True)
                for name in ("document", "styles", "numbering", "footnotes")
                if f"word/{name}.xml" in names
            }
    except (ParseError, DefusedXmlException, zipfile.BadZipFile, KeyError, EOFError, ValueError) as problem:
        raise DocumentError(f"{path.name} is damaged or not a Word document", "Save it anew.") from problem
    body = child(parts.get("document"), "body")
    if body is None:
        raise DocumentError(f"{path.name} is damaged or not a Word document", "Save it anew.")
    styles = Styles(parts.get("styles"))
    reader = _Reader(styles, Numbering(parts.get("numbering"), styles), _footnotes(parts.get("footnotes")))
    blocks = list(with_notices(block for block in reader.blocks(body) if block.text))
    if not blocks:
        raise DocumentError(f"{path.name} holds no text", "Check that it is the right file.")
    return titled(_from_level_one(blocks), path.stem)


class _Reader:
    """Walks through the body, counting lists on its way."""

    def __init__(self, styles: Styles, numbering: Numbering, footnotes: dict[str, str]) -> None:
        self._styles = styles
        self._numbering = numbering
        self._footnotes = footnotes

    def blocks(self, parent: Element) -> Iterator[Block]:
        for element in parent:
            name = local(element)
            if name == "p":
                yield from self._paragraph(element)
            elif name == "tbl":
                yield from self._table(element)
            elif name in _WRAPPERS:
                yield from self.blocks(element)

    def _paragraph(self, paragraph: Element) -> Iterator[Block]:
        if self._styles.is_contents(paragraph):
            return
        text = tidy("".join(_texts(paragraph)))
        level = self._styles.heading_level(paragraph)
        number = self._numbering.next_number(paragraph) if text else ""
        full = f"{number} {text}" if number else text
        if level is not None:
            yield Block("heading", one_line(full), 1, level=level)
        else:
            yield Block("list" if number or is_step(text) else "text", full, 1)
        for element in _inside(paragraph):
            name = local(element)
            if name == "txbxContent":
                yield from self.blocks(element)
            elif name == "docPr" and (attribute(element, "descr") or "").strip():
                yield Block("figure", one_line(attribute(element, "descr") or ""), 1)
            elif name == "footnoteReference":
                yield Block("text", self._footnotes.get(attribute(element, "id") or "", ""), 1)

    def _table(self, table: Element) -> Iterator[Block]:
        rows = [row for row in _children(table, "tr") if child(child(row, "trPr"), "del") is None]
        cells = [_children(row, "tc") for row in rows]
        if len(rows) == 1 or all(len(row) == 1 for row in cells):
            # A frame around text, or a picture beside it: no table.
            for row in cells:
                for cell in row:
                    yield from self.blocks(cell)
            return
        marked = 0
        while marked < len(rows) - 1 and child(child(rows[marked], "trPr"), "tblHeader") is not None:
            marked += 1
        grid = self._grid(cells, marked)
        if not marked and looks_like_header(grid[0], grid[1:]):
            marked = 1
        yield from row_blocks(_joined_rows(grid[:marked]), grid[marked:])

    def _grid(self, rows: Sequence[Sequence[Element]], headers: int) -> list[list[str]]:
        """Texts by column; a cell merged downwards stands in each row, one merged sideways in its first.

        In header rows the latter stands in all of its columns, so that each has its heading.
        """
        grid: list[list[str]] = []
        for index, row in enumerate(rows):
            texts: list[str] = []
            for cell in row:
                properties = child(cell, "tcPr")
                merge = child(properties, "vMerge")
                span = _number(attribute(child(properties, "gridSpan"), "val"), 1)
                text = one_line(" ".join(block.text for block in self.blocks(cell) if block.text))
                goes_on = merge is not None and attribute(merge, "val") != "restart"
                if goes_on and not text and grid and len(texts) < len(grid[-1]):
                    text = grid[-1][len(texts)]
                texts += [text, *([text if index < headers else ""] * (min(span, 100) - 1))]
            grid.append(texts)
        return grid


def _texts(element: Element) -> Iterator[str]:
    """The text of a paragraph, without that of text boxes in it."""
    for part in element:
        name = local(part)
        if name == "t":
            yield part.text or ""
        elif name in {"tab", "ptab"}:
            yield " "
        elif name in {"br", "cr"}:
            yield "\n"
        elif name in {"noBreakHyphen", "softHyphen"}:
            yield "-" if name == "noBreakHyphen" else ""
        elif name == "r" and child(child(part, "rPr"), "vanish") is not None:
            continue
        elif name not in _LEFT_OUT and name != "txbxContent":
            yield from _texts(part)


def _inside(element: Element) -> Iterator[Element]:
    """Text boxes, pictures and footnotes of a paragraph, in order; what is in text boxes is left to them."""
    for part in element:
        name = local(part)
        if name in _LEFT_OUT:
            continue
        yield part
        if name != "txbxContent":
            yield from _inside(part)


def _children(parent: Element, name: str) -> list[Element]:
    """Children of a name, also where a wrapper stands between."""
    found: list[Element] = []
    for element in parent:
        if local(element) == name:
            found.append(element)
        elif local(element) in _WRAPPERS:
            found += _children(element, name)
    return found


def _footnotes(root: Element | None) -> dict[str, str]:
    notes = _children(root, "footnote") if root is not None else []
    return {attribute(note, "id") or "": tidy(" ".join("".join(_texts(note)).split())) for note in notes}


def _joined_rows(rows: Sequence[Sequence[str]]) -> list[str]:
    """Several header rows as one: what stands above comes first, and once."""
    width = max((len(row) for row in rows), default=0)
    columns = [[row[index] for row in rows if index < len(row)] for index in range(width)]
    return [" ".join(dict.fromkeys(text for text in column if text)) for column in columns]


def _from_level_one(blocks: Sequence[Block]) -> list[Block]:
    """Headings counted from 1, whichever styles the document begins with."""
    top = min((block.level for block in blocks if block.kind == "heading"), default=1)
    return [replace(b, level=b.level - top + 1) if b.kind == "heading" else b for b in blocks]


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() else default
