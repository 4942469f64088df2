"""A finished answer as the Ask page shows it: conflicts, closest pages, notices, marks, and why it is so."""

import json
import uuid

import pytest
from bs4 import BeautifulSoup

from assistant.contract import answer_document
from assistant.errors import InputError
from assistant.explain import explain, stages_of
from assistant.records.catalogue import Revision
from assistant.records.database import utc_now
from assistant.schema import (
    Answer,
    Box,
    Chunk,
    Citation,
    Conflict,
    PastOrder,
    SafetyNotice,
    Statement,
    TriageForm,
    TriageResult,
)
from assistant.trace import Check, Trace, TracedHit
from assistant.web import render
from assistant.web.links import PageLinks, quoted_in, written_spans
from assistant.web.render import Exchange, exchange

# What a passage, a title, a file name, a work order, a question or a model may hold: all of it stays text.
PAYLOADS = (
    "<img src=x onerror=alert(1)>",
    "[press](javascript:alert(1))",
    "![](http://evil.example/a.png)",
    "</p></article><script>alert(1)</script>",
    '" onmouseover="alert(1)" \'',
    "{{7*7}} ${7*7} www.evil.example",
)
UNSEEN = "\u202e\u2066\u200b\U000e0041"
ALL = " ".join(PAYLOADS)
TRACE = Trace(
    parts=("torque of the cover bolts?", "and the oil?"),
    identifiers=("E-07",),
    attributes=("torque",),
    applies_to=("pr-01", "hp-250"),
    hits=(
        TracedHit("c1", "press.pdf", 3, "Torques", 2.5, True, {"meaning": 1.25, "words": -0.5, "bm25": 17.0}),
        TracedHit("c2", "press.pdf", 9, "Oil", 0.5),
    ),
    answerable=0.91,
    prompt_tokens=1234,
    draft="Tighten to 45 Nm [1]. Paint it red.",
    checks=(Check("literals", True), Check("support", False, "'Paint it red.' stands on no passage")),
    timings_ms={"retrieve": 20.0, "first_token": 420.0, "generate": 1020.0, "check": 1040.0, "total": 1040.2},
)


class Manuals:
    """Manuals that links can point at, in a real catalogue and store."""

    def __init__(self, workshop):
        self._workshop = workshop
        self.links = PageLinks(workshop.catalogue, workshop.store)

    def add(self, document, label="C", text="Tighten to 45 Nm.", title="Press"):
        """A revision in force with one chunk; an earlier one of the document is replaced by it."""
        revision = f"{uuid.uuid4().hex}"
        chunk = Chunk(
            id=str(uuid.uuid4()),
            document=document,
            revision=revision,
            title=title,
            section=(title, "Torques"),
            page=3,
            page_last=4,
            kind="text",
            text=text,
            revision_label=label,
            boxes=(Box(3, 0.1, 0.4, 0.9, 0.6),),
        )
        shop = self._workshop
        shop.store.upsert([chunk], shop.embedder.passages([text]), shop.sparse.passages([text]))
        shop.catalogue.begin(
            Revision(
                revision, document, document, label, title, "0" * 64, (), "building", 9, 0, 0, utc_now(), None
            )
        )
        shop.catalogue.publish(revision, chunks=1)
        return chunk


def cited(chunk, n=1, spans=()):
    return Citation(
        n,
        chunk.document,
        chunk.revision_label,
        chunk.page,
        chunk.boxes,
        chunk.text,
        chunk.id,
        chunk.heading,
        spans=spans,
    )


@pytest.fixture
def manuals(workshop):
    return Manuals(workshop)


def drawn(answer, links, explained=False, question="How tight?"):
    return BeautifulSoup(
        exchange(Exchange(question, "PR-01", answer), links, explained=explained), "html.parser"
    )


def said(page, selector):
    return " ".join(page.select_one(selector).get_text(" ").split())


def test_the_marked_place_is_what_the_answer_rests_on_and_else_the_whole_passage(manuals):
    chunk = manuals.add("press.pdf", text="Tighten to 45 Nm. Then lock it.")
    answer = Answer("45 Nm [1] [2].", False, "llm", "en", (cited(chunk, 1, ((18, 31),)), cited(chunk, 2)))
    place, whole = drawn(answer, manuals.links).select("button.cite")
    assert place["data-spans"] == "18-31" and place["data-url"].endswith(
        f"/3.png?mark={chunk.id}&spans=18-31"
    )
    assert 0.4 < float(place["data-top"]) < 0.6, "the page scrolls to the place"
    assert whole["data-spans"] == "" and whole["data-mark"] == chunk.id and whole["data-top"] == "0.4"


def test_places_survive_an_address_and_nothing_else_is_read_as_places():
    text = "Tighten to 45 Nm. Then lock it."
    assert quoted_in(text, written_spans([(0, 17), (18, 31)])) == ("Tighten to 45 Nm.", "Then lock it.")
    assert quoted_in(text, "") == () and quoted_in(text, "90-99") == ("",)
    for wrong in ("3", "3-", "a-b", "1-2.", "1-2;3-4", "../../x", "1-99999999"):
        with pytest.raises(InputError, match="places cannot be read"):
            quoted_in(text, wrong)


def test_a_notice_opens_its_page_with_the_notice_marked(manuals):
    chunk = manuals.add("press.pdf", text="WARNING Stored pressure.")
    marked = SafetyNotice("WARNING", chunk.text, chunk.document, 3, chunk.boxes, chunk.id)
    plain = SafetyNotice("CAUTION", "Hot oil.", chunk.document, 5)
    first, second = drawn(Answer("x", False, "llm", "en", safety=(marked, plain)), manuals.links).select(
        "button.place"
    )
    assert first["data-mark"] == chunk.id and first["data-url"].endswith(f"/3.png?mark={chunk.id}")
    assert second["data-url"].endswith("/5.png")


def test_a_refusal_offers_the_closest_pages(manuals):
    chunk = manuals.add("press.pdf")
    answer = Answer("Not held.", True, "extractive", "en", closest=(cited(chunk),))
    page = drawn(answer, manuals.links)
    button = page.select_one(".closest button.source")
    assert button["data-url"].startswith(f"/api/v1/pages/{chunk.revision}/3.png")
    assert said(page, ".closest").startswith("Closest pages press.pdf Press › Torques Show page 3")
    document = answer_document(answer)
    assert [place["page"] for place in document["closest"]] == [3] and "trace" not in document


@pytest.mark.parametrize(
    ("language", "head", "applies", "other"),
    [
        ("en", "Two revisions disagree", "Applies here", "Other revision"),
        ("zh", "两个版本说法不一致", "此处适用", "另一版本"),
    ],
)
def test_both_sides_of_a_conflict_stand_with_their_dates_and_the_one_in_force_leads(
    manuals, language, head, applies, other
):
    old = manuals.add("press.pdf", "B", "Tighten to 38 Nm.")
    new = manuals.add("press.pdf", "C", "Tighten to 45 Nm.")
    conflict = Conflict(
        "revisions",
        Statement(new.text, "2024-03", cited(new)),
        Statement(old.text, "2019-11", cited(old)),
    )
    page = drawn(
        Answer("45 Nm [1].", False, "llm", language, (cited(new),), conflicts=(conflict,)), manuals.links
    )
    assert said(page, ".conflict h4") == head
    assert said(page, ".leading").startswith(f"{applies} 2024-03 Tighten to 45 Nm.")
    assert said(page, ".other").startswith(f"{other} 2019-11 Tighten to 38 Nm.")
    # A revision that was replaced is named, but nobody is led to its page.
    assert page.select_one(".leading button.source") and not page.select_one(".other button")
    assert "B" in said(page, ".other .hint") and "press.pdf" in said(page, ".other .hint")


@pytest.mark.parametrize("explained", [True, False])
def test_only_those_who_may_see_it_get_the_reasons(manuals, explained):
    answer = Answer("45 Nm.", False, "llm", "en", trace=TRACE)
    page = drawn(answer, manuals.links, explained)
    assert bool(page.select_one(".why")) == explained
    assert ("torque of the cover bolts?" in str(page)) == explained


def test_the_reasons_show_what_was_searched_found_checked_and_how_long_it_took(manuals):
    page = drawn(Answer("45 Nm.", False, "llm", "en", trace=TRACE), manuals.links, True)
    text = said(page, ".why")
    for words in (
        "Why this answer",
        "and the oil?",
        "E-07",
        "PR-01, HP-250",
        "91 %",
        "1,234",
        "2 passages found",
    ):
        assert words in text, words
    widths = [bar["style"] for bar in page.select(".traced .meter i")]
    assert widths == ["width: 100.0%", "width: 20.0%"]
    assert [said(check, "b") for check in page.select(".checks li")] == ["passed", "failed"]
    assert "stands on no passage" in said(page, ".checks .failed")
    assert said(page, ".traced small").endswith("meaning 1.25 words -0.50")
    grown = [float(bar["style"].removeprefix("flex-grow: ")) for bar in page.select(".stages i")]
    assert grown == pytest.approx([20 / 1040, 400 / 1040, 600 / 1040, 20 / 1040], abs=1e-3)
    chinese = drawn(Answer("45 Nm。", False, "llm", "zh", trace=TRACE), manuals.links, True)
    assert "答案的由来" in said(chinese, ".why") and "扭矩" in said(chinese, ".why")


def test_reasons_that_know_little_are_still_shown(manuals):
    page = drawn(Answer("No.", True, "extractive", "en", trace=Trace()), manuals.links, True)
    assert "0 passages found" in said(page, ".why") and not page.select(".stages")
    assert explain(Trace()) == "Passages found: 0"


def test_the_terminal_and_the_contract_tell_the_same(manuals):
    text = explain(TRACE)
    assert "Searched for: torque of the cover bolts? | and the oil?" in text
    assert "1. 2.500 (identifier) press.pdf, page 3, Torques  [meaning 1.25, words -0.50]" in text
    assert "FAILED support: 'Paint it red.' stands on no passage" in text
    assert "first_token 400 ms" in text and text.endswith("1,040 ms in all")
    document = answer_document(Answer("x", False, "llm", "en", trace=TRACE), explained=True)
    assert json.loads(json.dumps(document))["trace"]["checks"][1]["passed"] is False


def test_stages_are_what_each_took_and_add_up():
    assert stages_of({"generate": 50.0, "retrieve": 20.0, "total": 80.0}) == [
        ("retrieve", 20.0),
        ("generate", 30.0),
        ("total", 30.0),
    ]
    assert stages_of({}) == []


def assert_inert(page):
    """Nothing but the templates' own elements: no picture, link, script or handler."""
    assert not page.select("img, a, script, iframe, form, input, object, link, base")
    for tag in page.find_all(True):
        assert not [name for name in tag.attrs if name.startswith("on") or name in {"href", "src"}], tag
    assert not any(sign in str(page) for sign in UNSEEN)


def test_whatever_manuals_orders_models_and_people_write_stays_text(manuals):
    chunk = manuals.add(f"{UNSEEN}{ALL}.pdf", f"{ALL}", f"{ALL} {UNSEEN}", ALL)
    cite = cited(chunk)
    side = Statement(chunk.text, ALL, cite)
    trace = Trace(
        parts=(ALL,),
        identifiers=(ALL,),
        attributes=(ALL,),
        applies_to=(ALL,),
        hits=(TracedHit("c", chunk.document, 1, ALL, 1.0, True, {ALL: 1.0}),),
        draft=ALL + UNSEEN,
        checks=(Check(ALL, False, ALL),),
        timings_ms={ALL: 5.0},
    )
    answer = Answer(
        f"{ALL}{UNSEEN} [1]",
        False,
        "llm",
        "en",
        (cite,),
        (SafetyNotice("DANGER", ALL + UNSEEN, chunk.document, 3, chunk.boxes, chunk.id),),
        note=ALL,
        conflicts=(Conflict("work_order", side, side),),
        trace=trace,
    )
    refusal = Answer(ALL, True, "llm", "en", closest=(cite,), trace=trace)
    for shown in (answer, refusal):
        page = drawn(shown, manuals.links, True, question=ALL + UNSEEN)
        assert_inert(page)
        for payload in PAYLOADS:
            assert page.get_text().count(payload) >= 5, payload


def test_work_orders_and_triage_stay_text(manuals):
    order = PastOrder(ALL, ALL, ALL, ALL + UNSEEN, ALL, ALL)
    result = TriageResult(TriageForm("PR-01", ALL), "en", (), (order,), (), note=ALL)
    page = BeautifulSoup(render.triage(result, manuals.links), "html.parser")
    assert_inert(page)
    assert page.get_text().count(PAYLOADS[0]) >= 5
