"""`lineside users`: who may sign in. Works on the database alone, also while the application runs."""

import json
from typing import Annotated

import typer

from assistant.records.accounts import ROLES, Accounts
from assistant.records.database import open_database
from assistant.settings import load_settings

app = typer.Typer(help="Add, list, reset and remove the users of the web application.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The name to sign in with.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command()
def add(
    name: Name,
    role: Annotated[str, typer.Option(help="One of: " + ", ".join(ROLES))],
    as_json: AsJson = False,
) -> None:
    """Creates a user and prints a generated password, once."""
    _print_logins([(name, role, _accounts().add(name, role))], as_json)


@app.command()
def reset(name: Name, as_json: AsJson = False) -> None:
    """Gives a user a new password, prints it once, and signs them out everywhere."""
    accounts = _accounts()
    password = accounts.reset(name)
    role = next(user.role for user in accounts.users() if user.name.casefold() == name.casefold())
    _print_logins([(name, role, password)], as_json)


@app.command()
def remove(name: Name) -> None:
    """Removes a user and ends their sessions."""
    _accounts().remove(name)
    typer.echo(f"Removed {name}.", err=True)


@app.command("list")
def list_users(as_json: AsJson = False) -> None:
    """Lists users and roles."""
    users = _accounts().users()
    if as_json:
        print(json.dumps([{"name": user.name, "role": user.role} for user in users], ensure_ascii=False))
    else:
        for user in users:
            print(f"{user.name:20} {user.role}")


@app.command()
def demo(as_json: AsJson = False) -> None:
    """Makes one user of each role, named like the role, with fresh passwords; existing ones are reset."""
    accounts = _accounts()
    existing = {user.name for user in accounts.users()}
    _print_logins(
        [
            (role, role, accounts.reset(role) if role in existing else accounts.add(role, role))
            for role in ROLES
        ],
        as_json,
    )


def _accounts() -> Accounts:
    settings = load_settings()
    settings.store.root.mkdir(parents=True, exist_ok=True)
    return Accounts(
        open_database(settings.store.database_url, settings.store.root), settings.web.session_hours
    )


def _print_logins(logins: list[tuple[str, str, str]], as_json: bool) -> None:
    if as_json:
        rows = [{"name": name, "role": role, "password": password} for name, role, password in logins]
        print(json.dumps(rows, ensure_ascii=False))
    else:
        for name, role, password in logins:
            print(f"{name:20} {password:24} {role}")
