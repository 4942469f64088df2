"""What a dataset is made of: the manuals' own words, serving's own prompt, nothing that evaluation asks."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from assistant.app import open_lineside
from assistant.errors import InputError
from assistant.grounding import Grounder
from assistant.identifiers import find_identifiers
from assistant.prompt import REFUSAL, Style
from assistant.schema import Chunk, Question, Turn
from assistant.settings import load_settings
from finetune.card import card_of
from finetune.dataset import Made, Plan, make_examples, open_passages, write_dataset
from finetune.example import read_examples, wire_messages
from finetune.facts import facts_of
from finetune.noise import WAYS, Noise
from finetune.overlap import Overlap, SuiteQuestion
from finetune.passages import numbers_of
from finetune.sources import source_of_home
from ingest.commands import build_ingestor

PRESS = """# Press manual

## Faults

| Code | Message | Cause | Remedy |
| --- | --- | --- | --- |
| E-07 | Oil low | 1. Leak in the line 2. Tank not filled | 1. Tighten the joint to 45 Nm 2. Fill 120 L |
| E-09 | Oil too hot | 1. Cooler blocked | 1. Wash the cooler below 60 bar |
| E-12 | Ram drifts | 1. Valve Y3 leaks | 1. Replace valve 44-1180 |

## Torques

| Joint | Thread | Torque |
| --- | --- | --- |
| Cover bolts | M12 | 85 Nm |
| Tie rods | M48 | 1,250 Nm |
| Pump flange | M16 | 210 Nm |

## Spare parts

| Item | Part no. | Description | Qty |
| --- | --- | --- | --- |
| 1 | 44-1180 | Check valve of the pilot line | 2 |
| 2 | 44-1310 | Main pump with shaft seal | 1 |

## Changing the oil filter

WARNING: Hot oil burns. Let the tank cool below 40 °C.

1. Close valve V2 and hang up a lock.
2. Unscrew the bowl and drain 2 L.
3. Fit the element 44-2210 and tighten the bowl to 25 Nm.
"""
MOULDER = """# 注塑机手册

## 报警代码

| 代码 | 显示信息 | 可能原因 | 处理方法 |
| --- | --- | --- | --- |
| AL-015 | 系统压力不足 | 1. 溢流阀卡开 2. 滤网堵塞 | 1. 清洗溢流阀 2. 更换滤网 ZS16-3105 |
| AL-021 | 油温过高 | 1. 冷却水不足 | 1. 检查水阀 YW1，水压不低于 0.2 MPa |

## 拧紧力矩

| 编号 | 连接部位 | 拧紧力矩 |
| --- | --- | --- |
| N7 | 头板固定螺栓 | 640 N·m |
| N19 | 主电源端子 | 12 N·m |
"""


LATHE = """# Lathe manual

## Alarms

| Code | Message | Cause | Remedy |
| --- | --- | --- | --- |
| K-01 | Chuck open | 1. Pedal pressed | 1. Close the chuck |
"""


@dataclass(frozen=True)
class Home:
    """A home with three small manuals, and a dataset of it."""

    path: Path
    chunks: dict[str, list[Chunk]]
    made: Made
    plan: Plan


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("plant")
    manuals = {"press.md": PRESS, "moulder.md": MOULDER, "lathe.md": LATHE}
    asked = SuiteQuestion("suite.jsonl", "1", "What does E-09 stand for?", ("press.md",))
    plan = Plan(examples=60, held_out=("lathe",), questions=(asked,))
    with _opened(folder) as lineside:
        for name, text in manuals.items():
            path = folder / "in" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            outcome = build_ingestor(lineside).ingest(path, name, model=path.stem)
            assert outcome.status == "ingested", outcome.reason
        lineside.store.optimize()
        made = make_examples(lineside, source_of_home(folder), plan, lambda _line: None)
        chunks = {
            revision.document: lineside.store.section(revision.id, 0, 999)
            for revision in lineside.catalogue.revisions("visible")
        }
    return Home(folder, chunks, made, plan)


def _opened(folder: Path, **variables: str):  # type: ignore[no-untyped-def]
    return open_lineside(load_settings({"LINESIDE_HOME": str(folder), **variables}, folder))


def test_answers_state_what_the_manual_states(home: Home) -> None:
    said = {fact.statements for chunk in home.chunks["press.md"] for fact in facts_of(chunk)}
    assert ("Torque for Cover bolts: 85 Nm",) in said
    assert ("Check valve of the pilot line: part number 44-1180",) in said
    assert (
        "E-09: Oil too hot",
        "Possible cause: Cooler blocked",
        "Wash the cooler below 60 bar",
    ) in said
    steps = next(
        fact.statements
        for chunk in home.chunks["press.md"]
        for fact in facts_of(chunk)
        if fact.kind == "procedure"
    )
    assert steps[2] == "3. Fit the element 44-2210 and tighten the bowl to 25 Nm."
    chinese = {fact.statements for chunk in home.chunks["moulder.md"] for fact in facts_of(chunk)}
    assert ("头板固定螺栓的拧紧力矩：640 N·m",) in chinese


def test_every_answer_points_into_its_own_prompt(home: Home) -> None:
    answered = [example for example in home.made.examples if not example.refused]
    assert {example.language for example in answered} == {"en", "zh"}
    assert {"fault", "specification", "part", "procedure"} <= {example.kind for example in answered}
    for example in answered:
        shown = example.messages[-1]["content"]
        marks = re.findall(r"\d+" if example.style == "point" else r"\[(\d+)\]", example.answer)
        assert marks and all(f"[{mark}] " in shown for mark in marks), example


def test_some_questions_have_no_answer_in_their_passages(home: Home) -> None:
    refused = [example for example in home.made.examples if example.refused]
    assert 0.1 < len(refused) / len(home.made.examples) < 0.45
    assert {example.style for example in refused} == {"point", "write"}
    for example in refused:
        assert example.answer == ("none" if example.style == "point" else REFUSAL[example.language])


def test_a_document_is_on_one_side_and_evaluation_is_left_alone(home: Home) -> None:
    sides: dict[str, set[str]] = {}
    for example in home.made.examples:
        sides.setdefault(example.document, set()).add(example.split)
    assert all(len(side) == 1 for side in sides.values())
    assert "lathe.md" not in sides and "press.md" in sides
    assert all("K-0" not in example.messages[-1]["content"] for example in home.made.examples)
    asked = {"".join(example.question.casefold().split()).strip("?") for example in home.made.examples}
    assert "whatdoese-09standfor" not in asked


def test_a_follow_up_comes_with_what_it_follows(home: Home) -> None:
    following = [example for example in home.made.examples if example.kind == "follow-up"]
    assert following
    for example in following:
        assert example.messages[-1]["content"].count("\n") > 2


def test_the_same_seed_makes_the_same_dataset(home: Home, tmp_path: Path) -> None:
    few = replace(home.plan, examples=12)
    with _opened(home.path) as lineside:
        one, again, other = (
            make_examples(lineside, home.made.source, plan, lambda _line: None)
            for plan in (few, few, replace(few, seed=8))
        )
    assert one.examples == again.examples != other.examples
    card = card_of(few, [one], [])
    digest = write_dataset(tmp_path, [one], card)
    assert write_dataset(tmp_path, [again], card) == digest
    assert digest in (tmp_path / "README.md").read_text(encoding="utf-8")
    train = list(read_examples(tmp_path / "train.jsonl"))
    assert sorted(e.id for e in train) == sorted(e.id for e in one.examples if e.split == "train")


def test_the_card_tells_licence_counts_and_what_was_left_out(home: Home) -> None:
    card = card_of(home.plan, [home.made], [])
    assert home.made.source.licence in card
    assert f"| all | {len(home.made.examples)} |" in card
    assert "lathe.md" in card
    assert all(f"| {reason} | {count} |" in card for reason, count in home.made.dropped.items())


def test_a_home_without_manuals_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no home of Lineside"):
        source_of_home(tmp_path)


@pytest.mark.parametrize(
    "question",
    ["What does E-07 mean for part 44-1180 at 0.5-0.75 in?", "请问更换 ZS16-3105 滤网的步骤是什么？"],
)
def test_noise_never_touches_codes_and_figures(question: str) -> None:
    noise, chance = Noise(1.0, WAYS), random.Random(3)
    noisy = {noise.applied(question, chance)[0] for _ in range(60)}
    assert noisy != {question}
    for text in noisy:
        assert find_identifiers(text) == find_identifiers(question)
        assert [c for c in text if c.isdigit()] == [c for c in question if c.isdigit()]


def test_without_noise_questions_stay_as_they_are() -> None:
    assert Noise(0.0).applied("What is the torque?", random.Random(1)) == ("What is the torque?", ())


def test_a_question_of_a_suite_is_known_in_other_clothes() -> None:
    suite = [
        SuiteQuestion("s", "1", "How tight do the four bolts of the pump cover have to be?", ()),
        SuiteQuestion("s", "2", "E-07", ()),
        SuiteQuestion("s", "3", "更换高压软管以后要不要排气", ()),
    ]
    overlap = Overlap(
        suite, ["one two three four five six seven eight nine ten eleven twelve thirteen fourteen"]
    )
    assert overlap.in_questions("tell me HOW TIGHT do the four bolts of the pump cover sit")
    assert overlap.in_questions("e-07 ?")
    assert overlap.in_questions("请问更换高压软管以后要不要排气？")
    assert not overlap.in_questions("How tight are the bolts of the gearbox?")
    assert not overlap.in_questions("E-08")
    assert overlap.in_passages(
        "Zero, one two three four five six seven eight nine ten eleven twelve thirteen."
    )
    assert not overlap.in_passages("one two three four five six seven")


@pytest.fixture
def listening() -> Iterator[tuple[str, list[dict[str, object]]]]:
    """A server that keeps what it is asked and has no answer."""
    bodies: list[dict[str, object]] = []

    class Keeper(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keeper)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1", bodies
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("style", ["point", "write"])
@pytest.mark.parametrize(
    "question",
    [
        Question("How tight are the cover bolts?", None),
        Question("头板固定螺栓的拧紧力矩是多少？", None),
        Question(
            "and the thread?",
            None,
            (Turn("user", "Torque of the cover bolts?"), Turn("assistant", "85 Nm [1].")),
        ),
    ],
)
def test_training_reads_what_serving_sends(
    home: Home, listening: tuple[str, list[dict[str, object]]], question: Question, style: Style
) -> None:
    address, bodies = listening
    with _opened(home.path, LINESIDE_LLM_URL=address, LINESIDE_LLM_STYLE=style) as lineside:
        answer = lineside.answerer.ask(question)
        passages = open_passages(lineside, Grounder(lineside.sparse), home.made.splits)
        prompt = passages.served(question, (), style)
    assert answer.mode == "extractive" and not answer.refused
    assert bodies[0]["messages"] == list(wire_messages(prompt))


def test_gold_left_out_means_that_no_passage_shows_the_answer(home: Home) -> None:
    chunk = next(c for c in home.chunks["press.md"] if "Cover bolts" in c.text)
    said, chance = "Torque for Cover bolts: 85 Nm", random.Random(1)
    asked = Question("What is the torque of the cover bolts?")
    with _opened(home.path) as lineside:
        passages = open_passages(lineside, Grounder(lineside.sparse), home.made.splits)
        without = passages.without_gold(asked, chunk, f"{said}.", "write", chance)
        given = passages.with_gold(asked, chunk, (said,), "point", chance)
    assert without and given
    assert "85 Nm" not in str(without.prompt.messages[-1].content) and without.prompt.shown
    (number,) = numbers_of(given.prompt, given.gold)
    assert "85 Nm" in given.prompt.claims[number - 1] and len(given.prompt.claims) > 1
