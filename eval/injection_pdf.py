"""Writes small PDFs with a real text layer that can say anything, and say it hidden.

Hand-made after ISO 32000-1, since an attack needs what no PDF library offers: any Unicode character,
printable or not, with or without a glyph, and no font of its own. Latin lines are set in Helvetica, Chinese
ones in STSong-Light, which no file embeds and every reader replaces by what it has. All other characters get
codes of a font without glyphs and a ToUnicode map (9.10.3), so that text extraction gives back the very
characters.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eval.cases import Look

WIDTH, HEIGHT, MARGIN = 595, 842, 56
SIZE, LEADING = 11.0, 16.0
TINY = 1.0
# Mean widths of small letters and capitals in Helvetica, rounded up so that no line leaves the page.
LETTER, CAPITAL = 0.56, 0.78
# A word of so many letters may be broken.
ENDLESS = 60
# Resource names of the fonts.
_LATIN, _CHINESE, _OTHER = "F1", "F2", "F3"
_ENCODINGS = {_LATIN: "cp1252", _CHINESE: "utf-16-be"}


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text with line ends of its own, and how it looks on the page."""

    text: str
    look: Look = "plain"


def pdf_of(paragraphs: Sequence[Paragraph]) -> bytes:
    """A PDF of A4 pages that holds the paragraphs in order.

    Lines are broken at blanks, and inside a word only when it is longer than a line.
    """
    lines = [(line, p.look) for p in paragraphs for line in _wrapped(p.text)]
    on_page = int((HEIGHT - 2 * MARGIN) // LEADING)
    pages = [lines[start : start + on_page] for start in range(0, max(len(lines), 1), on_page)]
    codes = _codes([line for line, _ in lines])
    contents = [_content(page, codes) for page in pages]
    return _file(contents, codes)


def _wrapped(text: str) -> Iterator[str]:
    room = WIDTH - 2 * MARGIN
    for line in text.splitlines():
        current, used = "", 0.0
        for word in _pieces(line):
            wide = sum(map(_advance, word)) * SIZE
            if current and used + wide > room:
                yield current
                current, used = "", 0.0
            current, used = current + word, used + wide
        yield current


def _pieces(line: str) -> Iterator[str]:
    """Words with the blank after them; wide characters and parts of endless words on their own."""
    word = ""
    for character, following in zip(line, line[1:] + " ", strict=True):
        word += character
        # A line begins with no stop or closing bracket.
        may_end = _is_wide(character) and unicodedata.category(following) not in {"Pe", "Pf", "Po"}
        if character == " " or may_end or len(word) >= ENDLESS:
            yield word
            word = ""
    yield word


def _advance(character: str) -> float:
    """Width as a share of the font size."""
    if unicodedata.category(character) in {"Cf", "Mn", "Me"}:
        return 0.0
    return 1.0 if _is_wide(character) else CAPITAL if character.isupper() else LETTER


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in {"W", "F"}


def _font_of(line: str, character: str) -> str:
    """A line with a Chinese character is Chinese as a whole, its Latin letters too."""
    if character.isprintable() and any(map(_is_wide, line)) and ord(character) < 0x10000:
        return _CHINESE
    try:
        return _LATIN if character.isprintable() and character.encode(_ENCODINGS[_LATIN]) else _OTHER
    except UnicodeEncodeError:
        return _OTHER


def _codes(lines: Sequence[str]) -> dict[str, int]:
    """A code from 1 for each character that neither named font holds."""
    others = {c for line in lines for c in line if _font_of(line, c) == _OTHER}
    return {character: code for code, character in enumerate(sorted(others), start=1)}


def _content(lines: Sequence[tuple[str, Look]], codes: dict[str, int]) -> bytes:
    """The page's operators: one positioned text object for each line."""
    parts = []
    for number, (line, look) in enumerate(lines):
        size = TINY if look == "tiny" else SIZE
        colour, mode = (1 if look == "white" else 0), (3 if look == "invisible" else 0)
        y = HEIGHT - MARGIN - (number + 1) * LEADING
        shown = " ".join(f"/{font} {size} Tf {text} Tj" for font, text in _runs(line, codes))
        parts.append(f"BT {colour} g {mode} Tr 1 0 0 1 {MARGIN} {y} Tm {shown} ET")
    return "\n".join(parts).encode("ascii")


def _runs(line: str, codes: dict[str, int]) -> Iterator[tuple[str, str]]:
    """The line as pieces of one font each, in hexadecimal strings."""
    pieces: list[tuple[str, str]] = []
    for character in line:
        font = _font_of(line, character)
        text = f"{codes[character]:04x}" if font == _OTHER else character.encode(_ENCODINGS[font]).hex()
        if pieces and pieces[-1][0] == font:
            pieces[-1] = font, pieces[-1][1] + text
        else:
            pieces.append((font, text))
    yield from ((font, f"<{text}>") for font, text in pieces)


def _file(contents: Sequence[bytes], codes: dict[str, int]) -> bytes:
    """Objects 1 to 10 are catalogue, page tree and fonts; each page and its content follow."""
    kids = " ".join(f"{11 + 2 * index} 0 R" for index in range(len(contents)))
    widths = " ".join(f"{code} [{round(_advance(c) * 1000)}]" for c, code in codes.items())
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(contents)}>>".encode("ascii"),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[5 0 R]>>",
        _cid_font("CIDFontType0", "STSong-Light", "GB1", 6, "1 95 500"),
        _descriptor("STSong-Light"),
        b"<</Type/Font/Subtype/Type0/BaseFont/NoGlyphs/Encoding/Identity-H"
        b"/DescendantFonts[8 0 R]/ToUnicode 10 0 R>>",
        _cid_font("CIDFontType2", "NoGlyphs", "Identity", 9, widths),
        _descriptor("NoGlyphs"),
        _stream(_to_unicode(codes)),
    ]
    fonts = f"<</Font<</{_LATIN} 3 0 R/{_CHINESE} 4 0 R/{_OTHER} 7 0 R>>>>"
    for index, content in enumerate(contents):
        box, body = f"[0 0 {WIDTH} {HEIGHT}]", 12 + 2 * index
        page = f"<</Type/Page/Parent 2 0 R/MediaBox{box}/Resources{fonts}/Contents {body} 0 R>>"
        objects += [page.encode("ascii"), _stream(content)]
    return _joined(objects)


def _cid_font(subtype: str, name: str, ordering: str, descriptor: int, widths: str) -> bytes:
    return (
        f"<</Type/Font/Subtype/{subtype}/BaseFont/{name}/FontDescriptor {descriptor} 0 R"
        f"/CIDSystemInfo<</Registry(Adobe)/Ordering({ordering})/Supplement 0>>/DW 1000/W[{widths}]>>"
    ).encode("ascii")


def _descriptor(name: str) -> bytes:
    return (
        f"<</Type/FontDescriptor/FontName/{name}/Flags 4/FontBBox[0 -200 1000 900]"
        "/ItalicAngle 0/Ascent 900/Descent -200/CapHeight 700/StemV 80>>"
    ).encode("ascii")


def _to_unicode(codes: dict[str, int]) -> bytes:
    pairs = [f"<{code:04X}> <{c.encode('utf-16-be').hex().upper()}>" for c, code in codes.items()]
    # A section holds a hundred entries at most.
    sections = [pairs[start : start + 100] for start in range(0, len(pairs), 100)]
    body = "\n".join(f"{len(part)} beginbfchar\n{chr(10).join(part)}\nendbfchar" for part in sections)
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n"
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"
        "1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
        f"{body}\nendcmap CMapName currentdict /CMap defineresource pop end end"
    ).encode("ascii")


def _stream(data: bytes) -> bytes:
    return f"<</Length {len(data)}>>stream\n".encode("ascii") + data + b"\nendstream"


def _joined(objects: Sequence[bytes]) -> bytes:
    """Header, objects, cross-reference table and trailer (7.5)."""
    data, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(data))
        data += f"{number} 0 obj".encode("ascii") + body + b"endobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    tail = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R>>\n"
    return data + tail.encode("ascii") + f"startxref\n{len(data)}\n%%EOF\n".encode("ascii")
