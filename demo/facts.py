"""The facts of the five machines, read from the manuals' YAML sources.

A fact that names another one as {path} is filled in; a {@label} that the manual prints as a section
number becomes plain words, because a work order has no sections.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MANUALS = Path(__file__).resolve().parent / "manuals"
SOURCES = {
    "HP-250": ("press.yaml", "press-rev-c.yaml"),
    "TL-42": ("lathe.yaml", None),
    "SC-75": ("compressor.yaml", None),
    "BC-800": ("conveyor.yaml", None),
    "ZS-160": ("imm.yaml", None),
}
ID_KEYS = ("id", "code", "no", "item")


@dataclass(frozen=True)
class Trouble:
    """A row of a fault table or of a symptom table: what is seen, why, and what helps."""

    name: str
    message: str
    cause: tuple[str, ...]
    remedy: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    number: str
    description: str
    quantity: int


@dataclass(frozen=True)
class Machine:
    """What the manual in force says about one model; `troubles` holds codes and symptoms by name."""

    model: str
    troubles: dict[str, Trouble]
    tasks: dict[str, str]
    parts: dict[str, Part]


def load_machine(model: str) -> Machine:
    """Returns the facts of a model after its latest revision."""
    source, revision = SOURCES[model]
    tree = _read(source)
    if revision is not None:
        for change in _read(revision)["changes"]:
            _put(tree, change["path"].split("."), change["value"])
    return _machine(model, tree)


def superseded_parts(model: str) -> dict[str, str]:
    """Returns {old part number: new part number} of the model's latest revision."""
    source, revision = SOURCES[model]
    if revision is None:
        return {}
    old, changes = _read(source), _read(revision)["changes"]
    numbers = [change for change in changes if change["path"].endswith(".part-no")]
    return {_get(old, change["path"].split(".")): change["value"] for change in numbers}


def _machine(model: str, tree: dict[str, Any]) -> Machine:
    def text(value: object) -> str:
        return _filled(tree, str(value))

    faults = [(row["code"], row["message"], row) for row in tree.get("faults", tree.get("alarms", []))]
    symptoms = [(row["symptom"], row["symptom"], row) for row in tree["symptoms"]]
    troubles = {
        name: Trouble(
            name, text(message), tuple(map(text, row["cause"])), tuple(text(r) for r in row["remedy"])
        )
        for name, message, row in [*faults, *symptoms]
    }
    rows = [row for group in tree["parts"].values() for row in group]
    parts = [Part(row["part-no"], text(row["description"]), row["qty"]) for row in rows]
    tasks = {row["id"]: text(row["task"]) for row in tree["maintenance"]}
    return Machine(model, troubles, tasks, {part.number: part for part in parts})


def _read(file: str) -> dict[str, Any]:
    return yaml.safe_load((MANUALS / file).read_text(encoding="utf-8"))


def _child(node: Any, segment: str) -> Any:
    """Returns the key or list position that a path segment names."""
    if isinstance(node, list):
        return next(i for i, row in enumerate(node) if segment in {str(row.get(k)) for k in ID_KEYS})
    return segment


def _get(node: Any, path: list[str]) -> Any:
    for segment in path:
        node = node[_child(node, segment)]
    return node


def _put(tree: Any, path: list[str], value: Any) -> None:
    node = _get(tree, path[:-1])
    node[_child(node, path[-1])] = value


def _filled(tree: dict[str, Any], text: str) -> str:
    text = re.sub(r"\s*\(\{@[^}]+\}\)|:\s*\{@[^}]+\}", "", text)
    text = re.sub(r"\{@[^}]+\}", "the manual", text)
    return re.sub(r"\{([^}]+)\}", lambda m: _filled(tree, str(_get(tree, m[1].split(".")))), text)
