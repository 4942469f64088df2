"""Which column of a work-order file holds what: presets of common systems, a file, a memory, or a guess."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from assistant.errors import InputError
from ingest.presets import FIELDS, HEADINGS, PRESET_NEEDS, PRESET_SIGNS, PRESETS

# Given as --mapping, sets aside what was remembered.
GUESS = "guess"
_PAIR = re.compile(r"\s*([a-z]+)\s*=\s*([^,=]+?)\s*(?:,|$)")
# Columns that the file of rejected rows adds; see ingest.rejects.
REJECTS_HEADINGS = ("row in file", "rejected because")

Wanted = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Columns:
    """Our fields and the columns that hold them; fields without a column are absent.

    Attributes:
        of: field -> columns, of which the first that is not empty counts.
        origin: 'given', 'preset maximo', 'looks like maximo', 'remembered' or 'guessed'.
    """

    of: Mapping[str, tuple[str, ...]]
    origin: str = "given"

    def named(self, field: str) -> str:
        """The columns of a field, for a message."""
        return " or ".join(self.of.get(field, (field,)))


def choose_columns(
    mapping: str | None, headings: Sequence[str], name: str, remembered: Wanted | None = None
) -> Columns:
    """Settles the columns of a file before anything is read from it.

    Args:
        mapping: name of a preset, path of a YAML or JSON file {our field: column or list of columns}, pairs
            'order=WONUM,description=TEXT', 'guess', or None: what is remembered, else the preset that the
            headings look like, else a guess.
        headings: the file's column names.
        name: of the file, for messages.
        remembered: what a supervisor gave for the same headings before.

    Raises:
        InputError: the mapping is unknown or faulty, or the columns it needs are not in the file; one line
            names the missing and the found.
    """
    if mapping is None and remembered:
        return Columns(_present(remembered, headings), "remembered")
    if mapping is None or mapping.casefold() == GUESS:
        alike = _preset_of(headings)
        if alike:
            return Columns(_present(PRESETS[alike], headings), f"looks like {alike}")
        return _guessed(headings, name)
    origin = "given"
    if mapping.casefold() in PRESETS:
        wanted, origin = PRESETS[mapping.casefold()], f"preset {mapping.casefold()}"
        needed = {wanted[field][0] for field in PRESET_NEEDS if not _found(wanted[field], headings)}
        if (
            "order" in wanted
            and not _found(wanted["order"], headings)
            and "maintainx" not in mapping.casefold()
        ):
            needed.add(wanted["order"][0])
    else:
        wanted = given_columns(mapping)
        needed = {column for columns in wanted.values() for column in columns}
    missing = sorted(column for column in needed if not _found((column,), headings))
    if missing:
        raise InputError(
            f"{name} lacks the mapped column{'s' if len(missing) > 1 else ''} {', '.join(missing)}",
            f"It has: {', '.join(headings)}. Correct --mapping.",
        )
    return Columns(_present(wanted, headings), origin)


def given_columns(mapping: str) -> Wanted:
    """A mapping from its file or its pairs.

    Raises:
        InputError: neither, or unknown fields, or no text in it.
    """
    pairs = dict(_PAIR.findall(mapping))
    if pairs and not Path(mapping).is_file():
        return _checked({field: [column] for field, column in pairs.items()}, f"--mapping {mapping}")
    return _from_file(Path(mapping))


def known_headings(mapping: str | None) -> frozenset[str]:
    """Squeezed names by which the row of headings is told from the rows above and below it."""
    names = {name for names in HEADINGS.values() for name in names}
    for preset in PRESETS.values():
        names |= {squeezed(column) for columns in preset.values() for column in columns}
    if mapping and mapping.casefold() not in {*PRESETS, GUESS}:
        names |= {squeezed(column) for columns in given_columns(mapping).values() for column in columns}
    return frozenset(names)


def squeezed(heading: str) -> str:
    """Letters and digits of a heading in lower case: 'Work Order No.' -> 'workorderno'."""
    return re.sub(r"[\W_]+", "", heading.casefold())


def _from_file(path: Path) -> Wanted:
    if not path.is_file():
        raise InputError(
            f"--mapping {path} is neither a preset nor a file",
            f"Presets: {', '.join(PRESETS)}; or a YAML or JSON file {{our field: column}}, "
            "or order=COLUMN,description=COLUMN.",
        )
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text) if path.suffix.lower() == ".json" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as problem:
        raise InputError(f"{path} is not valid YAML or JSON: {str(problem).splitlines()[0]}") from problem
    if not isinstance(data, dict) or not data:
        raise InputError(f"{path} holds no mapping", "It needs lines such as 'order: WONUM'.")
    return _checked(data, str(path))


def _checked(data: Mapping[object, object], name: str) -> Wanted:
    unknown = sorted(set(map(str, data)) - set(FIELDS))
    if unknown:
        raise InputError(
            f"{name} maps unknown field{'s' if len(unknown) > 1 else ''} {', '.join(unknown)}",
            f"Known: {', '.join(FIELDS)}.",
        )
    wanted = {
        str(field): tuple(map(str, columns)) if isinstance(columns, list) else (str(columns),)
        for field, columns in data.items()
        if columns is not None
    }
    if not any(field in wanted for field in ("description", "problem")):
        raise InputError(f"{name} maps no text", "Map 'description' or 'problem' to a column.")
    return wanted


def _present(wanted: Wanted, headings: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The columns that are there, as the file writes them."""
    found = ((field, _found(columns, headings)) for field, columns in wanted.items())
    return {field: columns for field, columns in found if columns}


def _found(columns: Iterable[str], headings: Sequence[str]) -> tuple[str, ...]:
    by_name = {heading.strip().casefold(): heading for heading in reversed(headings)}
    return tuple(by_name[name] for column in columns if (name := column.strip().casefold()) in by_name)


def _preset_of(headings: Sequence[str]) -> str | None:
    """The preset whose sign and description stand in the headings, in its own spelling; most columns win."""
    held = set(headings)
    fitting = [
        name
        for name, signs in PRESET_SIGNS.items()
        if held & set(PRESETS[name]["description"]) and any(sign in held for sign in signs)
    ]
    return max(fitting, key=lambda name: len(_present(PRESETS[name], headings)), default=None)


def _guessed(headings: Sequence[str], name: str) -> Columns:
    own = [heading for heading in headings if heading not in REJECTS_HEADINGS]
    free = {squeezed(heading): heading for heading in reversed(own)}
    chosen: dict[str, tuple[str, ...]] = {}
    for exact in (True, False):
        for field, names in HEADINGS.items():
            # 'Primary code' or 'purchase order' is no work order's number.
            taken = field in chosen or (field == "order" and not exact)
            found = None if taken else _heading_of(names, free, exact)
            if found is not None:
                chosen[field] = (free.pop(found),)
    if "description" not in chosen:
        stand_in = next((field for field in ("details", "problem") if field in chosen), None)
        if stand_in:
            chosen["description"] = chosen.pop(stand_in)
    if "date" not in chosen and "finished" in chosen:
        chosen["date"] = chosen.pop("finished")
    if "description" not in chosen or not {"order", "date"} & set(chosen):
        lacking = "description" if "description" not in chosen else "order number or date"
        raise InputError(
            f"{name} has no column that looks like {lacking}",
            f"It has: {', '.join(headings)}. Name them with --mapping (presets: {', '.join(PRESETS)}).",
        )
    return Columns(chosen, "guessed")


def _heading_of(names: Sequence[str], free: Mapping[str, str], exact: bool) -> str | None:
    """A heading that is one of the names; or, less surely, one whose words hold a name of several letters."""
    if exact:
        return next((name for name in names if name in free), None)
    for name in names:
        for key, heading in free.items():
            words = re.split(r"[\W_]+", heading.casefold())
            if (len(name) > 3 and name.isascii() and name in words) or (
                not name.isascii() and len(name) > 2 and name in key
            ):
                return key
    return None
