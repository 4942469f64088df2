"""The suites ask what the demonstration manuals answer, on the page they name, and nothing else."""

import base64
import json
import re
import unicodedata
from collections import Counter
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any

import pypdfium2
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
SUITES = ROOT / "eval" / "suites"
MANUALS = ROOT / "demo" / "manuals"
BUILT = ROOT / "demo" / "built" / "manuals"
PLANT = yaml.safe_load((ROOT / "demo" / "plant.yaml").read_text(encoding="utf-8"))

QUESTIONS = ("plant-en", "plant-zh", "plant-cross")
KINDS = ("lookup", "procedure", "code", "troubleshoot", "safety", "multi", "followup", "unanswerable")
IN_FORCE = {model["manuals"][-1]: model["language"] for model in PLANT["models"].values()}
MANUAL_OF = {asset["tag"]: asset["manual"] for asset in PLANT["assets"]}
SIGNAL_WORDS = ("danger", "warning", "caution", "notice", "危险", "警告", "小心", "注意")
# Pages that are pictures, in their order, by the source they were printed from.
SCANS = {
    "HP-250_hydraulic-press_rev-C.pdf": ("press-certificate.typ", "press.yaml"),
    "TL-42_cnc-lathe_rev-A.pdf": ("lathe-geometry.typ", "lathe.yaml"),
}
CASE_FIELDS = {
    "id": str,
    "question": str,
    "lang": str,
    "kind": str,
    "asset": str | None,
    "history": list,
    "gold": list,
    "must_contain": list,
    "must_not_contain": list,
    "refuse": bool,
    "safety": list,
}
TRIAGE_FIELDS = {"id": str, "form": dict, "lang": str} | dict.fromkeys(
    ("cause", "page", "parts", "notice"), list
)
INJECTION_FIELDS = CASE_FIELDS | {"carrier": str, "payload": str, "canary": str}

Case = dict[str, Any]


@cache
def cases(suite: str) -> list[Case]:
    lines = (SUITES / f"{suite}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def questions() -> list[Case]:
    return [case for suite in QUESTIONS for case in cases(suite)]


def folded(text: str) -> str:
    """Text as answers are compared: case, blanks and commas inside numbers do not count."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"(?<=\d),(?=\d)|[\s\ufffe\u0002]", "", text)


@cache
def pages(document: str) -> tuple[str, ...]:
    """The text of each page; where the page is a picture, of the source the picture was printed from."""
    with pypdfium2.PdfDocument(BUILT / document) as pdf:
        texts = [page.get_textpage().get_text_range() for page in pdf]
    scanned = iter(_printed(*SCANS[document]) if document in SCANS else ())
    return tuple(text if text.strip() else next(scanned) for text in texts)


def _printed(source: str, facts: str) -> list[str]:
    values = yaml.safe_load((MANUALS / facts).read_text(encoding="utf-8"))
    text = (MANUALS / source).read_text(encoding="utf-8")
    text = re.sub(r"#facts\.([\w-]+(?:\.[\w-]+)*)", lambda match: str(value_at(values, match[1])), text)
    return text.split("#pagebreak()")


def value_at(node: Any, path: str) -> Any:
    """The value at a dotted path of the facts; rows of a list go by their code, point or item."""
    for key in path.split("."):
        if isinstance(node, list):
            node = next(r for r in node if key in {str(r.get(k)) for k in ("id", "code", "no", "item")})
        else:
            node = node[key]
    return node


def text_of(place: dict[str, Any]) -> str:
    return pages(place["document"])[place["page"] - 1]


def places(groups: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [place for group in groups for place in group]


def documents(groups: list[list[dict[str, Any]]]) -> set[str]:
    return {place["document"] for place in places(groups)}


def holds(place: dict[str, Any], alternatives: list[str]) -> bool:
    text = folded(text_of(place))
    return any(folded(alternative) in text for alternative in alternatives)


def check_gold(name: str, groups: list[list[dict[str, Any]]]) -> None:
    for place in places(groups):
        assert set(place) == {"document", "page"}, name
        assert place["document"] in IN_FORCE, f"{name}: no such manual in force: {place['document']}"
        assert 1 <= place["page"] <= len(pages(place["document"])), f"{name}: page {place['page']}"
    assert all(groups), f"{name}: an empty group of alternatives"


def misplaced(groups: list[list[dict[str, Any]]], wanted: list[list[str]]) -> list[str]:
    """Returns what does not stand where it should: a fact on no gold group, a group that holds no fact."""
    held = [
        [all(holds(place, alternatives) for place in group) for group in groups] for alternatives in wanted
    ]
    lost = [
        f"nowhere: {alternatives}" for alternatives, row in zip(wanted, held, strict=True) if not any(row)
    ]
    idle = [f"idle: {groups[i]}" for i in range(len(groups)) if not any(row[i] for row in held)]
    return lost + idle


@pytest.mark.parametrize("suite", [*QUESTIONS, "triage", "injection"])
def test_cases_have_the_fields_that_the_format_names(suite: str) -> None:
    fields = {"triage": TRIAGE_FIELDS, "injection": INJECTION_FIELDS}.get(suite, CASE_FIELDS)
    for case in cases(suite):
        name = case.get("id", "?")
        optional = {"look"} if suite == "injection" else set()
        assert [key for key in case if key not in optional] == list(fields), name
        assert all(isinstance(case[key], kind) for key, kind in fields.items()), name
        assert case["lang"] in ("en", "zh") and name.startswith(f"{suite}-"), name
    assert len({case["id"] for case in cases(suite)}) == len(cases(suite))


def test_questions_are_of_the_stated_kind_and_about_an_asset_of_the_plant() -> None:
    for case in questions():
        assert case["kind"] in KINDS and case["question"].strip(), case["id"]
        assert case["asset"] is None or case["asset"] in MANUAL_OF, case["id"]
        assert bool(case["history"]) == (case["kind"] == "followup"), case["id"]
        assert [turn["role"] for turn in case["history"]] == ["user", "assistant"] * (
            len(case["history"]) // 2
        )
        if case["asset"]:
            assert {place["document"] for place in places(case["gold"])} <= {MANUAL_OF[case["asset"]]}, case[
                "id"
            ]
        if case["kind"] == "multi":
            assert len(case["gold"]) > 1, case["id"]
    asked = Counter(
        (case["lang"], case["question"], case["asset"], str(case["history"])) for case in questions()
    )
    assert max(asked.values()) == 1, asked.most_common(1)


def test_every_answer_stands_on_its_gold_pages() -> None:
    wrong = {}
    for case in questions() + cases("injection"):
        check_gold(case["id"], case["gold"])
        if problems := misplaced(case["gold"], case["must_contain"]):
            wrong[case["id"]] = problems
        assert case["refuse"] or case["must_contain"], case["id"]
    assert not wrong


def test_a_right_answer_is_never_counted_as_wrong() -> None:
    for case in questions():
        said = [alternative for group in case["must_contain"] for alternative in group] + [case["question"]]
        for wrong in map(folded, case["must_not_contain"]):
            assert not any(wrong in folded(text) for text in said), f"{case['id']}: {wrong}"
            assert not re.fullmatch(r".{,2}|\d[a-z]{1,2}", wrong), (
                f"{case['id']}: {wrong} would match by chance"
            )


def test_safety_words_open_a_notice_on_a_gold_page() -> None:
    for case in questions():
        text = "".join(folded(text_of(place)) for place in places(case["gold"]))
        for words in case["safety"]:
            assert any(signal + folded(words) in text for signal in SIGNAL_WORDS), f"{case['id']}: {words}"


def test_what_revision_c_changed_is_asked_and_the_old_value_is_wrong() -> None:
    before = yaml.safe_load((MANUALS / "press.yaml").read_text(encoding="utf-8"))
    for change in yaml.safe_load((MANUALS / "press-rev-c.yaml").read_text(encoding="utf-8"))["changes"]:
        new, old = folded(str(change["value"])), folded(str(value_at(before, change["path"])))
        assert any(
            any(folded(right) in new for group in case["must_contain"] for right in group)
            and any(folded(wrong) in old and folded(wrong) not in new for wrong in case["must_not_contain"])
            for case in questions()
        ), change["what"]


def test_what_is_refused_is_truly_not_in_the_manuals() -> None:
    absent = yaml.safe_load((SUITES / "absent.yaml").read_text(encoding="utf-8"))
    refused = [case for case in questions() if case["refuse"]]
    assert set(absent) == {case["id"] for case in refused}
    for case in refused:
        assert case["kind"] == "unanswerable" and not case["gold"] + case["must_contain"] + case["safety"]
        searched = [MANUAL_OF[case["asset"]]] if case["asset"] else list(IN_FORCE)
        text = unicodedata.normalize("NFKC", " ".join(page for manual in searched for page in pages(manual)))
        text = " ".join(text.casefold().split())
        for term in map(str.casefold, absent[case["id"]]):
            latin = (
                r"(?<![a-z0-9])" + re.escape(term) + r"(?![a-z0-9])" if term.isascii() else re.escape(term)
            )
            assert not re.search(latin, text), f"{case['id']}: {term} is in {searched}"
    assert not [case["id"] for case in questions() if case["kind"] == "unanswerable" and not case["refuse"]]


def test_cross_language_cases_find_their_answer_in_the_other_language() -> None:
    for case in cases("plant-cross"):
        manuals = {place["document"] for place in places(case["gold"])} or {MANUAL_OF[case["asset"]]}
        assert {IN_FORCE[manual] for manual in manuals} == {"zh" if case["lang"] == "en" else "en"}, case[
            "id"
        ]


def test_suites_are_as_large_as_promised_and_a_quarter_cannot_be_answered() -> None:
    for suite, least in zip(QUESTIONS, (80, 50, 30), strict=True):
        assert len(cases(suite)) >= least
        assert 0.2 <= mean(case["refuse"] for case in cases(suite)) <= 0.3, suite
    assert {case["kind"] for case in questions()} == set(KINDS)
    assert len(cases("triage")) >= 25 and len(cases("injection")) >= 20


def test_the_readme_counts_what_is_there() -> None:
    readme = (SUITES / "README.md").read_text(encoding="utf-8")
    for line in counts():
        assert line in readme, f"eval/suites/README.md should say: {line}"


def counts() -> list[str]:
    """Returns the tables of the README, line by line."""
    by_kind = [
        f"| {kind} | " + " | ".join(str(sum(c["kind"] == kind for c in cases(s))) for s in QUESTIONS) + " |"
        for kind in KINDS
    ]
    total = "| all | " + " | ".join(str(len(cases(suite))) for suite in QUESTIONS) + " |"
    found = Counter(
        document for case in questions() for document in {p["document"] for p in places(case["gold"])}
    )
    return [*by_kind, total, *(f"| {document} | {found[document]} |" for document in IN_FORCE)]


STOP = set(
    "a an and are as at be but by can do does for from get go has have how i if in into is it its just may "
    "me my need no not of off on one or our out over pls so that the them then there they this to up we what "
    "whats when where which while who why will with you".split()
)


def content_words(text: str) -> set[str]:
    """Words by their first five letters in English, pairs of characters in Chinese; no codes or figures."""
    words = re.findall(r"[a-z]{3,}", text.casefold())
    chinese = re.findall(r"[\u4e00-\u9fff]+", text)
    return {w[:5] for w in words if w not in STOP} | {
        run[i : i + 2] for run in chinese for i in range(len(run) - 1)
    }


def overlap(case: Case) -> float:
    """Largest share of the question's content words within three lines of a gold page, 0 to 1."""
    asked = content_words(case["question"])
    shares = [0.0]
    for place in places(case["gold"]):
        lines = text_of(place).splitlines()
        shares += [
            len(asked & content_words(" ".join(lines[i : i + 3]))) / max(len(asked), 1)
            for i in range(len(lines))
        ]
    return max(shares)


def test_questions_are_not_the_manual_s_own_words() -> None:
    asked = [c for c in questions() if c["kind"] in ("lookup", "procedure", "troubleshoot")]
    shares = {case["id"]: overlap(case) for case in asked}
    copied = {name: share for name, share in shares.items() if share > 0.6}
    assert not copied
    assert mean(shares.values()) < 0.4


def test_triage_cases_stand_on_the_fault_tables() -> None:
    for case in cases("triage"):
        form, name = case["form"], case["id"]
        assert list(form) == ["asset", "happened", "code", "tried"] and form["happened"].strip(), name
        check_gold(name, case["page"])
        assert not misplaced(case["page"], case["cause"]), f"{name}: {misplaced(case['page'], case['cause'])}"
        manual = MANUAL_OF[form["asset"]]
        assert documents(case["page"]) == {manual}, name
        text = "".join(folded(page) for page in pages(manual))
        assert all(any(holds(place, [part]) for place in places(case["page"])) for part in case["parts"]), (
            name
        )
        for words in case["notice"]:
            assert any(signal + folded(words) in text for signal in SIGNAL_WORDS), f"{name}: {words}"


def readings(payload: str) -> str:
    """A payload as each way of hiding it can be read: plain, invisible tags, reversed, Base64."""
    tags = "".join(chr(ord(c) - 0xE0000) for c in payload if 0xE0000 < ord(c) < 0xE007F)
    plain = "".join(c for c in payload if unicodedata.category(c) != "Cf")
    coded = [base64.b64decode(run).decode("utf-8") for run in re.findall(r"[A-Za-z0-9+/]{24,}={0,2}", plain)]
    return "\n".join([payload, plain, plain[::-1], tags, *coded])


def test_injection_canaries_come_from_the_payload_alone() -> None:
    manuals = "".join(folded(page) for manual in IN_FORCE for page in pages(manual))
    for case in cases("injection"):
        name, canary = case["id"], case["canary"]
        assert case["carrier"] in ("pdf", "markdown", "work_order", "file_name"), name
        assert canary in readings(case["payload"]), name
        assert folded(canary) not in manuals + folded(case["question"]), name
        assert not any(folded(canary) in folded(text) for group in case["must_contain"] for text in group), (
            name
        )
        if case["carrier"] == "file_name":
            assert len(case["payload"].encode("utf-8")) < 256 and not set(case["payload"]) & set("/\0"), name
    assert len({case["carrier"] for case in cases("injection")}) == 4
