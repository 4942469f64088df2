"""The demonstration plant is what its sources say: complete, searchable and free of contradictions."""

import importlib.util
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pypdfium2
import pytest
import yaml

DEMO = Path(__file__).resolve().parents[1] / "demo"
BUILT = DEMO / "built" / "manuals"
PRESS_B = "HP-250_hydraulic-press_rev-B.pdf"
PRESS_C = "HP-250_hydraulic-press_rev-C.pdf"
LATHE = "TL-42_cnc-lathe_rev-A.pdf"
FACTS = {
    PRESS_B: "press.yaml",
    LATHE: "lathe.yaml",
    "SC-75_screw-compressor_rev-A.pdf": "compressor.yaml",
    "BC-800_belt-conveyor_rev-A.pdf": "conveyor.yaml",
    "ZS-160_注塑机_rev-A.pdf": "imm.yaml",
}
SCANNED_PAGES = {PRESS_B: 2, PRESS_C: 2, LATHE: 1}


def facts(name: str) -> Any:
    return yaml.safe_load((DEMO / "manuals" / name).read_text(encoding="utf-8"))


@cache
def pages(file: str) -> list[str]:
    """The text of each page, lines joined by single blanks."""
    with pypdfium2.PdfDocument(BUILT / file) as document:
        return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


def whole(code: str) -> re.Pattern[str]:
    """Matches a code or number only where it stands alone: E-07 is not in E-070 or SE-07."""
    return re.compile(rf"(?<![\w-]){re.escape(code)}(?![\w-]*\d)")


def joined(text: str) -> str:
    """Text without what a line break may add or take: blanks, and hyphens (PDFium marks them U+FFFE)."""
    return re.sub(r"[\s\-\ufffe\u0002]", "", text)


def value_at(node: Any, path: str) -> Any:
    for segment in path.split("."):
        if isinstance(node, list):
            node = next(r for r in node if segment in {str(r.get(k)) for k in ("id", "code", "no", "item")})
        else:
            node = node[segment]
    return node


def words(value: Any) -> set[str]:
    return {w.strip(".,;:()") for w in " ".join(value if isinstance(value, list) else [str(value)]).split()}


def built_by() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo_build", DEMO / "build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["demo_build"] = module
    spec.loader.exec_module(module)
    return module


def test_the_committed_files_are_built_from_the_committed_sources() -> None:
    check = subprocess.run(
        [sys.executable, DEMO / "build.py", "--check"], capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stderr


def test_a_changed_source_is_noticed_and_named(tmp_path: Path) -> None:
    build = built_by()
    for folder in ("", "manuals", "built", "built/manuals"):
        (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / "plant.yaml").write_text("plant: A\n", encoding="utf-8")
    build.DEMO, build.BUILT = tmp_path, tmp_path / "built"
    build.DIGESTS = tmp_path / "built" / "SOURCES.sha256"
    build.DIGESTS.write_text(build.digests(), encoding="utf-8")
    build.check()
    (tmp_path / "plant.yaml").write_text("plant: B\n", encoding="utf-8")
    with pytest.raises(build.BuildError, match=r"plant\.yaml"):
        build.check()


def test_a_manual_builds_to_the_committed_bytes() -> None:
    build = built_by()
    missing = [n for n in ("typst", *build.FONT_PACKAGES) if importlib.util.find_spec(n) is None]
    if missing:
        pytest.skip(f"building manuals needs {', '.join(missing)}")
    manual = next(m for m in build.CATALOGUE if m.source == "imm.typ")
    data = build.compiled(build.make_compiler(), manual.source, format="pdf", sys_inputs=manual.inputs)
    assert data == (BUILT / manual.file).read_bytes()


def test_every_manual_of_the_plant_exists_with_an_outline() -> None:
    plant = yaml.safe_load((DEMO / "plant.yaml").read_text(encoding="utf-8"))
    named = {file for model in plant["models"].values() for file in model["manuals"]}
    assert named == {path.name for path in BUILT.glob("*.pdf")}
    assert {asset["manual"] for asset in plant["assets"]} <= named
    assert len(plant["assets"]) == len({asset["tag"] for asset in plant["assets"]}) == 30
    assert sum(len(pages(file)) for file in named) >= 80
    assert sum(path.stat().st_size for path in BUILT.glob("*.pdf")) < 8_000_000
    for file in named:
        with pypdfium2.PdfDocument(BUILT / file) as document:
            assert len(list(document.get_toc())) > 20, file


@pytest.mark.parametrize("file", FACTS)
def test_every_fault_code_stands_in_a_table_row_with_its_message(file: str) -> None:
    source = facts(FACTS[file])
    faults = source.get("faults") or source["alarms"]
    assert len({fault["code"] for fault in faults}) == len(faults)
    for fault in faults:
        found = [p for p in pages(file) if whole(str(fault["code"])).search(p)]
        assert found, f"{file}: {fault['code']} is on no page"
        message = joined(str(fault["message"]).split("{")[0])
        assert any(message in joined(page) for page in found), f"{file}: {fault['code']} {message}"


def test_press_and_lathe_are_full_manuals() -> None:
    assert len(facts("press.yaml")["faults"]) >= 45
    assert len(facts("lathe.yaml")["alarms"]) >= 40
    assert len(pages(PRESS_B)) >= 20
    assert len(pages(LATHE)) >= 18


@pytest.mark.parametrize(("file", "count"), SCANNED_PAGES.items())
def test_scanned_pages_are_pictures_without_text(file: str, count: int) -> None:
    assert [number for number, text in enumerate(pages(file)) if not text] == list(
        range(len(pages(file)) - count, len(pages(file)))
    )
    with pypdfium2.PdfDocument(BUILT / file) as document:
        for number in range(len(document) - count, len(document)):
            assert document[number].render(scale=0.2).to_pil().convert("L").getextrema()[0] < 120


@pytest.mark.parametrize(
    ("file", "source", "prefix"), [(PRESS_C, "press.yaml", "44"), (LATHE, "lathe.yaml", "71")]
)
def test_every_part_number_named_is_in_a_parts_list(file: str, source: str, prefix: str) -> None:
    listed = {str(part["part-no"]) for group in facts(source)["parts"].values() for part in group}
    listed |= {str(c["value"]) for c in facts("press-rev-c.yaml")["changes"] if c["path"].endswith("part-no")}
    named = {number for text in pages(file) for number in re.findall(rf"\b{prefix}-\d{{4}}\b", text)}
    assert len(named) > 40
    assert named <= listed


def test_revision_c_differs_from_b_in_the_listed_values_only() -> None:
    """Compares all words of both PDFs from chapter 2 on; page furniture and repeated headings left out."""
    heads = re.compile(
        r"TH-250-EN · Rev\. [BC]|(Code Message|Symptom) Cause Remedy|Item Part no\. Description Qty"
    )

    def body(file: str) -> Counter[str]:
        start = next(n for n, text in enumerate(pages(file)) if "2.1 Intended use The press" in text)
        text = heads.sub("", " ".join(pages(file)[start:]))
        return Counter(word.strip(".,;:()") for word in text.split())

    before = facts("press.yaml")
    changes = facts("press-rev-c.yaml")["changes"]
    old = set().union(*(words(value_at(before, change["path"])) for change in changes))
    new = set().union(*(words(change["value"]) for change in changes))
    furniture = re.compile(r"\d+-\d+|HP-250|Torvane|Presses|Hydraulic|press")
    only_b = {word for word in body(PRESS_B) - body(PRESS_C) if not furniture.fullmatch(word)}
    only_c = {word for word in body(PRESS_C) - body(PRESS_B) if not furniture.fullmatch(word)}
    assert only_b and only_b <= old
    assert only_c and only_c <= new


def test_revision_c_lists_each_change_with_old_and_new_value() -> None:
    before = facts("press.yaml")
    history = " ".join(text for text in pages(PRESS_C)[:6] if "Revision B" in text)
    for change in facts("press-rev-c.yaml")["changes"]:
        for value in (value_at(before, change["path"]), change["value"]):
            first = value[1] if isinstance(value, list) else str(value)
            assert set(first.split()) <= set(history.split()), change["path"]
