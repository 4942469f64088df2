"""Gradio answers direct HTTP for every handler: so each one refuses by itself, gate or no gate."""

from types import SimpleNamespace

import pytest

from assistant.answer import Final
from assistant.records.accounts import Accounts
from assistant.records.database import open_database
from assistant.schema import Answer
from assistant.trace import Trace
from assistant.web.access import COOKIE, Access
from assistant.web.conversations import Conversations
from assistant.web.failures import NotAllowedError, NotSignedInError
from assistant.web.load import Load
from assistant.web.pages.ask import AskPage
from assistant.web.pages.supervisor import SupervisorPage
from assistant.web.pages.triage import TriagePage

# Nothing behind the handlers: whatever passes the check fails on it.
NOTHING = SimpleNamespace(catalogue=None, store=None)


@pytest.fixture
def accounts(tmp_path):
    engine = open_database("", tmp_path)
    yield Accounts(engine)
    engine.dispose()


@pytest.fixture
def technician(accounts):
    token = accounts.sign_in("mei", accounts.add("mei", "technician"), "10.0.0.7")
    return SimpleNamespace(cookies={COOKIE: token})


def test_the_supervisors_handlers_refuse_a_technician(accounts, technician):
    page = SupervisorPage(NOTHING, Access(accounts), None, "en")
    assert "for supervisors" in page._upload(["/etc/hostname"], "", "", "", technician)[1]
    assert "for supervisors" in page._state(technician)[0]
    with pytest.raises(NotAllowedError):
        page._assets(technician)


@pytest.mark.parametrize(
    ("role", "told"), [("technician", False), ("supervisor", True), ("administrator", True)]
)
def test_why_an_answer_is_so_is_told_to_supervisors_only(accounts, workshop, role, told):
    token = accounts.sign_in("kim", accounts.add("kim", role), "10.0.0.7")
    request = SimpleNamespace(cookies={COOKIE: token})
    answer = Answer("HLP 46.", False, "llm", "en", trace=Trace(parts=("which oil exactly",)))
    answerer = SimpleNamespace(stream=lambda question: iter([Final(answer)]))
    lineside = SimpleNamespace(catalogue=workshop.catalogue, store=workshop.store, answerer=answerer)
    page = AskPage(lineside, Access(accounts), Load(), Conversations(), "en")
    for shown in ([*page._ask("oil?", "", request)][-1][2], [*page._restored(request)][-1][2]):
        assert "HLP 46." in shown and ("which oil exactly" in shown) == told


@pytest.mark.parametrize("cookies", [{}, {COOKIE: "made-up"}])
def test_every_handler_refuses_a_stranger(accounts, cookies):
    stranger = SimpleNamespace(cookies=cookies)
    access = Access(accounts)
    ask = AskPage(NOTHING, access, None, Conversations(), "en")
    assert "Sign in again" in next(ask._ask("oil?", "", stranger))[1]
    with pytest.raises(NotSignedInError):
        next(ask._restored(stranger))
    assert "Sign in again" in next(
        TriagePage(NOTHING, access, None, "en")._rank("PR-01", "x", "", "", stranger)
    )
    for handler in (ask._assets, ask._new, SupervisorPage(NOTHING, access, None, "en")._assets):
        with pytest.raises(NotSignedInError):
            handler(stranger)
