"""What is picked up from the paths given, under which name, and what is refused."""

import zipfile
from pathlib import Path

import pytest

from assistant.errors import DocumentError
from ingest.files import file_type, find_files


def write(path: Path, content: str | bytes = "text") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_folder_names_documents_by_their_path_and_leaves_hidden_files_out(tmp_path: Path) -> None:
    for name in ("press/HP-250.pdf", "notes.md", ".git/readme.md", "press/.draft.md", "photo.jpg"):
        write(tmp_path / name)
    assert [found.document for found in find_files([tmp_path])] == ["notes.md", "press/HP-250.pdf"]


def test_a_single_file_is_named_by_its_name(tmp_path: Path) -> None:
    assert find_files([write(tmp_path / "deep" / "a.md")])[0].document == "a.md"


def test_later_revisions_come_last(tmp_path: Path) -> None:
    for name in ("m_rev-10.pdf", "m_rev-9.pdf"):
        write(tmp_path / name)
    assert [found.document for found in find_files([tmp_path])] == ["m_rev-9.pdf", "m_rev-10.pdf"]


def test_a_missing_path_and_a_folder_without_manuals_are_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"nowhere does not exist"):
        find_files([tmp_path / "nowhere"])
    write(tmp_path / "photo.jpg")
    with pytest.raises(DocumentError, match=r"holds no manuals\. Accepted are PDF, Word \(DOCX\), Excel"):
        find_files([tmp_path])


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.pdf", b"%PDF-1.7\n", "pdf"),
        ("scan.txt", b"%PDF-1.4\n", "pdf"),
        ("a.md", b"# Title", "markdown"),
        ("page.txt", b"<!DOCTYPE html><p>x", "html"),
        ("a.htm", b"<p>x", "html"),
        ("notes.txt", "报警".encode("gb18030"), "text"),
        ("codes.csv", "代码,原因".encode("gb18030"), "table"),
        ("codes.json", b"[]", "json"),
    ],
)
def test_the_content_decides_the_type_before_the_name(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    assert file_type(write(tmp_path / name, content), 1) == expected


def test_empty_oversized_and_foreign_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"empty\.pdf is empty"):
        file_type(write(tmp_path / "empty.pdf", b""), 1)
    with pytest.raises(DocumentError, match=r"has 2 MB, more than 1 MB.*LINESIDE_INGEST_FILE_MB"):
        file_type(write(tmp_path / "big.md", b"x" * 2_000_001), 1)
    with pytest.raises(DocumentError, match=r"data\.md is not a file that can be read"):
        file_type(write(tmp_path / "data.md", b"\x7fELF\x00\x00"), 1)
    with pytest.raises(DocumentError, match=r"cut\.docx is damaged: its archive cannot be opened"):
        file_type(write(tmp_path / "cut.docx", b"PK\x03\x04\x00\x00"), 1)
    with pytest.raises(DocumentError, match=r"manual\.doc is an old Office file.*DOCX or XLSX"):
        file_type(write(tmp_path / "manual.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), 1)


@pytest.mark.parametrize(
    ("part", "name", "expected"),
    [
        ("word/document.xml", "a.docx", "docx"),
        ("xl/workbook.xml", "b.docx", "table"),
        ("x.txt", "c.docx", ""),
    ],
)
def test_an_archive_is_what_is_in_it(tmp_path: Path, part: str, name: str, expected: str) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr(part, "<x/>")
    if expected:
        assert file_type(tmp_path / name, 1) == expected
        return
    with pytest.raises(DocumentError, match=r"c\.docx is an archive, not a document"):
        file_type(tmp_path / name, 1)


def test_a_text_file_of_many_megabytes_is_no_manual(tmp_path: Path) -> None:
    big = write(tmp_path / "log.txt", b"x" * 1000)
    with big.open("r+b") as stream:
        stream.truncate(201_000_000)
        stream.seek(0)
        stream.write(b"x" * 5000)
    with pytest.raises(DocumentError, match=r"log\.txt has 201 MB of text, more than 50 MB"):
        file_type(big, 500)
