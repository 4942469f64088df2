"""Takes in a manual from a supervisor: checks what can be told at once, then hands it to the job queue."""

import re
import secrets
import shutil
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from assistant.app import Lineside
from assistant.errors import DocumentError, InputError, StorageError
from assistant.jobs import Job
from assistant.records.audit import Audit
from assistant.web.failures import TooLargeError

SUFFIXES = (".pdf", ".docx", ".xlsx", ".csv", ".tsv", ".json", ".md", ".markdown", ".html", ".htm", ".txt")
_UNPRINTABLE = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')
NAME_LENGTH = 160


class Uploads:
    """A folder below the home where uploads wait for their job."""

    def __init__(self, lineside: Lineside, audit: Audit) -> None:
        """Hands uploads to the queue of an application."""
        self._lineside = lineside
        self._audit = audit
        self._folder = lineside.home / "uploads"

    def accept(
        self, name: str, content: BinaryIO, *, asset: str = "", model: str = "", label: str = "", user: str
    ) -> Job:
        """Stores one file and queues it.

        Args:
            name: the file's name as the browser gave it; folders in it are dropped.
            content: its bytes.
            asset: tag on the plant's register that the manual holds for, or empty.
            model: model that it holds for, or empty.
            label: revision as printed, or empty to take it from the file name.
            user: who uploads.

        Raises:
            InputError: a type that cannot be read, an empty or oversized file, an unknown asset.
            StorageError: the file cannot be kept.
        """
        document = _document_name(name)
        known = {held.tag.casefold(): held.tag for held in self._lineside.plant.assets()}
        if asset.strip() and asset.strip().casefold() not in known:
            raise InputError(
                f"No asset '{asset.strip()[:60]}' is on the register", "Leave it empty, or add it."
            )
        place = self._folder / secrets.token_hex(8) / document
        try:
            self._store(content, place, document)
            job = self._lineside.jobs.submit(
                place,
                document,
                asset=known.get(asset.strip().casefold()),
                model=model.strip()[:100] or None,
                label=label.strip()[:100],
                user=user,
            )
        except BaseException:
            shutil.rmtree(place.parent, ignore_errors=True)
            raise
        self._audit.note(user, "uploaded", document)
        return job

    def _store(self, content: BinaryIO, place: Path, document: str) -> None:
        limit = self._lineside.settings.web.upload_mb * 1_000_000
        try:
            place.parent.mkdir(parents=True)
            size = 0
            with place.open("wb") as target:
                while block := content.read(1 << 20):
                    size += len(block)
                    if size > limit:
                        raise TooLargeError(
                            f"{document} is larger than {limit // 1_000_000} MB",
                            "Split it, or ingest it by command.",
                        )
                    target.write(block)
        except OSError as problem:
            raise StorageError(f"{document} cannot be kept: {problem}", "Free some disk space.") from problem
        if size == 0:
            raise DocumentError(f"{document} is empty", "Choose another file.")


def _document_name(name: str) -> str:
    document = _UNPRINTABLE.sub("_", PurePosixPath(name.replace("\\", "/")).name).strip(" .")
    suffix = PurePosixPath(document).suffix.lower()
    if suffix not in SUFFIXES:
        raise DocumentError(
            f"{document[:80] or 'The file'} is not a manual", f"Give one of {', '.join(SUFFIXES)}."
        )
    return document if len(document) <= NAME_LENGTH else document[: NAME_LENGTH - len(suffix)] + suffix
