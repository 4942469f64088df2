"""What breaks a parser is told in one line and harms nothing else."""

import time
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

from assistant.errors import DocumentError
from assistant.schema import ParsedFile
from assistant.settings import IngestSettings
from ingest.files import FileType, file_type
from ingest.sandbox import parse_in_sandbox

MANUALS = Path(__file__).parents[1] / "demo" / "built" / "manuals"
PRESS = MANUALS / "HP-250_hydraulic-press_rev-B.pdf"
DAMAGED = Path(__file__).parents[2] / "shared" / "data" / "robustness" / "damaged_pdf"


def parse(path: Path, kind: FileType | None = None, **limits: float) -> ParsedFile:
    settings = IngestSettings(**limits)  # type: ignore[arg-type]
    return parse_in_sandbox(path, kind or file_type(path, 500), settings, lambda _done, _total: None)


def encrypted(tmp_path: Path, user_password: str) -> Path:
    writer = PdfWriter()
    for page in PdfReader(PRESS).pages[3:5]:
        writer.add_page(page)
    writer.encrypt(user_password, owner_password="owner", algorithm="AES-256")
    path = tmp_path / "vendor.pdf"
    writer.write(path)
    return path


def test_a_manual_comes_through_whole_with_its_progress(tmp_path: Path) -> None:
    writer = PdfWriter()
    for page in PdfReader(PRESS).pages[3:6]:
        writer.add_page(page)
    writer.write(tmp_path / "part.pdf")
    told: list[tuple[int, int]] = []
    parsed = parse_in_sandbox(
        tmp_path / "part.pdf", "pdf", IngestSettings(), lambda done, total: told.append((done, total))
    )
    assert [page.number for page in parsed.pages] == [1, 2, 3]
    assert told == [(1, 3), (2, 3), (3, 3)]
    block = next(block for block in parsed.pages[0].blocks if block.kind == "text")
    assert block.boxes[0].page == 1 and 0 < block.boxes[0].x0 < block.boxes[0].x1 < 1


def test_encryption_with_an_empty_password_is_no_obstacle(tmp_path: Path) -> None:
    assert any("HP-250" in b.text for page in parse(encrypted(tmp_path, "")).pages for b in page.blocks)


def test_a_password_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"^vendor\.pdf is protected by a password\. Save a copy"):
        parse(encrypted(tmp_path, "secret"))


def test_a_damaged_file_is_told_in_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\n" + PRESS.read_bytes()[5000:9000])
    with pytest.raises(DocumentError, match=r"^broken\.pdf is damaged or not a PDF\."):
        parse(broken)


def test_a_file_that_takes_too_long_is_given_up() -> None:
    begun = time.monotonic()
    with pytest.raises(DocumentError, match=r"took longer than 0 s to read\. Split it"):
        parse(PRESS, timeout_s=0.05)
    assert time.monotonic() - begun < 10


def test_a_file_that_needs_too_much_memory_is_given_up(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.md"
    bomb.write_bytes(b"> " * 200_000 + b"\n" + b"word " * 30_000_000)
    with pytest.raises(DocumentError, match=r"memory|nested|stopped"):
        parse(bomb, memory_mb=256)


def test_an_error_in_the_progress_ends_the_child_and_comes_back() -> None:
    def cancel(_done: int, _total: int) -> None:
        raise InterruptedError("cancelled")

    with pytest.raises(InterruptedError, match="cancelled"):
        parse_in_sandbox(PRESS, "pdf", IngestSettings(), cancel)


@pytest.mark.slow
@pytest.mark.skipif(not DAMAGED.is_dir(), reason="the collection of damaged PDFs is not here")
def test_no_damaged_pdf_gets_out_of_hand() -> None:
    outcomes = {"read": 0, "rejected": 0}
    for path in sorted(DAMAGED.glob("*.pdf")):
        begun = time.monotonic()
        try:
            parse(path, timeout_s=60)
            outcomes["read"] += 1
        except DocumentError as problem:
            assert "\n" not in str(problem) and path.name in str(problem)
            outcomes["rejected"] += 1
        assert time.monotonic() - begun < 70, path.name
    assert outcomes["read"] >= 80 and sum(outcomes.values()) >= 140
