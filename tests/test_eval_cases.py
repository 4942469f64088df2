"""Suites are read strictly: what is wrong is said with its file, line and field, and nothing is guessed."""

import json
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import InputError
from assistant.schema import Answer, Box, Chunk, Citation, Hit, SafetyNotice
from assistant.trace import Check, Trace, TracedHit
from eval.cases import InjectionCase, Place, clusters_of, read_cases, read_suite
from eval.results import (
    Result,
    Run,
    read_results,
    read_run,
    record_answer,
    record_hits,
    result_line,
    write_run,
)

ROOT = Path(__file__).resolve().parents[1]
GOOD: dict[str, Any] = {
    "id": "a-001",
    "question": "torque T-04?",
    "lang": "en",
    "kind": "lookup",
    "asset": "PR-01",
    "history": [],
    "gold": [[{"document": "press.pdf", "page": 5}, {"document": "press.pdf", "page": 30}]],
    "must_contain": [["2100 Nm"]],
    "must_not_contain": ["1850 Nm"],
    "refuse": False,
    "safety": [],
}


def written(tmp_path: Path, *cases: Any) -> Path:
    path = tmp_path / "mine.jsonl"
    lines = [case if isinstance(case, str) else json.dumps(case, ensure_ascii=False) for case in cases]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_every_suite_of_the_project_is_read() -> None:
    for path in sorted((ROOT / "eval" / "suites").glob("*.jsonl")):
        suite = read_suite(path)
        assert suite.name == path.stem
        assert len(suite.cases) + len(suite.triage) == len(path.read_text(encoding="utf-8").splitlines())
    assert all(isinstance(case, InjectionCase) for case in read_cases(ROOT / "eval/suites/injection.jsonl"))


def test_suites_of_strangers_are_read_when_they_are_there() -> None:
    paths = sorted((ROOT.parent / "shared" / "data" / "suites").glob("*.jsonl"))
    if not paths:
        pytest.skip("no ../shared/data/suites here")
    assert all(read_cases(path) for path in paths)


def test_a_case_keeps_its_groups_and_its_document(tmp_path: Path) -> None:
    (case,) = read_cases(written(tmp_path, GOOD, ""))
    assert case.gold == ((Place("press.pdf", 5), Place("press.pdf", 30)),)
    assert case.documents == ("press.pdf",) and case.asks_identifier


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"extra": 1}, "extra"),
        ({"refuse": "no"}, "refuse"),
        ({"lang": "de"}, "lang"),
        ({"kind": "riddle"}, "kind"),
        ({"gold": [[{"document": "press.pdf", "page": True}]]}, "gold.0.0.page"),
        ({"gold": [[{"document": "press.pdf", "page": 0}]]}, "a number from 1"),
        ({"gold": [[]]}, "group of alternatives must not be empty"),
        ({"gold": []}, "needs gold and must_contain"),
        ({"must_contain": []}, "needs gold and must_contain"),
        ({"must_not_contain": [" "]}, "must_not_contain must not hold empty text"),
        ({"refuse": True, "kind": "unanswerable"}, "a case to refuse has no gold"),
        ({"kind": "unanswerable"}, "refuse is true for kind unanswerable"),
        ({"kind": "followup"}, "history belongs to kind followup"),
        ({"question": ""}, "must not be empty"),
    ],
)
def test_a_wrong_case_is_named_with_its_line(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    path = written(tmp_path, GOOD, GOOD | {"id": "a-002"} | change)
    with pytest.raises(InputError) as caught:
        read_cases(path)
    assert f"{path} line 2" in str(caught.value) and said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_field_broken_json_and_a_second_id_are_refused(tmp_path: Path) -> None:
    lacking = {key: value for key, value in GOOD.items() if key != "gold"}
    with pytest.raises(InputError, match="line 1: gold: Field required"):
        read_cases(written(tmp_path, lacking))
    with pytest.raises(InputError, match="line 2: Invalid JSON"):
        read_cases(written(tmp_path, GOOD, '{"id": "a-002", '))
    with pytest.raises(InputError, match="'a-001' is used more than once"):
        read_cases(written(tmp_path, GOOD, GOOD))


def test_missing_empty_and_undecodable_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_cases(tmp_path / "absent.jsonl")
    with pytest.raises(InputError, match="is empty"):
        read_cases(written(tmp_path, ""))
    (tmp_path / "latin.jsonl").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match="cannot be read"):
        read_cases(tmp_path / "latin.jsonl")


def test_a_case_without_gold_stands_with_its_asset_s_manual(tmp_path: Path) -> None:
    refused = {"kind": "unanswerable", "refuse": True, "gold": [], "must_contain": []}
    cases = read_cases(
        written(
            tmp_path,
            GOOD,
            GOOD | refused | {"id": "a-002"},
            GOOD | refused | {"id": "a-003", "asset": None},
        )
    )
    assert clusters_of(cases) == ["press.pdf", "press.pdf", ""]


def test_results_and_runs_come_back_as_they_were_written(tmp_path: Path) -> None:
    chunk = Chunk("c1", "press.pdf", "r", "Press", ("Torques",), 30, 31, "table", "T-04 | 2100 Nm")
    answer = Answer(
        "2100 Nm [1].",
        False,
        "llm",
        "en",
        citations=(Citation(1, "press.pdf", "C", 30, (), chunk.text, "c1", "Torques"),),
        safety=(
            SafetyNotice("DANGER", "Stored energy.", "press.pdf", 6, (Box(6, 0.1, 0.2, 0.9, 0.3),), "n1"),
        ),
        timings_ms={"total": 12.5},
        trace=Trace(
            parts=("torque of T-04?",),
            hits=(TracedHit("c1", "press.pdf", 30, "Torques", 0.5),),
            answerable=0.9,
            draft="2100 Nm [1].",
            checks=(Check("literals", True),),
        ),
    )
    result = Result(
        "a-001", "mine", "lineside", record_answer(answer), record_hits([Hit(chunk, 0.5, True)] * 12), 0.7
    )
    failed = Result("a-002", "mine", "no_documents", None, error="the model server went away")
    path = tmp_path / "results.jsonl"
    path.write_text(result_line(result) + result_line(failed), encoding="utf-8")
    assert read_results(path) == [result, failed]
    assert result.hits and len(result.hits) == 10 and result.hits[0].page_last == 31
    kept = result.answer and result.answer.trace
    assert kept and kept.parts == ("torque of T-04?",) and kept.checks == (Check("literals", True),)
    run = Run(
        "r1",
        "2024-05-01T08:00:00+00:00",
        {"lineside": {"hits": 10}},
        "m",
        "d",
        "",
        "e",
        "h",
        {},
        1,
        "g",
        {},
        1.0,
    )
    write_run(tmp_path / "run.json", run)
    assert read_run(tmp_path / "run.json") == run


def test_a_result_is_an_answer_or_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="either an answer or an error"):
        Result("a-001", "mine", "lineside", None)
    (tmp_path / "run.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="Field required"):
        read_run(tmp_path / "run.json")
