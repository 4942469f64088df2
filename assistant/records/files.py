"""Original files, kept by the hash of their content."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from assistant.errors import StorageError


class OriginalFiles:
    """A folder of originals: `ab/abcdef….pdf`; the same bytes are kept once."""

    def __init__(self, root: Path) -> None:
        """Works below an existing or new folder."""
        self._root = root

    def put(self, source: Path) -> tuple[str, Path]:
        """Copies a file in, atomically.

        Returns:
            The SHA-256 of the content as hex, and where the copy lies.

        Raises:
            StorageError: the copy cannot be written.
        """
        digest = sha256(source)
        target = self._place(digest, source.suffix)
        if target.exists():
            return digest, target
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, partial = tempfile.mkstemp(dir=target.parent, prefix=f"{digest}.", suffix=".part")
            os.close(handle)
            try:
                shutil.copyfile(source, partial)
                Path(partial).replace(target)
            finally:
                Path(partial).unlink(missing_ok=True)
        except OSError as problem:
            raise StorageError(
                f"{source.name} cannot be kept: {problem}", "Free some disk space."
            ) from problem
        return digest, target

    def path(self, digest: str) -> Path | None:
        """Where the original with this hash lies, or None."""
        return next((place for place in self._places(digest) if place.suffix != ".part"), None)

    def drop(self, digest: str) -> None:
        """Removes an original and half copies of it; unknown ones are ignored.

        Raises:
            StorageError: the disk refuses.
        """
        try:
            for place in self._places(digest):
                place.unlink(missing_ok=True)
        except OSError as problem:
            raise StorageError(f"The original {digest[:8]} cannot be removed: {problem}") from problem

    def _places(self, digest: str) -> list[Path]:
        return sorted((self._root / digest[:2]).glob(f"{digest}.*"))

    def _place(self, digest: str, suffix: str) -> Path:
        return self._root / digest[:2] / f"{digest}{suffix.lower() or '.bin'}"


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes as 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
