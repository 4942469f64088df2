"""Markdown, HTML and plain text -> blocks on one page, with sections from their headings."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag
from markdown_it import MarkdownIt
from markdown_it.token import Token

from assistant.errors import DocumentError
from assistant.schema import Block, ParsedFile, ParsedPage
from ingest.files import FileType
from ingest.headers import row_blocks
from ingest.headings import is_step
from ingest.notices import signal_of, stands_alone

# A page of so many holds no manual, and would take a gigabyte to read.
MAX_TAGS = 400_000
_PLAIN_HEADING = re.compile(
    r"^(?:\d{1,2}(?:\.\d{1,2}){0,3}\.?\s+\S.{0,80}|(?:chapter|section|part|appendix)\s+\S.{0,80}"
    r"|第\s*[\d一二三四五六七八九十]+\s*[章节篇].{0,60})$",
    re.IGNORECASE,
)
_UNDERLINE = re.compile(r"^([=\-~^#*])\1{2,}$")
_BLOCK_TAGS = frozenset(
    "p div li tr td th table ul ol dl dt dd h1 h2 h3 h4 h5 h6 pre blockquote section article header footer"
    " main aside figure figcaption body html form fieldset details summary address center".split()
)
_DROPPED_TAGS = ("script", "style", "nav", "template", "svg", "noscript", "iframe", "video", "audio", "head")


def read_text_file(path: Path, kind: FileType) -> ParsedFile:
    """Parses a Markdown, HTML or text file.

    Raises:
        DocumentError: nothing to read in it.
    """
    text = decode(path.read_bytes())
    if kind != "text" and text.count("<") > MAX_TAGS:
        raise DocumentError(f"{path.name} has more than {MAX_TAGS:,} tags", "Split it.")
    if kind == "html":
        blocks = list(_html_blocks(text))
    elif kind == "markdown":
        blocks = list(_markdown_blocks(text))
    else:
        blocks = list(_plain_blocks(text))
    blocks = list(with_notices(block for block in blocks if block.text))
    if not blocks:
        raise DocumentError(f"{path.name} holds no text", "Check that it is the right file.")
    return titled(blocks, path.stem)


def decode(data: bytes) -> str:
    """Bytes of unknown encoding as text: UTF-8 and byte order marks first, then a guess."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    from charset_normalizer import from_bytes

    guess = from_bytes(data).best()
    # GB 18030 covers every Chinese legacy text; single-byte guesses come from charset-normalizer.
    return str(guess) if guess is not None else data.decode("gb18030", "replace")


def titled(blocks: list[Block], stem: str) -> ParsedFile:
    """A first heading of depth 1 is the title; otherwise the file name is, and stands above all sections."""
    first = blocks[0]
    alone = sum(1 for block in blocks if block.kind == "heading" and block.level == 1) == 1
    if first.kind == "heading" and first.level == 1 and alone:
        return ParsedFile(first.text, (ParsedPage(1, tuple(blocks)),))
    deeper = [replace(b, level=b.level + 1) if b.kind == "heading" else b for b in blocks]
    return ParsedFile(stem, (ParsedPage(1, (Block("heading", stem, 1, level=1), *deeper)),))


def with_notices(blocks: Iterator[Block]) -> Iterator[Block]:
    """Turns paragraphs that start with a signal word into notices; a word alone takes the next paragraph."""
    waiting: Block | None = None
    for block in blocks:
        if waiting is not None:
            if block.kind in {"text", "list"}:
                text = f"{waiting.text}\n{block.text}"
                yield replace(block, kind="notice", text=text, signal=signal_of(waiting.text))
                waiting = None
                continue
            yield waiting
            waiting = None
        head = block.text.split("\n", 1)[0]
        if stands_alone(block.text):
            waiting = replace(block, kind="text")
        elif block.kind in {"text", "list"} and signal_of(head):
            yield replace(block, kind="notice", signal=signal_of(head))
        else:
            yield block
    if waiting is not None:
        yield waiting


# ---------------------------------------------------------------- Markdown


def _markdown_blocks(text: str) -> Iterator[Block]:
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    index = 0
    marks: list[str] = []
    while index < len(tokens):
        token = tokens[index]
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            end = _closing(tokens, index)
            if _is_navigation(tokens[index:end]):
                index = end + 1
                continue
            marks.append("")
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            marks.pop()
        elif token.type == "list_item_open":
            marks[-1] = f"{token.info}{token.markup} " if token.info else "• "
        elif token.type == "table_open":
            end = _closing(tokens, index)
            yield from _markdown_rows(tokens[index:end])
            index = end
        elif token.type == "heading_open":
            yield Block("heading", one_line(_inline(tokens[index + 1])), 1, level=int(token.tag[1]))
            index += 2
        elif token.type == "inline":
            mark, marks = (marks[-1] if marks else ""), [*marks[:-1], ""] if marks else marks
            yield Block("list" if mark else "text", mark + _inline(token), 1)
        elif token.type in {"fence", "code_block"}:
            yield Block("text", token.content.strip(), 1)
        elif token.type == "html_block":
            yield from _html_blocks(token.content)
        index += 1


def _closing(tokens: Sequence[Token], start: int) -> int:
    depth = 0
    for index in range(start, len(tokens)):
        depth += tokens[index].nesting
        if depth == 0:
            return index
    return len(tokens) - 1


def _is_navigation(tokens: Sequence[Token]) -> bool:
    """True for a list whose every item is a link within the document or to a neighbouring file."""
    inlines = [token for token in tokens if token.type == "inline"]
    return bool(inlines) and all(_is_inner_link(token) for token in inlines)


def _is_inner_link(token: Token) -> bool:
    children = token.children or []
    targets = [str(c.attrGet("href") or "") for c in children if c.type == "link_open"]
    depth, outside = 0, ""
    for child in children:
        depth += {"link_open": 1, "link_close": -1}.get(child.type, 0)
        if not depth and child.type == "text":
            outside += child.content
    return bool(targets) and not outside.strip() and not any("://" in target for target in targets)


def _markdown_rows(tokens: Sequence[Token]) -> Iterator[Block]:
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(one_line(_inline(token)))
    yield from row_blocks(rows[0] if rows else [], rows[1:])


def _inline(token: Token) -> str:
    pieces = []
    for child in token.children or []:
        if child.type in {"text", "code_inline"}:
            pieces.append(child.content)
        elif child.type in {"softbreak", "hardbreak"}:
            pieces.append("\n")
        elif child.type == "html_inline" and re.match(r"<(?:br|/p|/div|/li)\b", child.content, re.IGNORECASE):
            pieces.append("\n")
    return tidy("".join(pieces))


# ---------------------------------------------------------------- HTML


def _html_blocks(text: str) -> Iterator[Block]:
    soup = BeautifulSoup(text, "html.parser")
    for tag in soup.find_all(_DROPPED_TAGS):
        tag.decompose()
    for br in soup.find_all("br"):
        br.replace_with("\n")
    current: Tag | None = None
    pieces: list[str] = []
    # Of each tag, which comes before what is in it: the block that its text belongs to, and whether it is in
    # a table.
    place: dict[int, tuple[Tag | None, bool]] = {id(soup): (None, False)}
    items: Counter[int] = Counter()
    for node in soup.descendants:
        block, in_table = place[id(node.parent)]
        if isinstance(node, Tag):
            if node.name == "table" and not in_table:
                yield from _html_block(current, pieces, items)
                current, pieces = None, []
                yield from _html_rows(node)
            inside = node if node.name in _BLOCK_TAGS else block
            place[id(node)] = (inside, in_table or node.name == "table")
        elif type(node) is NavigableString and not in_table:
            if block is not current:
                yield from _html_block(current, pieces, items)
                current, pieces = block, []
            pieces.append(str(node))
    yield from _html_block(current, pieces, items)


def _html_block(tag: Tag | None, pieces: list[str], items: Counter[int]) -> Iterator[Block]:
    preformatted = tag is not None and tag.name == "pre"
    text = "".join(pieces).strip() if preformatted else tidy("".join(pieces), keep_lines="\n" in pieces)
    if not text:
        return
    name = tag.name if tag is not None else ""
    if re.fullmatch(r"h[1-6]", name):
        yield Block("heading", one_line(text), 1, level=int(name[1]))
        return
    if name == "li" and tag is not None:
        links = tag.find_all("a", href=True)
        inner = [a for a in links if str(a["href"]).startswith("#")]
        if inner and len(inner) == len(links) and tidy(inner[0].get_text()) == tidy(text):
            return
        ordered = tag.parent is not None and tag.parent.name == "ol"
        items[id(tag.parent)] += 1
        yield Block("list", f"{items[id(tag.parent)]}. {text}" if ordered else f"• {text}", 1)
        return
    yield Block("list" if is_step(text) else "text", text, 1)


def _html_rows(table: Tag) -> Iterator[Block]:
    rows = []
    for row in table.find_all("tr"):
        rows.append(
            [one_line(tidy(cell.get_text(" "))) for cell in row.find_all(["td", "th"], recursive=False)]
        )
    first = table.find("tr")
    has_header = isinstance(first, Tag) and first.find("th") is not None
    yield from row_blocks(rows[0] if has_header else [], rows[1:] if has_header else rows)


# ---------------------------------------------------------------- plain text


def _plain_blocks(text: str) -> Iterator[Block]:
    for paragraph in re.split(
        r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n")
    ):
        lines = [line.strip() for line in paragraph.split("\n") if line.strip()]
        if not lines:
            continue
        if len(lines) >= 2 and _UNDERLINE.match(lines[1]) and len(lines[0]) <= 100:
            yield Block("heading", lines[0], 1, level=1 if lines[1][0] == "=" else 2)
            lines = lines[2:]
        elif len(lines) == 1 and _is_plain_heading(lines[0]):
            depth = len(re.findall(r"\d+", re.match(r"[\d.]*", lines[0]).group()))  # type: ignore[union-attr]
            yield Block("heading", lines[0], 1, level=max(1, depth))
            continue
        item: list[str] = []
        for line in lines:
            if item and is_step(line):
                yield _plain_block(item)
                item = []
            item.append(line)
        if item:
            yield _plain_block(item)


def _plain_block(lines: list[str]) -> Block:
    return Block("list" if is_step(lines[0]) else "text", "\n".join(lines), 1)


def _is_plain_heading(line: str) -> bool:
    if signal_of(line) or line.endswith((".", "。", ";", "；", ",")):
        return False
    shouted = line.isupper() and 3 < len(line) <= 80 and len(re.findall(r"[A-Z]", line)) > len(line) / 2
    return shouted or bool(_PLAIN_HEADING.match(line))


def tidy(text: str, keep_lines: bool = True) -> str:
    """Text without the spaces and empty lines of typesetting."""
    text = text.replace("\u00a0", " ").replace("\u200b", "")
    if not keep_lines:
        text = text.replace("\n", " ")
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def one_line(text: str) -> str:
    """Text with every run of white space as one space."""
    return " ".join(text.split())
