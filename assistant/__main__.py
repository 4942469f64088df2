"""`python -m assistant`: the `lineside` command of this very environment."""

from assistant.cli import main

main()
