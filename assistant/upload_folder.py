"""Where uploaded files wait for their job: a folder of its own for each, removed when the job is over."""

import shutil
import time
from collections.abc import Collection
from pathlib import Path

# Files of failed jobs are kept this long for another try; folders that no job knows go after a day.
KEPT_S = 14 * 86_400
UNKNOWN_S = 86_400


class UploadFolder:
    """Removes what is no longer waited for, and nothing outside the folder."""

    def __init__(self, root: Path) -> None:
        """Works below a folder that need not exist yet."""
        self._root = root

    def discard(self, path: Path) -> None:
        """Removes an upload with its own folder; files that lie elsewhere are left alone."""
        if self._root in path.parents and path.parent != self._root:
            shutil.rmtree(path.parent, ignore_errors=True)

    def sweep(self, known: Collection[Path]) -> None:
        """Removes uploads that nobody came back for.

        Args:
            known: files of the jobs on record.
        """
        folders = {path.parent for path in known}
        for place in self._root.glob("*"):
            limit = KEPT_S if place in folders else UNKNOWN_S
            if place.is_dir() and time.time() - _newest(place) > limit:
                shutil.rmtree(place, ignore_errors=True)


def _newest(folder: Path) -> float:
    times = [0.0]
    for path in (folder, *folder.rglob("*")):
        try:
            times.append(path.stat().st_mtime)
        except FileNotFoundError:
            continue
    return max(times)
