"""The `lineside` command: finds the commands of every room and turns errors into one line.

Commands are entry points of the group `lineside.commands`, so that `assistant` need not import the rooms that
build on it. With --json a command prints one JSON document on standard output and nothing else there.
"""

import sys
from importlib.metadata import entry_points

import click
import typer

from assistant.errors import LinesideError

COMMANDS = "lineside.commands"


def build() -> typer.Typer:
    """The command tree; a function becomes a command, a typer application a group of commands."""
    root = typer.Typer(
        name="lineside",
        help="Maintenance assistant for the shop floor: cited answers from the plant's own manuals.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for entry in sorted(entry_points(group=COMMANDS), key=lambda entry: entry.name):
        command = entry.load()
        if isinstance(command, typer.Typer):
            root.add_typer(command, name=entry.name)
        else:
            root.command(entry.name)(command)
    return root


def main() -> None:
    """Runs a command; exit codes: 0 done, 1 failed or in part, 2 wrong use or bad input."""
    try:
        result = build()(standalone_mode=False)
    except LinesideError as problem:
        print(f"lineside: {problem}", file=sys.stderr)
        sys.exit(problem.exit_code)
    except click.ClickException as problem:
        problem.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        print("lineside: interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as problem:
        print(f"lineside: {problem}", file=sys.stderr)
        sys.exit(1)
    sys.exit(result if isinstance(result, int) else 0)
