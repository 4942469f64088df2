"""`lineside triage`: the manual's causes and the fleet's history for a filled form."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from assistant.app import open_lineside
from assistant.errors import InputError
from assistant.schema import TriageForm, TriageResult
from assistant.settings import load_settings

FIELDS = ("asset", "happened", "code", "tried")


def triage(
    form: Annotated[Path, typer.Option(help="JSON file with asset, happened, and if known code and tried.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the ranked case as JSON.")] = False,
) -> int:
    """Rank the probable causes of a fault, with checks, parts and similar past work orders."""
    filled = read_form(form)
    with open_lineside(load_settings()) as lineside:
        result = lineside.triage.rank(filled)
    if as_json:
        print(json.dumps(asdict(result), ensure_ascii=False))
    else:
        _print(result)
    return 0


def read_form(path: Path) -> TriageForm:
    """A form from its JSON file.

    Raises:
        InputError: the file is missing, not JSON, or holds other fields.
    """
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise InputError(
            f"{path} holds no form: {problem}", f"Give JSON with {', '.join(FIELDS)}."
        ) from problem
    if not isinstance(fields, dict) or not {"asset", "happened"} <= set(fields) <= set(FIELDS):
        raise InputError(f"{path} needs asset and happened, and may have code and tried; nothing else")
    if not all(isinstance(value, str) for value in fields.values()):
        raise InputError(f"{path}: every field is text")
    return TriageForm(**fields)


def _print(result: TriageResult) -> None:
    for notice in result.safety:
        print(f"{notice.level}: {notice.text}  ({notice.document}, page {notice.page})")
    if result.note:
        print(result.note)
    for cause in result.causes:
        print(f"\n{cause.rank}. {cause.cause}  ({cause.citation.document}, page {cause.citation.page})")
        for check in cause.checks:
            print(f"   - {check}")
        for part in cause.parts:
            print(f"   part {part.part} {part.description}: {part.on_hand} in stock {part.location}")
    if result.orders:
        print("\nPast work orders of this fleet")
    for order in result.orders:
        print(f"   {order.number} {order.date} {order.asset}: {order.text} -> {order.remedy or order.status}")
