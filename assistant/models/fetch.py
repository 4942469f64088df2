"""Source -> verified GGUF file -> converted folder that vLLM serves. Never leaves a half model behind."""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from assistant.errors import HomeInUseError, InputError, ModelError, StorageError
from assistant.models.catalogue import CatalogueModel
from assistant.models.convert import convert_gguf
from assistant.models.sources import Report, Source, free_bytes

MANIFEST = "manifest.json"
# Converts a GGUF file into a folder; returns what it was made with, for the manifest.
Convert = Callable[[Path, Path, Path], dict[str, str]]


@dataclass(frozen=True, slots=True)
class FetchOutcome:
    """What became of one model."""

    name: str
    status: Literal["fetched", "unchanged"]
    folder: Path
    source: str
    seconds: float


class ModelFolder:
    """The models below one LINESIDE_HOME: models/NAME when ready, models/.work/NAME while being made.

    Args:
        root: LINESIDE_HOME/models.
        convert: turns the verified file into a folder.
        free: free bytes of the disk that holds a folder.
    """

    def __init__(
        self, root: Path, convert: Convert = convert_gguf, free: Callable[[Path], int] = free_bytes
    ) -> None:
        self._root = root
        self._convert = convert
        self._free = free

    def path(self, model: CatalogueModel) -> Path:
        """Where the model is or will be."""
        return self._root / model.name

    def is_ready(self, model: CatalogueModel) -> bool:
        """True when the folder was made from the catalogue's file and none of its files lost a byte."""
        manifest = read_manifest(self.path(model))
        if manifest.get("sha256") != model.sha256:
            return False
        return all(
            (self.path(model) / name).is_file() and (self.path(model) / name).stat().st_size == size
            for name, size in manifest.get("files", {}).items()
        )

    def fetch(self, model: CatalogueModel, sources: Sequence[Source], report: Report) -> FetchOutcome:
        """Makes the model ready, from the first source that brings the right file.

        Raises:
            InputError: a file that the caller named is missing or not this model's.
            ModelError: no source had it, or it cannot be converted.
            StorageError: the disk is too small.
            HomeInUseError: another process is fetching this model.
        """
        started = time.monotonic()
        with self._exclusive(model) as work:
            if self.is_ready(model):
                return FetchOutcome(model.name, "unchanged", self.path(model), "", 0.0)
            file, label = self._obtain(model, sources, work, report)
            report("converting to bf16", 1.0)
            self._make(model, file, label, work)
            shutil.rmtree(work)
        return FetchOutcome(model.name, "fetched", self.path(model), label, time.monotonic() - started)

    def _obtain(
        self, model: CatalogueModel, sources: Sequence[Source], work: Path, report: Report
    ) -> tuple[Path, str]:
        problems = []
        for source in sources:
            self._check_space(model, source, work)
            try:
                file = source.obtain(model, work, report)
            except ModelError as problem:
                problems.append(f"{source.label}: {problem}")
                continue
            report("verifying the digest", 1.0)
            actual = sha256_of(file)
            if actual == model.sha256:
                return file, source.label
            wrong = f"expected SHA-256 {model.sha256}, got {actual}"
            # What was downloaded is worthless; what somebody else's disk holds is not ours to delete.
            if work not in file.parents:
                raise InputError(f"{file} is not {model.file}: {wrong}")
            shutil.rmtree(work)
            work.mkdir()
            problems.append(f"{source.label}: {wrong}; removed")
        raise ModelError(f"{model.name} cannot be fetched: {'; '.join(problems)}", "Try again or use --from.")

    def _check_space(self, model: CatalogueModel, source: Source, work: Path) -> None:
        held = sum(path.stat().st_size for path in work.rglob("*") if path.is_file())
        needed = max(0, source.bytes_needed(model) - held) + model.converted_bytes
        free = self._free(self._root)
        if free < needed:
            raise StorageError(
                f"{model.name} needs {needed / 1e9:.1f} GB in {self._root}, {free / 1e9:.1f} GB are free",
                "Make room or set LINESIDE_HOME to a larger disk.",
            )

    def _make(self, model: CatalogueModel, file: Path, source: str, work: Path) -> None:
        fresh, final = work / "converted", self.path(model)
        shutil.rmtree(fresh, ignore_errors=True)
        made_with = self._convert(file, fresh, work / "convert.log")
        manifest = {
            "name": model.name,
            "base": model.base,
            "licence": model.licence,
            "file": model.file,
            "sha256": model.sha256,
            "source": source,
            "made_with": made_with,
            "files": {path.name: path.stat().st_size for path in sorted(fresh.iterdir())},
        }
        (fresh / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        if final.exists():
            shutil.rmtree(final)
        os.replace(fresh, final)

    @contextmanager
    def _exclusive(self, model: CatalogueModel) -> Iterator[Path]:
        """The work folder of a model, for one process at a time."""
        work = self._root / ".work" / model.name
        try:
            work.mkdir(parents=True, exist_ok=True)
            with (work.parent / f"{model.name}.lock").open("w", encoding="utf-8") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                work.mkdir(exist_ok=True)
                yield work
        except BlockingIOError as problem:
            raise HomeInUseError(f"Another process is fetching {model.name}", "Wait for it.") from problem
        except OSError as problem:
            raise StorageError(f"{self._root} cannot be written: {problem}") from problem


def sha256_of(file: Path) -> str:
    """The digest of a file of any size, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a converted model, or an empty dict when there is none that can be read."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}
