"""Where the documents of a dataset come from, under which licence, and the homes that hold them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import yaml

from assistant.errors import InputError, StorageError

OWN_LICENCE = "the plant's own documents; neither they nor what is trained on them leaves the plant"
DEMONSTRATION = "demonstration-plant"
DEMONSTRATION_LICENCE = "Apache-2.0, this project's own writing"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Source:
    """Documents of one origin.

    Attributes:
        home: LINESIDE_HOME that holds them; None for a source that is not used.
        licence: name of the licence and what it covers.
        reason: why it is not used; empty for one that is.
    """

    name: str
    licence: str
    origin: str
    home: Path | None
    reason: str = ""


def source_of_home(home: Path) -> Source:
    """A plant's home as a source.

    Raises:
        InputError: the folder is no home.
    """
    if not (home / "records.sqlite").is_file():
        raise InputError(f"{home} is no home of Lineside", "Give a folder that `lineside ingest` has filled.")
    if (home / DEMONSTRATION).is_file():
        return Source(
            DEMONSTRATION, DEMONSTRATION_LICENCE, "the demonstration plant of this repository", home
        )
    return Source(home.resolve().name, OWN_LICENCE, "a home of Lineside", home)


def prepare_sources(folder: Path, homes: Path, models: Path, say: Say) -> Iterator[Source]:
    """Every source of sources.yaml that lies in a folder, ingested into a home of its own when it is used.

    Args:
        folder: as given with --sources.
        homes: takes the homes; one that is there already is used again.
        models: folder of the models, which all homes share.
        say: prints one line for the user.

    Raises:
        InputError: the folder holds none of them.
        StorageError: a source cannot be ingested.
    """
    entries = yaml.safe_load(files("finetune").joinpath("sources.yaml").read_text(encoding="utf-8"))
    held = [entry for entry in entries if (folder / entry["folder"]).is_dir()]
    if not held:
        known = ", ".join(entry["folder"] for entry in entries)
        raise InputError(f"{folder} holds no known source", f"It should have some of: {known}.")
    for entry in held:
        described = (entry["name"], entry["licence"], entry["origin"])
        if not entry["train"]:
            yield Source(*described, None, entry["reason"])
        elif entry["licence_file"] and not (folder / entry["licence_file"]).is_file():
            yield Source(*described, None, f"its licence {entry['licence_file']} is missing")
        else:
            home = homes / entry["name"]
            _ingest(folder / entry["folder"], home, models, say)
            yield Source(*described, home)


def _ingest(documents: Path, home: Path, models: Path, say: Say) -> None:
    done = home / "ingested"
    if done.exists():
        return
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "models").exists() and models.is_dir():
        (home / "models").symlink_to(models.resolve())
    say(f"ingesting {documents.name}")
    kept = {name: value for name, value in os.environ.items() if name != "LINESIDE_HOME"}
    command = [sys.executable, "-m", "assistant", "ingest", str(documents)]
    code = subprocess.run(
        command, env={**kept, "LINESIDE_HOME": str(home)}, stdout=subprocess.DEVNULL, check=False
    ).returncode
    # 1 says that some files could not be read, which is no reason to do without the others.
    if code not in {0, 1}:
        raise StorageError(f"{documents} was not ingested, see above")
    done.touch()
