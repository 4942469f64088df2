"""Which files can be ingested, under which document name, and of which type they are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assistant.errors import DocumentError
from ingest.archives import check_archive

FileType = Literal["pdf", "docx", "table", "json", "markdown", "html", "text"]

SUFFIXES: dict[str, FileType] = {
    ".pdf": "pdf",
    ".docx": "docx",
    ".docm": "docx",
    ".xlsx": "table",
    ".xlsm": "table",
    ".csv": "table",
    ".tsv": "table",
    ".json": "json",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".txt": "text",
}
# Of a file that is nothing but text: ten times the longest manuals.
TEXT_MB = 50
# The container of Office files before 2007, and of later ones with a password.
OLE = b"\xd0\xcf\x11\xe0"
ACCEPTED = "PDF, Word (DOCX), Excel (XLSX), CSV, JSON, Markdown, HTML and text files"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that looks like a manual, and the document name that users will see."""

    path: Path
    document: str


def find_files(paths: Sequence[Path]) -> list[Candidate]:
    """Files to ingest, in order; folders are searched through, hidden files left out.

    A document is named by its path below the folder given, or by its file name.

    Raises:
        DocumentError: a path does not exist, or a folder holds nothing that can be read.
    """
    found: dict[str, Candidate] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted((p for p in path.rglob("*") if _is_manual(p, path)), key=_natural)
            if not inside:
                raise DocumentError(f"Folder {path} holds no manuals", f"Accepted are {ACCEPTED}.")
            candidates = [Candidate(p, p.relative_to(path).as_posix()) for p in inside]
        elif path.is_file():
            candidates = [Candidate(path, path.name)]
        else:
            raise DocumentError(f"{path} does not exist", "Check the path.")
        found.update((candidate.document, candidate) for candidate in candidates)
    if not found:
        raise DocumentError("No file was given", "Name at least one file or folder.")
    return list(found.values())


def file_type(path: Path, limit_mb: int) -> FileType:
    """The type by content first, by suffix second.

    Args:
        path: an existing file.
        limit_mb: largest size accepted.

    Raises:
        DocumentError: empty, too large, or of a type that is not accepted.
    """
    size = path.stat().st_size
    if size == 0:
        raise DocumentError(f"{path.name} is empty", "Save it anew and check its size.")
    if size > limit_mb * 1_000_000:
        raise DocumentError(
            f"{path.name} has {size // 1_000_000} MB, more than {limit_mb} MB",
            "Split it, or raise LINESIDE_INGEST_FILE_MB.",
        )
    with path.open("rb") as stream:
        head = stream.read(4096)
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return _archive_type(path)
    if head.startswith(OLE):
        raise DocumentError(
            f"{path.name} is an old Office file, or one with a password",
            "Save it as DOCX or XLSX without a password.",
        )
    named = SUFFIXES.get(path.suffix.lower())
    if named == "pdf":
        # Damaged headers are left to the parser, which says what is wrong.
        return "pdf"
    if size > TEXT_MB * 1_000_000:
        raise DocumentError(
            f"{path.name} has {size // 1_000_000} MB of text, more than {TEXT_MB} MB", "Split it."
        )
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    binary = b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if named is None or binary or named == "docx" or path.suffix.lower() in {".xlsx", ".xlsm"}:
        raise DocumentError(f"{path.name} is not a file that can be read", f"Accepted are {ACCEPTED}.")
    if start.startswith((b"<!doctype html", b"<html")):
        return "html"
    return named


def _archive_type(path: Path) -> FileType:
    parts = check_archive(path)
    if "word/document.xml" in parts:
        return "docx"
    if "xl/workbook.xml" in parts:
        return "table"
    raise DocumentError(f"{path.name} is an archive, not a document", f"Accepted are {ACCEPTED}.")


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sorts rev-9 before rev-10, so that of two revisions in a folder the later one is ingested last."""
    pieces = re.findall(r"\d+|\D+", str(path).casefold())
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in pieces]


def _is_manual(path: Path, root: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return not hidden and path.suffix.lower() in SUFFIXES and path.is_file()
