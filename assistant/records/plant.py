"""The plant's register: its assets, and its stock of spare parts."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Engine, String, select
from sqlalchemy.orm import Mapped, mapped_column

from assistant.records.database import Base, transaction
from assistant.schema import Asset


@dataclass(frozen=True, slots=True)
class StockItem:
    """A spare part on the shelf; `on_hand` counts pieces."""

    part: str
    description: str
    on_hand: int
    location: str = ""


class AssetRow(Base):
    """Table of assets; `key` is the casefolded tag."""

    __tablename__ = "assets"
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    tag: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(200))
    model: Mapped[str] = mapped_column(String(100), index=True)
    location: Mapped[str] = mapped_column(String(200))
    serial: Mapped[str] = mapped_column(String(100), server_default="")


class StockRow(Base):
    """Table of spare parts; `key` is the casefolded part number."""

    __tablename__ = "stock"
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    part: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(String(500))
    on_hand: Mapped[int]
    location: Mapped[str] = mapped_column(String(200))


class Plant:
    """Reads and changes the register."""

    def __init__(self, engine: Engine) -> None:
        """Works on an open database."""
        self._engine = engine

    def add_assets(self, assets: Iterable[Asset]) -> int:
        """Adds assets, or replaces those with the same tag; returns how many were given."""
        with transaction(self._engine) as session:
            count = 0
            for asset in assets:
                session.merge(
                    AssetRow(
                        key=asset.tag.casefold(),
                        tag=asset.tag,
                        name=asset.name,
                        model=asset.model,
                        location=asset.location,
                        serial=asset.serial,
                    )
                )
                count += 1
            return count

    def assets(self) -> list[Asset]:
        """All assets by tag."""
        with transaction(self._engine) as session:
            rows = session.scalars(select(AssetRow).order_by(AssetRow.key))
            return [Asset(row.tag, row.name, row.model, row.location, row.serial) for row in rows]

    def add_stock(self, items: Iterable[StockItem]) -> int:
        """Adds parts, or replaces those with the same number; returns how many were given."""
        with transaction(self._engine) as session:
            count = 0
            for item in items:
                session.merge(
                    StockRow(
                        key=item.part.casefold(),
                        part=item.part,
                        description=item.description,
                        on_hand=item.on_hand,
                        location=item.location,
                    )
                )
                count += 1
            return count

    def stock(self) -> list[StockItem]:
        """All spare parts by number."""
        with transaction(self._engine) as session:
            rows = session.scalars(select(StockRow).order_by(StockRow.key))
            return [StockItem(row.part, row.description, row.on_hand, row.location) for row in rows]
