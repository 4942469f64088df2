"""Writes the map of files in README.md from the first sentence of each file.

usage: python scripts/file_map.py [--check]; --check only says, with exit code 1, when the map is stale.
"""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BEGIN, END = "<!-- file map: make readme -->", "<!-- end of file map -->"

# Files whose first line cannot say what they are.
OTHERS = {
    ".ci/run": "What continuous integration calls: the README's test command.",
    ".dockerignore": "What the image's build does not see.",
    ".gitattributes": "Which files git treats as binary.",
    ".gitignore": "What is made here and not kept.",
    "CHANGELOG.md": "What a user gains with each version.",
    "CONTRIBUTING.md": "How to work on Lineside.",
    "Dockerfile": "The application's image, from the committed lock file.",
    "LICENSE": "Apache-2.0.",
    "Makefile": "Everything a newcomer types.",
    "NOTICE": "Whose work is in here.",
    "README.md": "This page.",
    "compose.yaml": "Qdrant, vLLM on a GPU, the application and a worker.",
    "pyproject.toml": "What Lineside needs, its commands, and the rules of lint, types and tests.",
}
FOLDERS = {
    "assistant/prompts/": "What the model is told, as files.",
    "assistant/web/static/": "Styles, scripts, icons and the manifest of the pages.",
    "assistant/web/templates/": "The HTML that records are rendered with.",
    "demo/": "The demonstration plant's sources and what is built from them; see demo/README.md.",
    "docs/decisions/": "One short record per decision that someone may want to undo.",
    "docs/screenshots/": "Pictures of the application.",
    "eval/data/ingestion/": "What pages of real manuals hold, as key words; see its README.md.",
    "eval/recorded/": "What the model wrote and the figures that came of it; `make record` renews both.",
    "eval/suites/": "Questions, faults and attacks whose right outcome is known; see its README.md.",
    "requirements/": "Fully pinned locks, and what they are made from.",
}


def main() -> int:
    """Writes or checks the map."""
    text = README.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    wanted = f"{head}{BEGIN}\n{file_map()}{END}{tail}"
    if "--check" in sys.argv[1:]:
        if wanted != text:
            sys.stderr.write("The file map in README.md is stale: run make readme.\n")
        return int(wanted != text)
    README.write_text(wanted, encoding="utf-8")
    return 0


def file_map() -> str:
    """A table of every tracked file, folder by folder; files of some folders share one line."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = sorted(name for name in listed.stdout.split("\0") if name and (ROOT / name).exists())
    lines: dict[str, str] = {}
    for name in files:
        folder = next((folder for folder in FOLDERS if name.startswith(folder)), None)
        if folder and not (name.endswith(".py")):
            lines.setdefault(folder, FOLDERS[folder])
        elif (ROOT / name).stat().st_size:
            lines[name] = OTHERS.get(name) or first_sentence(ROOT / name)
    rows = "".join(f"| `{name}` | {text} |\n" for name, text in sorted(lines.items(), key=_place))
    return f"| File | What it is for |\n| --- | --- |\n{rows}"


def _place(line: tuple[str, str]) -> tuple[bool, str]:
    return "/" in line[0], line[0]


def first_sentence(path: Path) -> str:
    """What a file says of itself first: its docstring, heading or comment.

    Raises:
        ValueError: it says nothing.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        said = (ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0]
    else:
        said = next(
            (line for line in text.splitlines() if line.strip("#!- ") and not line.startswith("#!")), ""
        )
    said = " ".join(said.strip("#<!-> ").split()).replace("|", "\\|")
    if not said:
        raise ValueError(f"{path} does not say what it is for")
    return said


if __name__ == "__main__":
    sys.exit(main())
