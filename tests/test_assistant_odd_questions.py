"""Odd and hostile questions at every door: a clear reply in a language of the house, and never a stack."""

import json
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from assistant.admission import KEPT_TURNS, MAX_QUESTION, admitted
from assistant.app import open_lineside
from assistant.errors import QuestionError
from assistant.records.accounts import Accounts
from assistant.schema import Asset, Question, TriageForm, Turn
from assistant.settings import load_settings
from assistant.web.access import COOKIE, Access
from assistant.web.conversations import Conversations
from assistant.web.load import Load
from assistant.web.pages.ask import AskPage
from ingest.commands import build_ingestor

PRESS = """# Hydraulic press HP-250

## Faults

### E-07

E-07 means that the oil pressure is low. Replace filter 44-1180.

## Pump

WARNING Stored pressure. Discharge the accumulator first.

Tighten the cover bolts of the hydraulic pump to 45 Nm.

## Oil

Use HLP 46 hydraulic oil, 120 l, changed every 2,000 h.
"""
MOULDER = """# 注塑机 ZS-160

## 故障

AL-071 表示油温过高。检查冷却水。

## 润滑

导轨每周加注润滑脂 15 ml。
"""
LOG = "\n".join(
    f"2026-11-{day:02d} 03:1{day % 10}:22.{day} PLC1 WARN axis=X pos=12.{day} E-07 pump pressure low p={day}"
    for day in range(1, 32)
)[:3000]
# What can be asked, however odd: the question, the language of the reply, and what the first quote must hold.
ODD = {
    "mixed scripts": ("E-07 是什么 und насос 油圧?", "zh", "E-07"),
    "sql": ("'; DROP TABLE chunks; -- E-07", "en", "E-07"),
    "html": ("<script>alert(1)</script><b>E-07</b> <img src=x onerror=alert(1)>", "en", "E-07"),
    "a pasted log": (LOG, "en", "E-07"),
    "german": ("Was bedeutet Fehler E-07 an der Presse?", "en", "E-07"),
    "spanish": ("¿Qué significa el error E-07 de la prensa?", "en", "E-07"),
    "japanese": ("油圧プレスのエラー E-07 の意味は？", "en", "E-07"),
    "russian": ("Что означает ошибка E-07 на прессе?", "en", "E-07"),
    "full width": ("Ｅ－０７ ？", "en", "E-07"),
    "broken characters": ("E-07 \udfff\ud800\x00\x1b[31m what?", "en", "E-07"),
    "turned order": ("\u202e\u2066E-07\u2069\u202c \u200bwhat?", "en", "E-07"),
    "template signs": ("{{7*7}} ${7*7} %s %d {0} {question} E-07 {passages}", "en", "E-07"),
    "markdown": ("![](http://evil.example/a.png) [x](javascript:alert(1)) E-07", "en", "E-07"),
    "line ends": ("\n\r\n\t" * 200 + "E-07" + "\u2028" * 200, "en", "E-07"),
    "one endless word": ("a" * MAX_QUESTION, "en", ""),
    "only digits": ("9" * 3000, "en", ""),
    "a chinese question": ("AL-071 怎么处理？", "zh", "AL-071"),
}
UNASKABLE = {
    "empty": ("", "empty"),
    "blanks": (" \n\t\u3000", "empty"),
    "invisible": ("\u200b\u2060\ufeff\ud800", "empty"),
    "emoji": ("😀🔥🛠️❓", "no words"),
    "punctuation": ("?!… ——", "no words"),
    "50,000 characters": ("x" * 50_000, "50,000 characters"),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with two small manuals and a technician; no model server, so passages are quoted."""
    folder = tmp_path_factory.mktemp("odd")
    variables = {"LINESIDE_HOME": str(folder / "home"), "LINESIDE_LLM_URL": "http://127.0.0.1:9/v1"}
    with open_lineside(load_settings(variables, folder)) as lineside:
        lineside.plant.add_assets([Asset("PR-01", "Press 1", "HP-250"), Asset("IM-01", "1号机", "ZS-160")])
        ingestor = build_ingestor(lineside)
        for name, text, model in (("press.md", PRESS, "HP-250"), ("注塑机.md", MOULDER, "ZS-160")):
            (folder / name).write_text(text, encoding="utf-8")
            assert ingestor.ingest(folder / name, name, model=model).status == "ingested"
    shutil.copytree(folder / "home", folder / "copy")  # one process holds a home at a time
    return variables, folder


@pytest.fixture(scope="module")
def lineside(home):
    variables, folder = home
    with open_lineside(load_settings(variables, folder)) as opened:
        yield opened


@pytest.fixture(scope="module")
def page(lineside):
    """Asks on the Ask page of a language, as a signed-in technician; gives the last thing it showed."""
    accounts = Accounts(lineside.engine)
    token = accounts.sign_in("mei", accounts.add("mei", "technician"), "10.0.0.7")
    request = SimpleNamespace(cookies={COOKIE: token})

    def ask(text, language):
        opened = AskPage(lineside, Access(accounts), Load(), Conversations(), language)
        shown = list(opened._ask(text, "", request))[-1]
        return next(part for part in shown[1:3] if isinstance(part, str) and part)

    return ask


@pytest.mark.parametrize("name", ODD)
def test_what_can_be_asked_is_answered_in_a_language_of_the_house(lineside, name):
    text, language, held = ODD[name]
    answer = lineside.answerer.ask(Question(text))
    assert answer.language == language and answer.text.strip()
    assert answer.refused or answer.citations
    if held:
        assert not answer.refused and held in answer.citations[0].quote


@pytest.mark.parametrize("name", UNASKABLE)
def test_what_cannot_be_asked_is_told_in_one_line(lineside, name):
    text, line = UNASKABLE[name]
    with pytest.raises(QuestionError, match=line) as refusal:
        lineside.answerer.ask(Question(text))
    assert "\n" not in str(refusal.value) and len(str(refusal.value)) < 200
    with pytest.raises(QuestionError) as refusal:
        lineside.triage.rank(TriageForm("PR-01", text))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", [*ODD, *UNASKABLE])
def test_the_page_shows_every_odd_question_as_text(page, language, name):
    text = (ODD | UNASKABLE)[name][0]
    shown = page(text, language)
    assert "<script" not in shown and "<img" not in shown and "<b>E-07" not in shown and "href" not in shown
    assert "\u202e" not in shown and "\x1b" not in shown and "Traceback" not in shown
    if name in UNASKABLE:
        chinese = any("\u4e00" <= sign <= "\u9fff" for sign in shown)
        assert 'role="alert"' in shown and chinese == (language == "zh")
    else:
        assert 'class="exchange"' in shown and 'role="alert"' not in shown


def test_a_batch_answers_all_it_can_and_says_which_could_not_be_asked(home, tmp_path):
    texts = {**ODD, **UNASKABLE}
    batch, out = tmp_path / "odd.jsonl", tmp_path / "answers.jsonl"
    lines = [json.dumps({"id": name, "question": texts[name][0]}) for name in texts]
    batch.write_text("\n".join(lines), encoding="utf-8")
    done = command("ask", "--batch", batch, "--out", out, home=home[1] / "copy")
    answers = {answer["id"]: answer for answer in map(json.loads, out.read_text("utf-8").splitlines())}
    assert list(answers) == list(texts) and done.returncode == 1
    assert {name for name, answer in answers.items() if "error" in answer} == set(UNASKABLE)
    assert f"{len(UNASKABLE)} of {len(texts)} questions could not be asked" in done.stderr
    assert "Traceback" not in done.stderr


def command(*arguments, home):
    """Runs `lineside` as a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LINESIDE_")}
    return subprocess.run(
        [sys.executable, "-m", "assistant", *arguments],
        env={**kept, "LINESIDE_LLM_URL": "http://127.0.0.1:9/v1", "LINESIDE_HOME": str(home)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([""], "empty"),
        (["😀🔥"], "no words"),
        (["x" * 50_000], "50,000 characters"),
        ([b"\xff\xfe"], "empty"),
        (["oil?", "--asset", "R" * 5_000], "is known here"),
        (["oil?", "--asset", "\u202e9-TEKCOR"], "'9-TEKCOR' is known here"),
    ],
)
def test_the_command_ends_with_one_line_and_exit_code_2(tmp_path, arguments, line):
    done = command("ask", *arguments, home=tmp_path / "home")
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    (told,) = [each for each in done.stderr.splitlines() if each]
    assert told.startswith("lineside: ") and line in told and len(told) < 300


def test_a_history_of_any_size_is_cut_to_what_a_follow_up_can_lean_on(lineside):
    endless = tuple(Turn("user", f"{'pump pressure ' * 20_000}{number}") for number in range(60))
    question = admitted(Question("and the oil?", "PR-01", endless))
    assert len(question.history) == KEPT_TURNS
    assert all(len(turn.content) <= MAX_QUESTION for turn in question.history)
    assert lineside.answerer.ask(Question("and the oil?", "PR-01", endless)).text


@pytest.mark.slow
def test_programs_get_the_same_over_http(site):
    with site.client("technician") as client:
        for name, (text, language, _) in ODD.items():
            sent = json.dumps({"question": text}).encode()
            reply = client.post("/api/v1/ask", content=sent, headers={"content-type": "application/json"})
            assert reply.status_code == 200, (name, reply.text)
            assert reply.json()["language"] == language, name
        for text, line in UNASKABLE.values():
            sent = json.dumps({"question": text}).encode()
            reply = client.post("/api/v1/ask", content=sent, headers={"content-type": "application/json"})
            assert reply.status_code == 400 and line in reply.json()["error"]
        deep = b'{"question": "oil?", "history": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"
        reply = client.post("/api/v1/ask", content=deep, headers={"content-type": "application/json"})
        assert reply.status_code == 400 and list(reply.json()) == ["error"]
