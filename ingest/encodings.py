"""Bytes of a text file of unknown encoding -> text, and the name of the encoding."""

import codecs
from collections.abc import Sequence

from assistant.errors import InputError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What exports are written in where it is not Unicode; the first is what Windows writes in the West.
_LEGACY = ("cp1252", "cp1250", "cp1251", "big5", "cp932", "cp949", "gb18030")
SAMPLE = 200_000


def decoded(data: bytes, name: str) -> tuple[str, str]:
    """Text and encoding: by its mark, as UTF-8, as UTF-16 by its zeros, else by what its letters look like.

    Raises:
        InputError: the bytes are no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace"), encoding
    zeros = _zeros(data[:4096])
    if zeros and _is_text(data[:4096].decode(zeros, "replace")):
        return data.decode(zeros, "replace"), zeros
    if b"\0" in data[:4096]:
        raise InputError(
            f"{name} is not a CSV file, nor XLSX or JSON", "Export the work orders as CSV, XLSX or JSON."
        )
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        encoding = _legacy(data)
    return data.decode(encoding, "replace"), encoding


def _zeros(head: bytes) -> str:
    """UTF-16 without a mark: nearly every second byte of Western text is zero, and only there."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    most = len(head) // 2 * 0.4
    if odd > most and not even:
        return "utf-16-le"
    return "utf-16-be" if even > most and not odd else ""


def _is_text(sample: str) -> bool:
    return all(sign.isprintable() or sign.isspace() for sign in sample[:-1])


def _legacy(data: bytes) -> str:
    sample = b"".join(_foreign_lines(data))
    if _is_common_chinese(sample):
        return "gb18030"
    from charset_normalizer import from_bytes

    matches = from_bytes(sample, cp_isolation=list(_LEGACY))
    best = matches.best()
    if best is None:
        return _LEGACY[0]
    alike = {
        name
        for match in matches
        if (match.chaos, match.coherence) == (best.chaos, best.coherence)
        for name in match.could_be_from_charset
    }
    return next(name for name in _LEGACY if name in alike)


def _foreign_lines(data: bytes) -> Sequence[bytes]:
    """The lines that say something about the encoding: those that are not plain ASCII."""
    lines: list[bytes] = []
    size = 0
    for line in data.splitlines():
        if not line.isascii():
            lines.append(line[:2000] + b"\n")
            size += len(lines[-1])
        if size > SAMPLE:
            break
    return lines


def _is_common_chinese(sample: bytes) -> bool:
    """Whether most letters are among the 3,755 common characters of GB 2312 (rows 16-55).

    They make up nearly all of any Chinese text, and hardly come about from accented letters.
    """
    common = rare = place = 0
    while place < len(sample):
        if sample[place] < 0x80:
            place += 1
            continue
        trail = sample[place + 1] if place + 1 < len(sample) else 0
        # Rows 1-9 are punctuation and full-width letters: they speak for neither.
        if trail >= 0xA1 and 0xB0 <= sample[place] <= 0xD7:
            common += 1
        elif not (trail >= 0xA1 and 0xA1 <= sample[place] <= 0xA9):
            rare += 1
        place += 2
    return common > 4 * rare
