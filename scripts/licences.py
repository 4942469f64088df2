"""Writes docs/licences.md: what is installed from the locks and what is downloaded, each with its licence.

Reads the metadata of the installed packages, so a table never says more than what is there.
"""

import json
import re
import subprocess
from pathlib import Path

from assistant.models.catalogue import CATALOGUE

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "licences.md"
# Packages whose metadata give no usable name; looked up in the licence text that they ship.
LOOK = """
import importlib.metadata as metadata, json, sys
rows = {}
for name in json.load(sys.stdin):
    try:
        found = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        continue
    trove = [c.split(" :: ")[-1] for c in found.get_all("Classifier") or [] if c.startswith("License ::")]
    texts = [file for file in metadata.files(name) or [] if "licen" in file.name.lower()]
    first = texts[0].locate().read_text(encoding="utf-8", errors="replace")[:300] if texts else ""
    rows[name] = [found.get("License-Expression") or "", found.get("License") or "", trove, first]
print(json.dumps(rows))
"""
TEXTS = (("Apache License", "Apache-2.0"), ("MIT License", "MIT"), ("BSD 3-Clause", "BSD-3-Clause"))
HEAD = """# Licences

Lineside itself is under Apache-2.0 (LICENSE). It contains none of the following: packages are installed from
their registries and weights are downloaded, each under its own licence. `make licences` renews this page from
the installed packages.

"""


def pinned(lock: Path) -> dict[str, str]:
    """Package -> version of a lock file."""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE))


def licences(python: Path, names: list[str]) -> dict[str, str]:
    """Package -> licence, as the packages installed for this interpreter declare it."""
    done = subprocess.run(
        [str(python), "-c", LOOK], input=json.dumps(names), capture_output=True, text=True, check=True
    )
    return {name: shortened(*row) for name, row in json.loads(done.stdout).items()}


def shortened(expression: str, free_text: str, trove: list[str], text: str) -> str:
    """One short name out of the places where packages declare it, best first."""
    line = free_text.strip().splitlines()[0] if free_text.strip() else ""
    named = expression or (", ".join(trove) if trove else line[:60])
    return named or next((name for start, name in TEXTS if start in text), "see the package")


def table(title: str, lock: Path, python: Path, without: Path | None = None) -> str:
    """A Markdown table of one lock file, without what stands in another."""
    listed = set(pinned(without)) if without else set()
    versions = {name: version for name, version in pinned(lock).items() if name not in listed}
    found = licences(python, list(versions))
    rows = [f"| {name} | {version} | {found.get(name, '')} |" for name, version in sorted(versions.items())]
    return "\n".join([f"## {title}", "", "| package | version | licence |", "|---|---|---|", *rows, "", ""])


def weights() -> str:
    """A Markdown table of the models that `lineside models fetch` knows."""
    rows = [f"| {model.name} | {model.base} | {model.licence} | `{model.sha256}` |" for model in CATALOGUE]
    head = ["## Model weights", "", "| model | publisher's name | licence | SHA-256 of the file |"]
    return "\n".join([*head, "|---|---|---|---|", *rows, "", ""])


def main() -> None:
    """Writes the page."""
    application = ROOT / ".venv" / "bin" / "python"
    server = ROOT / ".venv-vllm" / "bin" / "python"
    requirements = ROOT / "requirements"
    parts = [
        HEAD,
        weights(),
        table("Application", requirements / "app.txt", application),
        table("Extras and development", requirements / "dev.txt", application, requirements / "app.txt"),
        table("Model server on the CPU", requirements / "vllm.txt", server),
    ]
    TARGET.write_text("".join(parts).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
