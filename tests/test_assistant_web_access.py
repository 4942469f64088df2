"""Gradio answers direct HTTP for every handler: so each one refuses by itself, gate or no gate."""

from types import SimpleNamespace

import pytest

from assistant.records.accounts import Accounts
from assistant.records.database import open_database
from assistant.web.access import COOKIE, Access
from assistant.web.failures import NotAllowedError, NotSignedInError
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


@pytest.mark.parametrize("cookies", [{}, {COOKIE: "made-up"}])
def test_every_handler_refuses_a_stranger(accounts, cookies):
    stranger = SimpleNamespace(cookies=cookies)
    access = Access(accounts)
    ask = AskPage(NOTHING, access, None, "en")
    assert "Sign in again" in next(ask._ask("oil?", "", [], stranger))[1]
    assert "Sign in again" in next(
        TriagePage(NOTHING, access, None, "en")._rank("PR-01", "x", "", "", stranger)
    )
    for handler in (ask._assets, ask._new, SupervisorPage(NOTHING, access, None, "en")._assets):
        with pytest.raises(NotSignedInError):
            handler(stranger)
