"""What breaks a parser is told in one line and harms nothing else."""

import json
import socket
import subprocess
import sys
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
    # Told again every second, so that a caller can stop a parser that tells nothing.
    assert [step for step in dict.fromkeys(told) if step != (0, 0)] == [(1, 3), (2, 3), (3, 3)]
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
    bomb.write_bytes(b"> " * 200_000 + b"\n" + b"- word\n\n" * 5_000_000)
    with pytest.raises(DocumentError, match=r"bomb.md needs more than 256 MB of memory"):
        parse(bomb, memory_mb=256)


def test_an_error_in_the_progress_ends_the_child_and_comes_back() -> None:
    def cancel(_done: int, _total: int) -> None:
        raise InterruptedError("cancelled")

    with pytest.raises(InterruptedError, match="cancelled"):
        parse_in_sandbox(PRESS, "pdf", IngestSettings(), cancel)


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.create_connection(('127.0.0.1', {port}), 2).send(b'secret')",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('touch {folder}/owned')",
        "open('{folder}/owned', 'w').write('x')",
        "import os; os.remove('{folder}/kept')",
        "bytearray(5_000_000_000)",
    ],
)
def test_a_parser_reaches_nothing_and_writes_nothing(tmp_path: Path, attempt: str) -> None:
    (tmp_path / "kept").touch()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        code = attempt.format(port=server.getsockname()[1], folder=tmp_path)
        begin = "from ingest.sandbox_limits import limit_process; limit_process(512, 10)\n"
        done = subprocess.run(
            [sys.executable, "-c", begin + code], capture_output=True, text=True, check=False
        )
        with pytest.raises(TimeoutError):
            server.accept()
    assert done.returncode == 1
    assert any(word in done.stderr for word in ("PermissionError", "MemoryError", "OSError")), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_more_resident_memory_than_allowed_ends_the_child(tmp_path: Path) -> None:
    wide = tmp_path / "wide.html"
    wide.write_text("<html><body>" + "<b>word</b> " * 190_000, encoding="utf-8")
    with pytest.raises(DocumentError, match=r"^wide\.html needs more than 256 MB of memory to read"):
        parse(wide, memory_mb=256)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not DAMAGED.is_dir(), reason="the collections of damaged and scanned PDFs are not here")
def test_every_hostile_file_is_ingested_or_rejected_and_nothing_stored_changes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from ingest.survival import main

    assert main([str(DAMAGED), str(DAMAGED.parent / "scanned_pdf")]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["files"] >= 155 and figures["ingested"] >= 100
    assert figures["crashed"] == [] and 100 <= figures["worker_peak_mb"] <= 1536
    assert figures["stored_before_untouched"] and figures["longest_s"] < 120
