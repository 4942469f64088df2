"""The README tells the truth about what lies here."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_file_has_its_line_in_the_readme() -> None:
    check = [sys.executable, str(ROOT / "scripts" / "file_map.py"), "--check"]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_commands_of_the_readme_are_targets_of_the_makefile() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {word for line in readme.splitlines() if line.startswith("make ") for word in [line.split()[1]]}
    assert {"run", "test"} <= named
    assert all(f"\n{target}:" in makefile for target in named)


def test_continuous_integration_calls_the_readmes_test_command() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
