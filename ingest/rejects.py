"""Rejected rows as a file that can be corrected and imported again."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from ingest.mapping import REJECTS_HEADINGS
from ingest.order_table import Rejected

FOLDER = "rejected-rows"
# Excel would compute a cell that starts so; a number keeps its sign.
_COMPUTED = re.compile(r"[=+\-@](?![\d.,\s]*$)")


def rejects_path(home: Path, document: str) -> Path:
    """Where the rejected rows of a file are written unless the caller names a place."""
    return home / FOLDER / f"{Path(document).stem}.rejected.csv"


def write_rejects(path: Path, headings: Sequence[str], rejected: Sequence[Rejected]) -> None:
    """Writes row number, reason and every cell as read; without rejected rows an earlier file is removed.

    The file is UTF-8 with a mark, which Excel needs for Chinese. Import it again when it is corrected: the
    two columns in front are not looked at.

    Raises:
        OSError: the file cannot be written.
    """
    if not rejected:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys([*headings, *(name for row in rejected for name in row.cells)]))
    names = [name for name in names if name not in REJECTS_HEADINGS]
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*REJECTS_HEADINGS, *names])
        for row in rejected:
            writer.writerow([row.row, row.reason, *(_safe(row.cells.get(name, "")) for name in names)])


def _safe(cell: str) -> str:
    return f"'{cell}" if _COMPUTED.match(cell) else cell
