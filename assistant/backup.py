"""One file that holds all a plant cannot make again: records, originals and vectors.

Models, logs and page pictures are left out: they are fetched or made again.
"""

import sqlite3
import tarfile
import tempfile
from pathlib import Path

from assistant.errors import InputError, StorageError

DATABASE = "records.sqlite"
FOLDERS = ("originals", "vectors")


def write_backup(home: Path, target: Path) -> int:
    """Packs a home that no process is using.

    Args:
        home: folder with the records.
        target: tar.gz to write; written beside and renamed, so that a half backup never stands there.

    Returns:
        Size of the backup in bytes.

    Raises:
        InputError: the home holds no records, or the target exists.
        StorageError: the disk refuses.
    """
    if not (home / DATABASE).is_file():
        raise InputError(f"{home} holds no records to back up", "Set LINESIDE_HOME.")
    if target.exists():
        raise InputError(f"{target} exists already", "Name a new file.")
    partial = target.with_name(f".{target.name}.part")
    try:
        with tempfile.TemporaryDirectory(dir=home) as scratch, tarfile.open(partial, "w:gz") as archive:
            snapshot = Path(scratch) / DATABASE
            _snapshot(home / DATABASE, snapshot)
            archive.add(snapshot, DATABASE)
            for folder in FOLDERS:
                if (home / folder).is_dir():
                    archive.add(home / folder, folder)
        partial.replace(target)
    except (OSError, sqlite3.Error) as problem:
        partial.unlink(missing_ok=True)
        raise StorageError(f"The backup cannot be written: {problem}", "Free some disk space.") from problem
    return target.stat().st_size


def read_backup(source: Path, home: Path) -> None:
    """Unpacks a backup into a home that has no records yet.

    Raises:
        InputError: the file is not a backup, or the home already has records.
        StorageError: the disk refuses.
    """
    if (home / DATABASE).exists():
        raise InputError(f"{home} already holds records", "Restore into a new LINESIDE_HOME.")
    try:
        with tempfile.TemporaryDirectory(dir=home) as scratch:
            with tarfile.open(source, "r:gz") as archive:
                archive.extractall(scratch, filter="data")
            unpacked = Path(scratch)
            if not (unpacked / DATABASE).is_file():
                raise InputError(
                    f"{source} is not a Lineside backup", "Give a file that lineside backup wrote."
                )
            for folder in FOLDERS:
                if (unpacked / folder).is_dir():
                    (unpacked / folder).rename(home / folder)
            # The records come last: without them the home counts as empty, and restoring can be repeated.
            (unpacked / DATABASE).rename(home / DATABASE)
    except tarfile.TarError as problem:
        raise InputError(f"{source} is not a Lineside backup: {problem}") from problem
    except FileNotFoundError as problem:
        raise InputError(f"{source} does not exist") from problem
    except OSError as problem:
        raise StorageError(f"The backup cannot be unpacked: {problem}", "Free some disk space.") from problem


def _snapshot(database: Path, copy: Path) -> None:
    source, target = sqlite3.connect(database), sqlite3.connect(copy)
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()
