"""Codes are found exactly, short ones too, and a code that is not held is never answered by its neighbour."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assistant.app import Lineside, open_lineside
from assistant.identifiers import named_codes, neighbours
from assistant.schema import Question
from assistant.settings import load_settings
from assistant.subjects import distance, heading_code, own_codes
from ingest.commands import build_ingestor

ALARMS = """# 报警 1 - 9999

- [7030：信号太大](#7030)
- [7032：信号太小](#7032)

# 41：参数过高

- 见错误 7030。

# 7030：信号幅度太大

- 编码器信号过大，检查电缆。

## 应用案例

### 2023.07.04

- 报警号 7032 之后出现 7030，换编码器，参数 7031 改为 5。
- 9070：电流限制

# 7032：信号幅度太小

- 检查编码器供电 24V，见报警 7040 - 7050。

# 7090：24V 电源温度过高

- 等待冷却。
"""
ROBOT = [
    {"id": code, "level": 5, "en": {"description": en}, "zh_CN": {"description": zh}}
    for code, en, zh in (
        (16, "The point is close to a singularity", "位置接近奇异点"),
        (17, "No solution of the inverse kinematics", "逆解无解"),
        (19, "Start and end are one point", "起点与终点相同"),
        (42688, "Brake of joint 1 does not open", "关节1抱闸无法打开"),
    )
]
PRESS = """# HP-250 press

| Code | Meaning | Remedy |
|---|---|---|
| E-07 | Oil pressure low | Top up to 24 l |
| E-08 | Oil too hot | After E-07 wait 10 min |

## Bolts

Use M12 bolts on part 44-1180, torque 24 Nm.
"""


@pytest.fixture(scope="module")
def lineside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lineside]:
    folder = tmp_path_factory.mktemp("codes")
    (folder / "报警号.md").write_text(ALARMS, encoding="utf-8")
    (folder / "alarm_robot.json").write_text(json.dumps(ROBOT), encoding="utf-8")
    (folder / "press.md").write_text(PRESS, encoding="utf-8")
    variables = {"LINESIDE_HOME": str(folder / "home"), "LINESIDE_LLM_URL": "http://127.0.0.1:9/v1"}
    with open_lineside(load_settings(variables, folder)) as opened:
        for path in sorted(folder.glob("*.*")):
            assert build_ingestor(opened).ingest(path, path.name).status == "ingested"
        yield opened


@pytest.fixture
def ask(lineside: Lineside) -> Callable[[str], str]:
    """The first passage cited, with its headings; or the refusal."""

    def first(question: str) -> str:
        answer = lineside.answerer.ask(Question(question))
        if answer.refused:
            assert not answer.citations
            return answer.text
        hit = answer.hits[0].chunk
        return f"{hit.heading}\n{hit.text}"

    return first


@pytest.mark.parametrize(
    ("question", "entry"),
    [
        ("报警 7030", "7030：信号幅度太大\n• 编码器信号过大"),
        ("What does error 7032 mean?", "7032：信号幅度太小\n"),
        ("错误代码 41 怎么处理", "41：参数过高\n"),
        ("41号报警", "41：参数过高\n"),
        ("alarm 7090", "7090：24V 电源温度过高\n"),
        ("robot shows alarm 16", "id: 16 | level: 5"),
        ("机器人报警42688", "id: 42688 | level: 5"),
        ("alarm no. 17", "id: 17 | level: 5"),
        ("press shows E08", "Code: E-08 | Meaning: Oil too hot"),
    ],
)
def test_the_entry_of_a_code_comes_before_all_that_mentions_it(
    ask: Callable[[str], str], question: str, entry: str
) -> None:
    assert entry in ask(question)


@pytest.mark.parametrize(
    ("question", "missing", "nearest"),
    [
        ("报警 7031 是什么意思", "7031", "7030"),
        ("What does alarm 7031 mean on the HP-250?", "7031", "7032"),
        ("alarm 18", "18", "17"),
        ("机器人报警 42689", "42689", "42688"),
        ("报警 7040", "7040", "7032"),
        ("E-09 on the press", "E-09", "E-08"),
        ("fault e 09, code 9", "9", ""),
    ],
)
def test_a_missing_code_is_said_to_be_missing_with_its_neighbours(
    ask: Callable[[str], str], question: str, missing: str, nearest: str
) -> None:
    answer = ask(question)
    assert missing in answer and nearest in answer
    assert "not in the manuals" in answer or "没有" in answer


def test_a_code_is_no_answer_for_its_neighbour_named_beside_it(ask: Callable[[str], str]) -> None:
    assert "E-09" in ask("E-08 I know, but E-09?") and "not in the manuals" in ask("E-08 I know, but E-09?")
    assert "E-O9" in ask("E-O9 on the press") and "not in the manuals" in ask("E-O9 on the press")
    assert "Oil pressure low" in ask("press shows E-O7")


def test_a_part_number_that_no_manual_holds_is_said_to_be_missing(ask: Callable[[str], str]) -> None:
    answer = ask("44-1185 what part is that")
    assert "44-1185 is not in the manuals" in answer and "44-1180" in answer


@pytest.mark.parametrize(
    "question",
    [
        "torque of part 44-1180",
        "torque for M10 bolts",
        "may I fill ISO VG 68?",
        "E-07 and E-09 at once",
        "may I use M10 bolts on 44-1180?",
        "E-07 again, 24 l topped up",
        "error 7 mm off",
    ],
)
def test_quantities_and_other_numbers_are_not_taken_for_missing_codes(
    ask: Callable[[str], str], question: str
) -> None:
    assert "not in the manuals" not in ask(question)


@pytest.mark.parametrize(
    ("heading", "in_alarm_list", "elsewhere"),
    [
        ("7030：信号", "7030", ""),
        ("1：参数无效", "1", ""),
        ("7090：24V 电源", "7090", ""),
        ("E-07 Oil pressure", "e07", "e07"),
        ("Alarm 12: stopped", "12", "12"),
        ("ALM 2031", "2031", "2031"),
        ("-1061088875：无响应", "1061088875", ""),
        ("报警号 1 - 999", "", ""),
        ("32000 - 32999", "", ""),
        ("Alarms 7000 to 7999", "", ""),
        ("2023.07.04", "", ""),
        ("1.2 Introduction", "", ""),
        ("3 Torque", "", ""),
        ("24 V supply", "", ""),
    ],
)
def test_a_heading_opens_with_a_code_or_not(heading: str, in_alarm_list: str, elsewhere: str) -> None:
    assert heading_code(heading, True) == in_alarm_list
    assert heading_code(heading, False) == elsewhere


def test_a_row_is_the_entry_of_the_code_in_its_code_column() -> None:
    assert own_codes("Alarm list", (), "No.: 3 | Alarm code: 7030 | Meaning: see 7032") == ("7030",)
    assert own_codes("Manual", ("Parts",), "Part No.: 44-1180 | Name: seal") == ("441180",)
    assert own_codes("Manual", ("Parts",), "Bolts: 16 | Torque: 24") == ()
    assert own_codes("Faults", (), "Code: E-07, E-08 | Cause: oil") == ("e07", "e08")
    assert own_codes("Faults", (), "E-07: low oil\nE-08: no oil") == ("e07", "e08")


def test_what_a_story_below_a_code_tells_is_no_entry() -> None:
    section = ("报警号", "9030：超出限制", "应用案例")
    assert own_codes("报警号", section, "9070：电流限制\n0 | 0.0002") == ("9030",)
    assert distance("9030", "报警号", section, "9070：电流限制") == 1


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("errors 41 and 42", ("41", "42")),
        ("报警号为70", ("70",)),
        ("70号报警", ("70",)),
        ("alarm #7030", ("7030",)),
        ("fault 3 mm off", ()),
        ("alarms 7000 - 7999", ()),
        ("2 alarms today", ()),
        ("the alarming 12", ()),
    ],
)
def test_numbers_that_a_text_calls_codes(text: str, codes: tuple[str, ...]) -> None:
    assert named_codes(text) == codes


def test_neighbours_are_near_and_keep_their_zeros() -> None:
    assert neighbours("e07")[:4] == ("e06", "e6", "e08", "e8")
    assert neighbours("44x") == ()


DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(not (DATA / "zh-faq").is_dir(), reason="the alarm lists are not here")
def test_codes_of_the_alarm_lists_are_found_and_no_neighbour_answers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from eval.codes import main

    assert main(["--data", str(DATA), "--every", "12"]) in {0, 1}
    figures = json.loads(capsys.readouterr().out)
    assert figures["entries"] >= 1900
    for name in ("found", "first", "missing"):
        assert figures[name]["share"] >= 0.999, figures[name]["misses"]
