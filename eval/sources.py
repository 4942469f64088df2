"""The documents' own words, read without Lineside's ingestion, to hold its notices against."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from assistant.errors import InputError


def read_page_texts(folders: Iterable[Path]) -> dict[tuple[str, int], str]:
    """The text of each page of the documents below some folders.

    Args:
        folders: where the documents lie; a document is named by its path below its folder.

    Returns:
        Text by document and page (from 1). PDF pages that are pictures have empty text; other files are one
        page.

    Raises:
        InputError: a folder is missing, or a PDF cannot be opened.
    """
    texts: dict[tuple[str, int], str] = {}
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"{folder} is no folder of documents")
        texts |= read_documents(
            {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
        )
    return texts


def read_documents(documents: Mapping[str, Path]) -> dict[tuple[str, int], str]:
    """As read_page_texts, for files by the name of their document; other types of files are left out."""
    texts: dict[tuple[str, int], str] = {}
    for name, path in documents.items():
        if path.suffix.casefold() == ".pdf":
            texts |= {(name, number): text for number, text in enumerate(_pdf_pages(path), start=1)}
        elif path.suffix.casefold() in {".md", ".txt", ".html", ".htm"}:
            texts[name, 1] = path.read_text(encoding="utf-8", errors="replace")
    return texts


def _pdf_pages(path: Path) -> list[str]:
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(path) as pdf:
            return [page.get_textpage().get_text_range() for page in pdf]
    except pypdfium2.PdfiumError as problem:
        raise InputError(f"{path} cannot be opened: {problem}") from problem
