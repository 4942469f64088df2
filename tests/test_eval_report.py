"""The report shows every figure beside its baselines and every failed case, needs nothing, and is safe."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup, Tag

from assistant.errors import StorageError
from assistant.sparse import SparseEncoder
from assistant.trace import Check
from eval.cases import read_suite
from eval.gate import check, goal_states
from eval.metrics.aggregate import Aggregator
from eval.metrics.calibration import calibrated_judge
from eval.metrics.score import ScoredRun, Scorer, score_run
from eval.metrics.support import Support
from eval.rehearsal import KNOWN_BAD, good_results, page_texts
from eval.report.contents import LABELS, Report, collect
from eval.report.page import render_html
from eval.report.summary import escaped, render_markdown
from eval.report.write import write_report
from eval.results import KeptTrace, RankedCause, Result, Run, TriageOutcome
from eval.rules import read_gate

ROOT = Path(__file__).resolve().parents[1]
SUITES = [
    read_suite(ROOT / "eval" / "suites" / f"{name}.jsonl") for name in ("plant-zh", "injection", "triage")
]
CASES = {(suite.name, case.id): case for suite in SUITES for case in suite.cases}
RUN = Run(
    "r-1",
    "2024-05-01T08:00:00+00:00",
    {"lineside": {"hits": 10}},
    "m",
    "",
    "",
    "e",
    "",
    {},
    1,
    "abc",
    {},
    0.0,
)
CHROMIUM = Path("/usr/bin/chromium")
HOSTILE = (
    'ﬁ </script><script>alert(1)</script><img src="https://x.example/a.png"> ![a](https://x.example) | b'
)


@cache
def scorer() -> Scorer:
    return Scorer(calibrated_judge(Support(SparseEncoder())), page_texts(SUITES))


def results() -> Iterator[Result]:
    """Four systems; of Lineside every fifth answer is wrong, and one is hostile."""
    good = [result for suite in SUITES for result in good_results(suite)]
    bad = KNOWN_BAD["cites the wrong page"](good, CASES)
    for n, result in enumerate(good):
        yield bad[n] if n % 5 == 0 else result
        yield from (replace(bad[n], system=system) for system in ("stock_rag", "bm25_quotes"))
        yield replace(bad[n], system="no_documents", hits=None, confidence=None)


def scored(made: list[Result]) -> ScoredRun:
    forms = [
        TriageOutcome(case.id, "triage", (RankedCause(case.cause[0][0], (), (), "a.pdf", 1),))
        for case in SUITES[-1].triage
    ]
    return score_run(RUN, SUITES, made, forms, scorer())


@cache
def report() -> Report:
    made = list(results())
    answer = made[0].answer
    assert answer
    trace = KeptTrace(
        parts=("what was searched",),
        identifiers=("E-217",),
        answerable=0.31,
        draft="what was drafted",
        checks=(Check("literals", False, "45 Nm stands on no passage"),),
    )
    made[0] = replace(made[0], answer=replace(answer, text=HOSTILE, refused=False, trace=trace))
    run, baseline = scored(made), scored([result for suite in SUITES for result in good_results(suite)])
    figures = Aggregator().figures(run)
    gate = read_gate(ROOT / "eval" / "gate.yaml")
    return collect(run, figures, check(run, baseline, gate, figures), baseline, goal_states(gate, figures))


@cache
def page() -> BeautifulSoup:
    return BeautifulSoup(render_html(report()), "html.parser")


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    assert not page().find_all(["script", "img", "link", "iframe", "object"])
    assert not page().find_all(src=True) + page().find_all(href=True)
    assert not re.search(r"url\(|@import", str(page().style))


def test_texts_of_answers_are_shown_and_never_obeyed() -> None:
    assert HOSTILE in page().get_text()
    assert escaped(HOSTILE) not in HOSTILE
    summary = render_markdown(report())
    assert "<script" not in summary and not re.search(r"(?<!\\)!\[|[^\\]\]\(", summary)
    assert escaped("a | b\n# c", 200) == r"a \| b \# c" and escaped("abc def", 3) == "abc …"


def test_systems_stand_side_by_side_with_intervals_and_n() -> None:
    table = next(one for one in page().find_all("table") if one.th and one.th.get_text() == "Metric")
    assert [head.get_text() for head in table.thead.find_all("th")] == ["Metric", *LABELS.values()]
    row = next(row for row in table.find_all("tr") if row.td and row.td.get_text() == "Exact page cited")
    assert "80.0" in row.get_text() or "79." in row.get_text() or "78." in row.get_text()
    assert all(
        re.search(r"\(\d+\.\d–\d+\.\d\)\s*n = \d+", cell.get_text()) for cell in row.find_all("td")[1:]
    )
    recall = next(row for row in table.find_all("tr") if row.td and row.td.get_text() == "Recall@5")
    assert recall.find_all("td")[-1].get_text() == "–"


def test_every_plot_is_there_and_well_formed() -> None:
    titles = [figure.h3.get_text() for figure in page().find_all("figure")]
    assert titles == [
        "Right outcome by kind of question",
        "Exact page cited by kind of question",
        "Gold pages found by number of passages",
        "Risk over coverage",
        "Time to the checked answer",
        "Against run r-1",
    ]
    for drawing in re.findall(r"<svg.*?</svg>", render_html(report()), re.DOTALL):
        root = ElementTree.fromstring(drawing)
        drawn = {shape.tag.split("}")[-1] for shape in root.iter()}
        assert drawn & {"polyline", "rect", "circle"}
        # A figure that could not be computed would stand in a coordinate.
        assert not re.search(r'="[^"]*\b(nan|inf)\b', drawing)


def test_every_failed_case_can_be_judged() -> None:
    failed = {item.case.id: item for item in report().failed}
    assert failed and set(failed) == {item.case.id for item in report().run.of("lineside") if item.reasons}
    shown = {
        block.summary.code.get_text(): block
        for block in page().find_all("details")
        if isinstance(block.summary, Tag) and block.summary.code
    }
    for name, item in failed.items():
        text = " ".join(shown[name].get_text().split())
        assert " ".join(item.case.question.split()) in text and "Retrieved" in text and "Answer" in text
        assert all(" ".join(reason.split()) in text for reason in item.reasons)
    summary = render_markdown(report())
    assert all(escaped(name) in summary for name in failed)


def test_a_failed_case_tells_how_its_answer_came_about() -> None:
    (block,) = (block for block in page().find_all("details") if "what was searched" in block.get_text())
    text = " ".join(block.get_text().split())
    assert "E-217" in text and "answerable 0.31" in text and "what was drafted" in text
    assert "failed literals 45 Nm stands on no passage" in text


def test_before_and_after_says_what_is_significant() -> None:
    exact = next(change for change in report().changes if change.metric.name == "exact_page")
    assert exact.verdict == "worse" and exact.difference.mean < 0
    literal = next(change for change in report().changes if change.metric.name == "language_match")
    assert literal.verdict == "same"
    assert re.search(r"\| Exact page cited \| -\d+\.\d points .* \| worse \|", render_markdown(report()))


def test_a_run_that_was_stopped_says_so_and_still_has_a_report() -> None:
    run = scored([result for suite in SUITES for result in good_results(suite)][:7])
    partial = collect(replace(run, triage=()), Aggregator().figures(run))
    for text in (render_html(partial), render_markdown(partial)):
        assert f"This run is not complete: Lineside 7 of {run.asked} questions." in text.replace("\\", "")
    assert "Nothing is wrong" in render_html(partial)


def test_both_forms_are_written_whole_and_the_same_each_time(tmp_path: Path) -> None:
    page_path, summary_path = write_report(report(), tmp_path / "deep" / "report")
    first = page_path.read_bytes(), summary_path.read_bytes()
    write_report(report(), tmp_path / "deep" / "report")
    assert first == (page_path.read_bytes(), summary_path.read_bytes())
    assert sorted(path.name for path in page_path.parent.iterdir()) == ["report.html", "summary.md"]


def test_an_unwritable_folder_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StorageError, match="The report cannot be written to .*Give another folder"):
        write_report(report(), tmp_path / "file" / "report")


@pytest.mark.browser
def test_the_page_fits_a_phone_and_a_desk_without_complaint(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    page_path, _ = write_report(report(), tmp_path)
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed: apt-get install chromium")
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        for width in (400, 1280):
            opened = browser.new_page(viewport={"width": width, "height": 900})
            opened.on("console", lambda message: complaints.append(message.text))
            opened.goto(page_path.as_uri())
            assert opened.evaluate("document.documentElement.scrollWidth") <= width
            assert opened.locator("svg").first.is_visible() and not complaints
        browser.close()
