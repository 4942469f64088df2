"""Writes the stores' list of spare parts: every part number of the five manuals, the same on every run.

    python demo/stock.py [--out FOLDER]

A part's price and lead time follow from what it is (the first word of `CLASSES` found in its description);
what lies on the shelf follows from how much the part costs.
"""

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path
from random import Random

from facts import SOURCES, Part, load_machine, superseded_parts

COLUMNS = ("Part no.", "Description", "Model", "On hand", "Min", "Bin", "Lead time days", "Price EUR")
SEED = "stores"
AISLES = dict(zip(SOURCES, "ABCDE", strict=True))


@dataclass(frozen=True)
class PartClass:
    """Words of a description, and the price in EUR and lead time in days that go with them."""

    words: tuple[str, ...]
    price: tuple[int, int]
    days: tuple[int, int]


CLASSES = (
    PartClass(
        ("airend nr", "with shaft", "ball screw", "gearbox, b", "螺杆 ", "料筒 4"), (2400, 9800), (30, 90)
    ),
    PartClass(("turret, complete", "main motor", "main pump, 140", "power chuck"), (3200, 8600), (30, 75)),
    PartClass(
        ("controller air", "converter 7", "伺服驱动器", "控制器主机", "伺服电机 "), (1400, 3900), (14, 45)
    ),
    PartClass(("battery", "fuse", "电池", "filter mat", "过滤棉", "silencer", "thimble"), (6, 38), (2, 5)),
    PartClass(("grease", "l can", "抗磨液压油", "锂基润滑脂"), (14, 190), (2, 7)),
    PartClass(("o-ring", "gasket", "seal ring", "wiper"), (6, 70), (3, 12)),
    PartClass(("seal", "密封", "kit", "组件"), (28, 340), (5, 21)),
    PartClass(("filter", "cartridge", "mat", "element", "breather", "滤"), (22, 260), (2, 10)),
    PartClass(("bearing", "belt", "pillow", "衬套", "销轴", "bush", "jaw"), (45, 520), (4, 20)),
    PartClass(("sensor", "switch", "transducer", "encoder", "传感器", "开关", "热电偶"), (48, 410), (5, 15)),
    PartClass(("relay", "contact", "button", "继电器", "按钮", "fan ", "fan,", "风扇"), (24, 230), (3, 10)),
    PartClass(("pump", "motor", "valve", "cooler", "泵", "马达", "阀", "冷却器"), (180, 1900), (10, 40)),
)
OTHER = PartClass(("",), (35, 480), (5, 25))


def write_stock(folder: Path) -> int:
    """Writes `stock.csv` into `folder` and returns the number of rows."""
    rows: list[list[object]] = []
    for model in SOURCES:
        parts = load_machine(model).parts
        for shelf, part in enumerate(sorted(parts.values(), key=lambda part: part.number)):
            rows.append(_row(model, shelf, part))
        for old, new in superseded_parts(model).items():
            left_over = Part(old, f"{parts[new].description} – superseded by {new}", 1)
            rows.append([old, left_over.description, model, 1, 0, f"{AISLES[model]}-99", "", ""])
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "stock.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return len(rows)


def _row(model: str, shelf: int, part: Part) -> list[object]:
    random = Random(f"{SEED}-{part.number}")
    description = part.description.casefold()
    kind = next((c for c in CLASSES if any(word in description for word in c.words)), OTHER)
    price = random.uniform(*kind.price)
    minimum = 0 if price > 1500 else 1 if price > 300 else random.randint(1, 3)
    on_hand = max(0, minimum + random.choice((-1, -1, 0, 0, 1, 1, 2)))
    bin_label = f"{AISLES[model]}-{shelf // 8 + 1:02}-{shelf % 8 + 1}"
    lead = random.randint(*kind.days)
    return [part.number, part.description, model, on_hand, minimum, bin_label, lead, f"{price:.2f}"]


def main() -> None:
    """Runs the command line."""
    folder = Path(__file__).resolve().parent / "built"
    parser = argparse.ArgumentParser(description="Write the demonstration plant's stock list.")
    parser.add_argument("--out", type=Path, default=folder, help="the folder for stock.csv")
    print(f"{write_stock(parser.parse_args().out):4} spare parts")


if __name__ == "__main__":
    main()
