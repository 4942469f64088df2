"""The `lineside` command: finds the commands of every room and turns errors into one line.

Commands are entry points of the group `lineside.commands`, so that `assistant` need not import the rooms that
build on it. With --json a command prints one JSON document on standard output and nothing else there.
"""

import sys
from importlib.metadata import entry_points

import typer

from assistant.errors import LinesideError

COMMANDS = "lineside.commands"
HELP = "Maintenance assistant for the shop floor: cited answers from the plant's own manuals."


def build(wanted: str = "") -> typer.Typer:
    """The command tree; a function becomes a command, a typer application a group of commands.

    Args:
        wanted: the one command to load, so that asking need not wait for what serving imports; else all.
    """
    root = typer.Typer(
        name="lineside",
        help=HELP,
        # Without a callback a single command would take the place of the whole tree.
        callback=lambda: None,
        result_callback=_end,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    entries = sorted(entry_points(group=COMMANDS), key=lambda entry: entry.name)
    for entry in [entry for entry in entries if entry.name == wanted] or entries:
        command = entry.load()
        if isinstance(command, typer.Typer):
            root.add_typer(command, name=entry.name)
        else:
            root.command(entry.name)(command)
    return root


def main() -> None:
    """Runs a command; exit codes: 0 done, 1 failed or in part, 2 wrong use or bad input."""
    try:
        build(*sys.argv[1:2])()
    except LinesideError as problem:
        print(f"lineside: {problem}", file=sys.stderr)
        sys.exit(problem.exit_code)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as problem:
        print(f"lineside: {problem}", file=sys.stderr)
        sys.exit(1)


def _end(code: object) -> None:
    """A command's return value is its exit code."""
    raise typer.Exit(code if isinstance(code, int) else 0)
