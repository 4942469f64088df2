"""Users, sessions and the lockout, on a real database."""

import json
import re

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from assistant.commands.users import app
from assistant.errors import AccessError, InputError
from assistant.records.accounts import Accounts, TooManyAttemptsError, User
from assistant.records.database import open_database
from assistant.records.lockout import ADDRESS_LIMIT, USER_LIMIT, WINDOW_S, Lockout


class Clock:
    """A clock that the test moves."""

    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def engine(tmp_path):
    engine = open_database("", tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture
def accounts(engine, clock):
    return Accounts(engine, session_hours=1, clock=clock)


def test_the_printed_password_opens_a_session_until_it_expires(accounts, clock):
    password = accounts.add("Mei", "technician")
    token = accounts.sign_in("mei", password, "10.0.0.7")
    assert accounts.session_user(token) == User("Mei", "technician")
    clock.now += 3601
    assert accounts.session_user(token) is None
    assert accounts.session_user("made up") is None


def test_neither_passwords_nor_tokens_can_be_read_from_the_database(accounts, engine):
    password = accounts.add("mei", "technician")
    token = accounts.sign_in("mei", password, "10.0.0.7")
    with engine.connect() as connection:
        stored = str(
            [list(connection.execute(text(f"SELECT * FROM {name}"))) for name in ("users", "sessions")]
        )
    assert password not in stored and token not in stored
    assert "$argon2id$" in stored


def test_a_user_is_locked_out_after_wrong_passwords_even_with_the_right_one(accounts, clock):
    password = accounts.add("mei", "technician")
    for _ in range(USER_LIMIT):
        with pytest.raises(AccessError, match="name or the password"):
            accounts.sign_in("mei", "wrong", "10.0.0.7")
    with pytest.raises(TooManyAttemptsError, match="Try again in 15|16 minutes"):
        accounts.sign_in("MEI", password, "10.0.0.8")
    clock.now += WINDOW_S + 1
    assert accounts.sign_in("mei", password, "10.0.0.7")


def test_an_address_that_tries_many_names_is_locked_out_and_others_are_not(accounts, engine, clock):
    password = accounts.add("mei", "technician")
    lockout = Lockout(engine, clock)
    assert not any(lockout.attempt(f"guess{number}", "10.0.0.66") for number in range(ADDRESS_LIMIT))
    with pytest.raises(TooManyAttemptsError):
        accounts.sign_in("mei", password, "10.0.0.66")
    assert accounts.sign_in("mei", password, "10.0.0.7")


def test_success_forgets_earlier_failures(accounts):
    password = accounts.add("mei", "technician")
    for _ in range(2):
        for _ in range(USER_LIMIT - 1):
            with pytest.raises(AccessError):
                accounts.sign_in("mei", "wrong", "10.0.0.7")
        accounts.sign_in("mei", password, "10.0.0.7")


def test_reset_and_remove_end_sessions(accounts):
    old = accounts.add("mei", "supervisor")
    token = accounts.sign_in("mei", old, "a")
    new = accounts.reset("mei")
    assert accounts.session_user(token) is None
    with pytest.raises(AccessError):
        accounts.sign_in("mei", old, "a")
    token = accounts.sign_in("mei", new, "a")
    accounts.remove("mei")
    assert accounts.session_user(token) is None
    assert accounts.users() == []


def test_roles_include_the_lower_ones():
    assert User("a", "administrator").may("supervisor")
    assert User("s", "supervisor").may("technician")
    assert not User("t", "technician").may("supervisor")


@pytest.mark.parametrize(
    ("name", "role", "line"),
    [
        ("", "technician", "cannot be used"),
        ("a b", "technician", "cannot be used"),
        ("mei", "boss", "not known"),
    ],
)
def test_bad_names_and_roles_are_refused(accounts, name, role, line):
    with pytest.raises(InputError, match=line):
        accounts.add(name, role)
    assert accounts.users() == []


def test_the_audit_tells_who_did_what(accounts):
    password = accounts.add("mei", "technician", by="admin")
    with pytest.raises(AccessError):
        accounts.sign_in("mei", "wrong", "10.0.0.7")
    accounts.sign_out(accounts.sign_in("mei", password, "10.0.0.7"))
    entries = [(entry.who, entry.what) for entry in accounts.audit.latest()]
    assert entries == [
        ("mei", "signed out"),
        ("mei", "signed in"),
        ("mei", "sign-in refused"),
        ("admin", "user added"),
    ]
    assert password not in str(accounts.audit.latest())


def test_users_demo_prints_three_fresh_logins_each_time(tmp_path, monkeypatch):
    monkeypatch.setenv("LINESIDE_HOME", str(tmp_path))
    first = json.loads(CliRunner().invoke(app, ["demo", "--json"]).stdout)
    second = json.loads(CliRunner().invoke(app, ["demo", "--json"]).stdout)
    assert [row["role"] for row in first] == ["technician", "supervisor", "administrator"]
    assert not {row["password"] for row in first} & {row["password"] for row in second}
    engine = open_database("", tmp_path)
    accounts = Accounts(engine)
    with pytest.raises(AccessError):
        accounts.sign_in("technician", first[0]["password"], "a")
    assert accounts.sign_in("technician", second[0]["password"], "a")
    engine.dispose()


def test_users_add_prints_the_password_once(tmp_path, monkeypatch):
    monkeypatch.setenv("LINESIDE_HOME", str(tmp_path))
    output = CliRunner().invoke(app, ["add", "mei", "--role", "supervisor"]).stdout
    assert re.search(r"mei +\S{4}(-\S{4}){3} +supervisor", output)
    assert CliRunner().invoke(app, ["list"]).stdout.split() == ["mei", "supervisor"]
