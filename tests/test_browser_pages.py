"""The pages in headless Chromium, on both tablet orientations, against the real application."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.records.lockout import USER_LIMIT
from assistant.schema import Answer, Citation, Conflict, Statement
from assistant.trace import Check, Trace, TracedHit
from assistant.web.links import PageLink
from assistant.web.render import Exchange, exchange

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHROMIUM = Path("/usr/bin/chromium")
LANDSCAPE, PORTRAIT = (1280, 800), (800, 1280)
WAIT_MS = 30_000


@pytest.fixture(scope="module")
def chromium():
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, site):
    """Opens a fresh tablet at the door; afterwards nothing may have left this machine or failed unseen."""
    contexts, strangers, failures = [], [], []

    def watch(request):
        if not request.url.startswith((site.url, "data:", "blob:")):
            strangers.append(request.url)

    def new(size=LANDSCAPE, locale="en-GB", path="/"):
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, locale=locale, has_touch=True
        )
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("request", watch)
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.goto(site.url + path)
        return page

    yield new
    for context in contexts:
        context.close()
    assert not strangers and not failures


def sign_in(page, site, role):
    page.fill("#name", role)
    page.fill("#password", site.passwords[role])
    page.click("button[type=submit]")
    wait_until_loaded(page)


def wait_until_loaded(page):
    """Nothing more comes to the Ask page by itself: the bar knows who is signed in, the machines are there.

    Until then the page has requests under way, which an ended session would answer with the door.
    """
    page.wait_for_selector(".who form")
    page.wait_for_function("document.querySelector('#asset input')?.value")


def choose(page, tag):
    page.click("#asset input")
    page.keyboard.type(tag)
    page.locator(".options li", has_text=tag).first.click()


def ask(page, question):
    page.fill("#question textarea", question)
    page.tap("#ask")
    page.wait_for_selector(f"#past .exchange:has-text({question!r})")


SMALL_TARGETS = """() => [...document.querySelectorAll('button, a, input, textarea, select')]
    .filter(e => e.checkVisibility({opacityProperty: true, visibilityProperty: true}))
    .map(e => [e, (e.closest('label, #asset .wrap') || e).getBoundingClientRect()])
    .filter(([e, r]) => r.width > 1 && (r.width < 44 || r.height < 44))
    .map(([e, r]) => `${e.outerHTML.slice(0, 120)} ${r.width}x${r.height}`)"""
SMALL_TEXTS = """() => {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
    while (walk.nextNode()) {
        const words = walk.currentNode.data.trim(), e = walk.currentNode.parentElement;
        if (!words || !e.checkVisibility() || e.closest('script, style, svg, .sr-only')) continue;
        if (parseFloat(getComputedStyle(e).fontSize) < 18) found.push(words);
    }
    return found; }"""
# WCAG 2 contrast of every visible text against the colour behind it.
FAINT_TEXTS = """() => {
    const parts = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = colour => { const [r, g, b] = parts(colour).map(v => v / 255)
        .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
    const behind = e => { for (; e; e = e.parentElement) { const colour = getComputedStyle(e).backgroundColor;
        if ((parts(colour)[3] ?? 1) > 0.9) return colour; } return 'rgb(255, 255, 255)'; };
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
    while (walk.nextNode()) {
        const words = walk.currentNode.data.trim(), e = walk.currentNode.parentElement;
        if (!words || !e.checkVisibility() || e.closest('script, style, svg, .sr-only, :disabled')) continue;
        const [a, b] = [light(getComputedStyle(e).color), light(behind(e))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < (e.closest('.notice') ? 7 : 4.5)) found.push(`${words.slice(0, 40)} ${ratio.toFixed(2)}`);
    }
    return found; }"""
# Counts pixels of the highlighter's yellow in the page picture.
MARKED_PIXELS = """() => {
    const picture = document.querySelector('.viewer-sheet img'), canvas = document.createElement('canvas');
    canvas.width = picture.naturalWidth; canvas.height = picture.naturalHeight;
    const context = canvas.getContext('2d'); context.drawImage(picture, 0, 0);
    const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
    let count = 0;
    for (let i = 0; i < data.length; i += 4)
        if (data[i] === 255 && data[i + 1] === 224 && data[i + 2] === 77) count++;
    return count; }"""


def assert_fits(page):
    """No sideways scrolling; seen targets are at least 44 px, texts at least 18 px and well readable."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.evaluate(SMALL_TEXTS) == []
    assert page.evaluate(FAINT_TEXTS) == []


def test_a_wrong_password_is_refused_and_too_many_lock_the_door(visit, site):
    page = visit()
    for _ in range(USER_LIMIT):
        page.fill("#name", "nobody")
        page.fill("#password", "wrong")
        page.click("button[type=submit]")
        assert "name or the password is wrong" in page.text_content(".problem")
    page.fill("#name", "nobody")
    page.fill("#password", "wrong")
    page.click("button[type=submit]")
    assert "Too many failed sign-ins" in page.text_content(".problem")
    assert_fits(page)


@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT], ids=["landscape", "portrait"])
def test_ask_and_see_the_cited_page_with_the_passage_marked(visit, site, size):
    page = visit(size)
    sign_in(page, site, "technician")
    choose(page, "PR-01")
    ask(page, "What does alarm E-105 mean?")
    answer = page.locator("#past .exchange").first
    assert answer.get_attribute("data-mode") == "extractive"
    assert "Quoted from the manuals" in answer.inner_text() and "44-2320" in answer.inner_text()
    assert page.locator("#ask").bounding_box()["height"] >= 72
    assert all(box["height"] >= 72 for box in (item.bounding_box() for item in page.locator(".source").all()))
    assert_fits(page)
    answer.locator(".cite").first.tap()
    page.wait_for_selector(".viewer.ready img")
    sheet = page.locator(".viewer-sheet").bounding_box()
    assert 0 <= sheet["y"] < sheet["y"] + sheet["height"] <= size[1], "the page opens out of sight"
    assert page.evaluate(MARKED_PIXELS) > 500
    assert_fits(page)
    page.tap(".viewer-close")
    assert not page.locator(".viewer-open").is_visible()


def test_chinese_from_door_to_answer(visit, site):
    page = visit(PORTRAIT, locale="zh-CN")
    assert page.text_content("button[type=submit]").strip() == "登录"
    sign_in(page, site, "technician")
    choose(page, "IM-01")
    ask(page, "AL-071 怎么处理？")
    answer = page.locator("#past .exchange").first
    assert answer.get_attribute("lang") == "zh"
    assert "手册原文摘录" in answer.inner_text() and "ZS16-4130" in answer.inner_text()
    page.tap(".who a")
    page.wait_for_url(re.compile("/en/ask"))
    assert page.locator("#ask").inner_text() == "Ask"


def test_questions_that_cannot_be_asked_say_why_and_keep_the_text(visit, site):
    page = visit()
    sign_in(page, site, "technician")
    page.fill("#question textarea", "why? " * 10_000)
    page.tap("#ask")
    page.wait_for_selector("#live .problem")
    assert "50,000 characters" in page.text_content("#live .problem")
    assert page.input_value("#question textarea").startswith("why?")
    assert_fits(page)


def test_what_people_type_is_shown_as_text(visit, site):
    page = visit()
    sign_in(page, site, "technician")
    ask(page, "<img src=x onerror='document.title=1'> ${1+1} {{7*7}} padlock key")
    assert "${1+1} {{7*7}}" in page.locator("#past .asked").first.inner_text()
    assert page.locator("#past .asked img").count() == 0 and "Lineside" in page.title()


def test_a_passage_without_a_page_picture_opens_as_text(visit, site):
    page = visit()
    sign_in(page, site, "technician")
    ask(page, "Where is the spare padlock key?")
    page.locator("#past .source", has_text="rules.md").first.tap()
    mark = page.frame_locator(".viewer-sheet iframe").locator("mark")
    assert "cabinet K7" in mark.inner_text()


def test_triage_gives_causes_checks_parts_and_their_page(visit, site):
    page = visit(PORTRAIT)
    sign_in(page, site, "technician")
    page.goto(f"{site.url}/en/triage")
    page.wait_for_selector("#find")
    page.tap("#find")
    page.wait_for_selector("#case .problem:has-text('Choose the machine first')")
    choose(page, "PR-01")
    page.fill("#code textarea, #code input", "E-105")
    page.fill("#happened textarea", "Pressure reads zero, press stopped")
    page.tap("#find")
    cause = page.locator(".cause").first
    cause.wait_for()
    assert "44-2320" in cause.inner_text() and "In stock: 3" in cause.inner_text()
    assert "Similar past work orders" in page.inner_text(".orders")
    assert_fits(page)
    cause.locator(".source").tap()
    page.wait_for_selector(".viewer.ready img")


def test_a_technician_finds_no_way_to_the_supervisors_page(visit, site):
    page = visit()
    sign_in(page, site, "technician")
    assert page.locator(".tabs a", has_text="Manuals").count() == 0
    page.goto(f"{site.url}/en/supervisor")
    assert "for supervisors" in page.inner_text("body")
    status = page.evaluate(
        """async () => { const form = new FormData(); form.append('files', new Blob(['# X']), 'x.md');
            return (await fetch('/api/v1/uploads', {method: 'POST', body: form})).status; }"""
    )
    assert status == 403


def test_a_supervisor_hands_in_a_manual_and_publishes_it(visit, site, tmp_path):
    manual = tmp_path / "Grinder GX-9 guide.md"
    manual.write_text("# Grinder GX-9\n\n## Wheel\n\nTighten the wheel nut to 37 Nm.\n", encoding="utf-8")
    page = visit()
    sign_in(page, site, "supervisor")
    page.tap(".tabs a:has-text('Manuals')")
    page.wait_for_selector(".documents table")
    page.set_input_files("#files input[type=file]", manual)
    page.fill("#model textarea, #model input", "GX-9")
    page.wait_for_selector("#files :text('guide')")
    page.tap("#upload")
    page.wait_for_selector("#told .told")
    page.wait_for_selector(".job[data-state=done]:has-text('waits for approval')")
    review = page.locator(".review", has_text="Grinder")
    assert "read well" in review.inner_text()
    assert page.locator(".documents tr", has_text="Grinder").count() == 0
    assert_fits(page)
    review.locator("button.publish").tap()
    page.wait_for_selector(".documents tr:has-text('Grinder')")
    assert "GX-9" in page.locator(".documents tr", has_text="Grinder").inner_text()
    assert_fits(page)
    page.goto(f"{site.url}/en/ask")
    wait_until_loaded(page)
    ask(page, "How tight is the wheel nut of the grinder?")
    assert "37 Nm" in page.locator("#past .exchange").first.inner_text()


def test_a_supervisor_sees_the_suspicious_pages_of_a_scan_and_rejects_it(visit, site, partly_scanned):
    page = visit()
    sign_in(page, site, "supervisor")
    page.tap(".tabs a:has-text('Manuals')")
    page.wait_for_selector(".documents table")
    page.set_input_files("#files input[type=file]", partly_scanned)
    page.wait_for_selector("#files :text('Scanned')")
    page.tap("#upload")
    review = page.locator(".review", has_text="Scanned press")
    review.wait_for()
    picture = review.locator(".suspicious img").last
    picture.scroll_into_view_if_needed()
    page.wait_for_function("p => p.naturalWidth > 1000", arg=picture.element_handle())
    assert "Page 3" in review.inner_text() and "OCR" in review.inner_text()
    assert_fits(page)
    page.on("dialog", lambda dialog: dialog.accept())
    review.locator("button.reject").tap()
    review.wait_for(state="detached")
    assert page.locator(".documents tr", has_text="Scanned press").count() == 0


def test_an_ended_session_leads_to_the_door_which_says_so_and_back(visit, site):
    page = visit()
    sign_in(page, site, "technician")
    page.goto(f"{site.url}/zh/ask")
    wait_until_loaded(page)
    page.context.clear_cookies()
    page.fill("#question textarea", "What does alarm E-105 mean?")
    page.tap("#ask")
    page.wait_for_selector("#password")
    assert "您已退出登录" in page.text_content(".problem")
    page.fill("#name", "technician")
    page.fill("#password", site.passwords["technician"])
    page.click("button[type=submit]")
    page.wait_for_url(re.compile("/zh/ask"))


def test_answers_survive_a_reload_and_leave_with_the_session(visit, site):
    page = visit()
    sign_in(page, site, "technician")
    ask(page, "What does alarm E-105 mean?")
    page.reload()
    page.wait_for_selector("#past .exchange:has-text('What does alarm E-105 mean?')")
    page.tap(".who a")
    page.wait_for_url(re.compile("/zh/ask"))
    page.wait_for_selector("#past .exchange:has-text('What does alarm E-105 mean?')")
    page.click(".who button")
    page.wait_for_selector("#password")
    sign_in(page, site, "supervisor")
    assert page.locator("#past .exchange").count() == 0 and page.locator("#past .empty").is_visible()


def test_a_session_that_ends_while_the_page_loads_leads_to_the_door(visit, site):
    page = visit()
    sign_in(page, site, "technician")
    page.route(re.compile("queue/join"), lambda route: (page.context.clear_cookies(), route.continue_()))
    page.goto(f"{site.url}/en/ask")
    page.wait_for_selector("#password")
    assert "signed out" in page.text_content(".problem")


@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT], ids=["landscape", "portrait"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_conflicts_closest_pages_and_reasons_fit_the_tablet_and_open_at_one_tap(visit, site, size, language):
    page = visit(size)
    sign_in(page, site, "supervisor")
    page.evaluate(
        "drawn => { document.querySelector('#past .empty').outerHTML = drawn; }", explained(language)
    )
    assert page.locator(".conflict").count() == 2 and page.locator(".closest button.source").count() == 1
    assert not page.locator(".why .traced").first.is_visible()
    for summary in page.locator(".why summary").all():
        assert summary.bounding_box()["height"] >= 72
        summary.tap()
    assert all(panel.is_visible() for panel in page.locator(".why .traced").all())
    stages = [bar.bounding_box()["width"] for bar in page.locator(".stages").first.locator("i").all()]
    assert stages[2] == max(stages) and min(stages) >= 3
    assert_fits(page)


def explained(language):
    """Two exchanges as the page draws them, with all that an answer may carry."""
    cited = Citation(
        1, "HP-250_hydraulic-press_rev-C.pdf", "C", 3, (), "Tighten to 45 Nm.", "c1", "Pump › Bolts"
    )
    order = replace(cited, document="WO-1031", revision="", source="work_order", chunk_id="w1")
    sides = (
        Statement("Tighten to 45 Nm.", "2024-03", cited),
        Statement("Done with 38 Nm.", "2025-11-02", order),
    )
    trace = Trace(
        parts=("How tight are the cover bolts of the hydraulic pump?",),
        identifiers=("44-2320",),
        attributes=("torque",),
        applies_to=("pr-01", "hp-250"),
        hits=tuple(
            TracedHit(
                str(n), cited.document, n + 1, cited.section, 5.0 - n, not n, {"dense": 1.5, "words": -0.25}
            )
            for n in range(12)
        ),
        answerable=0.8,
        prompt_tokens=1850,
        draft="Tighten to 45 Nm [1]. Paint it red.",
        checks=(Check("literals", True), Check("support", False, "'Paint it red.' stands on no passage")),
        timings_ms={
            "retrieve": 20.0,
            "first_token": 420.0,
            "generate": 2420.0,
            "check": 2423.0,
            "total": 2424.0,
        },
    )
    answer = Answer(
        "Tighten to 45 Nm [1].",
        False,
        "llm",
        language,
        (cited,),
        conflicts=(Conflict("work_order", *sides), Conflict("revisions", *sides)),
        trace=trace,
    )
    refusal = Answer("Not held.", True, "llm", language, closest=(cited,), trace=trace)
    done = (Exchange("How tight?", "PR-01", one) for one in (answer, refusal))
    return "".join(exchange(one, LinksAnywhere(), explained=True) for one in done)


class LinksAnywhere:
    """Gives every place a link, as if all of it were held."""

    def of_citations(self, citations):
        return {citation.n: self._link(citation) for citation in citations}

    def in_force(self, citations):
        return {citation: self._link(citation) for citation in citations}

    def of_notices(self, notices):
        return {notice: self._link(notice) for notice in notices}

    def _link(self, place):
        return PageLink("0" * 16, place.document, "C", place.page, 9, "", 0.0, "png")
