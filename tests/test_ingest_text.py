"""Markdown, HTML and text files keep their sections, lists, tables and notices."""

from pathlib import Path

import pytest

from assistant.errors import DocumentError
from assistant.schema import Block, ParsedFile
from ingest.files import FileType
from ingest.text import decode, read_text_file

ALARMS = """- [7030：信号幅度太大](#_7030)
\t- [应用案例](#_case)
- [7032：信号幅度太小](#_7032)

# 7030：信号幅度太大

- 描述：
\t- 编码器信号过大。

# 7032：信号幅度太小

- 描述：
\t- 编码器信号低于 **10 %**。<br>请检查电缆。

| 参数 | 值 |
| --- | --- |
| 幅度 | 0.5 V |
"""


def read(tmp_path: Path, kind: FileType, content: str, name: str = "alarms") -> ParsedFile:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return read_text_file(path, kind)


def blocks(parsed: ParsedFile) -> list[Block]:
    return list(parsed.pages[0].blocks)


def test_a_file_of_many_alarms_is_cut_at_its_headings(tmp_path: Path) -> None:
    parsed = read(tmp_path, "markdown", ALARMS, "报警 7000.md")
    assert parsed.title == "报警 7000"
    assert [(b.text, b.level) for b in blocks(parsed) if b.kind == "heading"] == [
        ("报警 7000", 1),
        ("7030：信号幅度太大", 2),
        ("7032：信号幅度太小", 2),
    ]


def test_a_list_of_anchors_is_dropped_and_a_list_of_texts_is_not(tmp_path: Path) -> None:
    lists = [b.text for b in blocks(read(tmp_path, "markdown", ALARMS)) if b.kind == "list"]
    assert lists == ["• 描述：", "• 编码器信号过大。", "• 描述：", "• 编码器信号低于 10 %。\n请检查电缆。"]


def test_a_row_carries_its_header(tmp_path: Path) -> None:
    rows = [b for b in blocks(read(tmp_path, "markdown", ALARMS)) if b.kind == "table"]
    assert [(b.text, b.header) for b in rows] == [("参数: 幅度 | 值: 0.5 V", "参数 | 值")]


def test_numbered_steps_keep_their_numbers(tmp_path: Path) -> None:
    parsed = read(tmp_path, "markdown", "# Lockout\n\n1. Stop.\n2. Lock.\n3. Test.\n")
    assert parsed.title == "Lockout"
    assert [b.text for b in blocks(parsed)[1:]] == ["1. Stop.", "2. Lock.", "3. Test."]


@pytest.mark.parametrize(
    ("text", "signal"),
    [
        ("**WARNING**: Hot surface.", "WARNING"),
        ("> 警告：高压。", "WARNING"),
        ("**CAUTION**\n\nSharp edges.", "CAUTION"),
        ("> [!DANGER]\n> Crushing.", "DANGER"),
    ],
)
def test_notices_of_markdown_are_found(tmp_path: Path, text: str, signal: str) -> None:
    (notice,) = [
        b for b in blocks(read(tmp_path, "markdown", f"# T\n\n{text}\n\nText.")) if b.kind == "notice"
    ]
    assert notice.signal == signal


def test_a_sentence_that_mentions_a_warning_is_no_notice(tmp_path: Path) -> None:
    parsed = read(tmp_path, "markdown", "# T\n\nWarning C17 was ignored.\n\n注意检查电缆。")
    assert {b.kind for b in blocks(parsed)} == {"heading", "text"}


def test_html_is_read_without_scripts_and_navigation(tmp_path: Path) -> None:
    page = """<html><head><title>x</title><style>p{}</style></head><body>
    <nav><a href="/">Home</a></nav><h1>Pump</h1><ul><li><a href="#a">Faults</a></li></ul>
    <h2 id="a">Faults</h2><p>Stops<br>at once.</p><ol><li>Stop it.</li><li>Lock it.</li></ol>
    <table><tr><th>Code</th><th>Cause</th></tr><tr><td>E-1</td><td>No <b>oil</b></td></tr></table>
    <script>alert(1)</script></body></html>"""
    parsed = read(tmp_path, "html", page)
    assert parsed.title == "Pump"
    assert [(b.kind, b.text) for b in blocks(parsed)] == [
        ("heading", "Pump"),
        ("heading", "Faults"),
        ("text", "Stops\nat once."),
        ("list", "1. Stop it."),
        ("list", "2. Lock it."),
        ("table", "Code: E-1 | Cause: No oil"),
    ]


def test_plain_text_has_sections_too(tmp_path: Path) -> None:
    text = "LUBRICATION\n\nUse oil.\n\n2.1 Interval\n\nEvery 500 h.\n- top up\n- note it\n\n"
    text += "Cooling\n=======\nWater.\n"
    parsed = read(tmp_path, "text", text, "notes.txt")
    assert [b.text for b in blocks(parsed) if b.kind == "heading"] == [
        "notes",
        "LUBRICATION",
        "2.1 Interval",
        "Cooling",
    ]
    assert [b.text for b in blocks(parsed) if b.kind == "list"] == ["- top up", "- note it"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_chinese_text_is_decoded_whatever_its_encoding(encoding: str) -> None:
    text = "伺服驱动器报警代码说明：主轴电机过载时请检查负载并等待冷却。" * 3
    assert decode(text.encode(encoding)) == text


def test_a_file_without_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"empty\.html holds no text"):
        read(tmp_path, "html", "<html><body><img src='x'></body></html>", "empty.html")
