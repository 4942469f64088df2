"""`lineside assets` and `lineside stock`: the plant's register of machines and spare parts."""

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from assistant.app import open_home
from assistant.errors import InputError
from assistant.records.database import open_database
from assistant.records.plant import Plant, StockItem
from assistant.schema import Asset
from assistant.settings import load_settings

assets = typer.Typer(help="The machines of the plant.", no_args_is_help=True)
stock = typer.Typer(help="The spare parts on the shelf.", no_args_is_help=True)

# Our field -> headings that spreadsheets use for it, casefolded.
ASSET_COLUMNS = {
    "tag": ("tag", "assetnum", "asset", "equnr", "equipment", "设备", "设备编号"),
    "name": ("name", "description", "名称", "设备名称"),
    "model": ("model", "型号"),
    "location": ("location", "tplnr", "位置", "地点"),
    "serial": ("serial", "serialnum", "serial no.", "serial no", "serial number", "sernr", "序列号"),
}
STOCK_COLUMNS = {
    "part": ("part", "part no.", "part no", "part_no", "part number", "itemnum", "零件号", "物料号"),
    "description": ("description", "name", "名称", "描述"),
    "on_hand": ("on hand", "on_hand", "qty", "quantity", "stock", "库存", "数量"),
    "location": ("location", "bin", "库位", "位置"),
}


@assets.command("import")
def import_assets(
    file: Annotated[
        Path, typer.Argument(help="CSV, or YAML with a list under 'assets': tag, name, model, serial, …")
    ],
) -> int:
    """Add machines, or change those with the same tag."""
    rows = [_mapped(row, ASSET_COLUMNS, ("tag",), file, n) for n, row in enumerate(_rows(file, "assets"), 1)]
    count = _plant().add_assets(Asset(**row) for row in rows)
    typer.echo(f"{count} assets on the register", err=True)
    return 0


@assets.command("list")
def list_assets(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> int:
    """Show the machines on the register."""
    held = _plant().assets()
    if as_json:
        print(json.dumps([asdict(asset) for asset in held], ensure_ascii=False))
    for asset in [] if as_json else held:
        print(f"{asset.tag:12} {asset.model:10} {asset.name}  {asset.location}")
    return 0


@stock.command("import")
def import_stock(
    file: Annotated[Path, typer.Argument(help="CSV: part number, description, quantity, bin")],
) -> int:
    """Add spare parts, or change those with the same number."""
    items = []
    for number, row in enumerate(_rows(file, "stock"), start=1):
        fields = _mapped(row, STOCK_COLUMNS, ("part", "on_hand"), file, number)
        try:
            count = int(fields.pop("on_hand"))
        except ValueError as problem:
            raise InputError(f"{file} row {number}: the quantity is not a whole number") from problem
        items.append(StockItem(on_hand=count, **fields))
    typer.echo(f"{_plant().add_stock(items)} spare parts in stock list", err=True)
    return 0


def _plant() -> Plant:
    settings = load_settings()
    return Plant(open_database(settings.store.database_url, open_home(settings)))


def _rows(file: Path, key: str) -> list[dict[str, Any]]:
    """Rows of a CSV or YAML table, all read before anything is changed."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix.lower() in {".yaml", ".yml"}:
            rows: list[dict[str, Any]] = yaml.safe_load(text)[key]
        else:
            rows = list(csv.DictReader(text.splitlines()))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as problem:
        raise InputError(
            f"{file} cannot be read as a table: {problem}", "Give a CSV file in UTF-8."
        ) from problem
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{file} holds no rows")
    return rows


def _mapped(
    row: dict[str, Any], columns: dict[str, tuple[str, ...]], needed: tuple[str, ...], file: Path, number: int
) -> dict[str, str]:
    held = {str(name).strip().casefold(): str(value or "").strip() for name, value in row.items()}
    fields = {
        field: next((held[name] for name in names if held.get(name)), "") for field, names in columns.items()
    }
    for field in needed:
        if not fields[field]:
            raise InputError(
                f"{file} row {number} has no {field.replace('_', ' ')}",
                f"Name the column one of: {', '.join(columns[field])}.",
            )
    return fields
