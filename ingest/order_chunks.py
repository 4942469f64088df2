"""Rows of a work-order file -> chunks: one order, one passage, in the words it was written in."""

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from assistant.identifiers import find_identifiers
from assistant.schema import Chunk
from ingest.mapping import Columns
from ingest.order_file import OrderFile
from ingest.order_table import Rejected
from ingest.presets import FIELDS, TEXT_FIELDS

ORDERS = uuid.UUID("0b0f9a0e-97f5-5d0c-8f38-8a8f4bb5d2c4")
REVISION = "work-orders"
MAX_TEXT = 4000
# What an order without a number is known by; costs, status and remedies may come later.
_IDENTITY = ("asset", "date", "type", "description", "problem")


@dataclass(slots=True)
class Order:
    """An order as gathered from its rows.

    Attributes:
        row: its first row.
        values: our fields; of a field that says different things in several rows, the last word, or for texts
            all of them.
        assets: every asset named.
        rows: how many rows of the file tell of it.
    """

    number: str
    site: str
    row: int
    values: dict[str, str]
    assets: list[str] = field(default_factory=list)
    rows: int = 1

    @property
    def id(self) -> str:
        """The id of its chunk."""
        return order_id(self.number, self.site)

    def add(self, values: Mapping[str, str]) -> None:
        """Takes in another row of the same order."""
        self.rows += 1
        for name, value in values.items():
            held = self.values.get(name, "")
            if name in TEXT_FIELDS and held and value and value.casefold() not in held.casefold():
                self.values[name] = f"{held} / {value}"
            elif value and name not in TEXT_FIELDS:
                self.values[name] = value
            elif value and not held:
                self.values[name] = value
        self._name_asset(values)

    def keep_untold(self, held: Chunk, columns: Columns) -> None:
        """Keeps what an earlier file told and this one has no column for; an empty cell would clear it."""
        for name, value in held.extra.items():
            # Without a problem of its own an order bears its description there.
            stand_in = name == "problem" and held.text.startswith(value)
            if name in FIELDS and name not in {"order", "site", *columns.of} and not stand_in:
                self.values[name] = value

    def _name_asset(self, values: Mapping[str, str]) -> None:
        asset = values.get("asset", "")
        if asset and asset not in self.assets:
            self.assets.append(asset)


def order_id(number: str, site: str = "") -> str:
    """The chunk id of a work order: the same number of the same site gives the same id in whatever file."""
    name = number.casefold() if not site else f"{site.casefold()}\0{number.casefold()}"
    return str(uuid.uuid5(ORDERS, name))


def gather_orders(file: OrderFile, site: str) -> tuple[list[Order], list[Rejected]]:
    """Orders by their first row, and the rows that are none.

    Args:
        file: as settled.
        site: of orders whose row tells none.
    """
    orders: dict[str, Order] = {}
    rejected = list(file.table.rejected)
    seen: Counter[str] = Counter()
    for row, cells, values in file.rows():
        reason = _reason(values, file.columns)
        if reason:
            rejected.append(Rejected(row, reason, cells))
            continue
        place = values.get("site", "") or site
        number = values["order"] if "order" in file.columns.of else _number(values, seen)
        order = Order(number, place, row, dict(values))
        if order.id in orders:
            orders[order.id].add(values)
        else:
            order._name_asset(values)
            orders[order.id] = order
    return list(orders.values()), sorted(rejected, key=lambda row: row.row)


def to_chunk(order: Order, columns: Columns, document: str, models: Mapping[str, str]) -> Chunk:
    """The passage of an order.

    Args:
        order: with at least a text.
        columns: whose headings name the other texts.
        document: the file, as shown to users.
        models: casefolded asset tag -> casefolded model.
    """
    values = order.values
    text = order_text(values, columns)
    applies_to = []
    for asset in map(str.casefold, order.assets):
        applies_to += [asset, values.get("model", "").casefold() or models.get(asset, "")]
    if not order.assets:
        applies_to.append(values.get("model", "").casefold())
    extra = {name: value for name, value in values.items() if value and name not in {"description", "plain"}}
    extra |= {"order": order.number, **({"site": order.site} if order.site else {})}
    extra.setdefault("problem", values.get("description", ""))
    return Chunk(
        id=order.id,
        document=document,
        revision=REVISION,
        title=document,
        section=(),
        page=1,
        page_last=1,
        kind="text",
        text=text,
        source="work_order",
        identifiers=find_identifiers(f"{order.number}\n{text}"),
        applies_to=tuple(dict.fromkeys(name for name in applies_to if name)),
        ordinal=order.row,
        extra=extra,
    )


def order_text(values: Mapping[str, str], columns: Columns) -> str:
    """Description and details as they stand, then the other texts under the file's own headings."""
    return "\n".join(_lines(values, columns))[:MAX_TEXT]


def _lines(values: Mapping[str, str], columns: Columns) -> Iterator[str]:
    for name in TEXT_FIELDS:
        if values.get(name):
            told = name in {"description", "details"}
            heading = columns.of.get(name, (name,))[0]
            yield values[name] if told else f"{heading}: {values[name]}"


def _reason(values: Mapping[str, str], columns: Columns) -> str:
    if "order" in columns.of and not values["order"]:
        return f"no order number in column {columns.named('order')}"
    if not any(values.get(name) for name in TEXT_FIELDS):
        return f"no text in column {columns.named('description')}"
    return ""


def _number(values: Mapping[str, str], seen: Counter[str]) -> str:
    """A number made from what the order says; alike orders are told apart by their count."""
    content = "\0".join(values.get(name, "") for name in _IDENTITY)
    digest = hashlib.sha256(content.encode()).hexdigest()[:10]
    seen[digest] += 1
    return digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
