"""compose.yaml and the Dockerfile, as far as they can be tried without a container engine."""

import re
import shlex
import subprocess
import threading
import tomllib
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from compose_spec import PyCompose, PyOptions

from assistant.cli import build
from assistant.settings import load_settings

ROOT = Path(__file__).parents[1]
KEYS = {"LINESIDE_LLM_API_KEY": "llm-key", "LINESIDE_QDRANT_API_KEY": "qdrant-key"}
VARIABLE = re.compile(r"\$\{(\w+)(?::([-+?])((?:[^{}]|\{[^{}]*\})*))?\}")


def interpolate(text: str, environment: Mapping[str, str]) -> str:
    """Replaces ${NAME}, ${NAME:-default}, ${NAME:+alternative} and ${NAME:?message} as compose does."""

    def value(match: re.Match[str]) -> str:
        name, kind, word = match.groups()
        held = environment.get(name, "")
        if kind == "?" and not held:
            raise KeyError(f"{name}: {word}")
        if kind == "+":
            return interpolate(word, environment) if held else ""
        return held or (interpolate(word, environment) if kind == "-" else "")

    return VARIABLE.sub(value, text)


def load(environment: Mapping[str, str]) -> dict[str, Any]:
    text = "\n".join(
        line
        for line in (ROOT / "compose.yaml").read_text(encoding="utf-8").splitlines()
        if not line.lstrip().startswith("#")
    )
    document: dict[str, Any] = yaml.safe_load(interpolate(text, environment))
    return document


@pytest.fixture
def services() -> dict[str, Any]:
    held: dict[str, Any] = load(KEYS)["services"]
    return held


def test_the_file_keeps_to_the_compose_specification() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    options = PyOptions(apply_merge=True)
    # The library wants final values where the schema has numbers and durations.
    options.from_yaml(interpolate(text, KEYS)).validate()
    with pytest.raises(ValueError, match="restrat"):
        PyCompose.from_yaml("services: {app: {image: x, restrat: always}}")


def test_without_its_keys_nothing_starts() -> None:
    for missing in KEYS:
        with pytest.raises(KeyError, match=missing):
            load({name: key for name, key in KEYS.items() if name != missing})


@pytest.mark.parametrize("name", ["app", "worker"])
def test_every_lineside_command_exists_with_its_options(services: dict[str, Any], name: str) -> None:
    command, *arguments = services[name]["command"]
    group = typer.main.get_command(build())
    found = group.commands[command]  # type: ignore[attr-defined]
    assert found.make_context(command, list(arguments)).params is not None


@pytest.mark.parametrize("name", ["app", "worker"])
def test_every_variable_is_a_setting_that_the_application_accepts(
    services: dict[str, Any], name: str, tmp_path: Path
) -> None:
    settings = load_settings(services[name]["environment"], tmp_path)
    assert settings.llm.url == "http://vllm:8000/v1"
    assert settings.llm.api_key.get_secret_value() == services["vllm"]["environment"]["VLLM_API_KEY"]
    key = services["qdrant"]["environment"]["QDRANT__SERVICE__API_KEY"]
    assert settings.store.qdrant_api_key.get_secret_value() == key
    assert settings.llm.context_tokens == int(vllm_option(services, "--max-model-len"))
    assert settings.llm.model == vllm_option(services, "--served-model-name")


def test_an_adapter_takes_over_the_name_that_the_application_asks_for() -> None:
    services = load({**KEYS, "LINESIDE_VLLM_ADAPTER": "press-shop"})["services"]
    assert vllm_option(services, "--lora-modules") == "lineside=/adapters/press-shop"
    assert vllm_option(services, "--served-model-name") == "base-of-lineside"
    assert "--lora-modules" not in shlex.split(load(KEYS)["services"]["vllm"]["command"])


def test_only_the_application_is_published_and_only_on_loopback(services: dict[str, Any]) -> None:
    published = {name: service.get("ports", []) for name, service in services.items()}
    assert published == {"app": ["127.0.0.1:7860:7860"], "worker": [], "qdrant": [], "vllm": []}


def test_the_check_of_qdrant_tells_ready_from_not_ready(services: dict[str, Any]) -> None:
    status = 200

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/readyz"
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named so by the base class
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [
            part.replace("6333", str(server.server_port))
            for part in services["qdrant"]["healthcheck"]["test"]
        ]
        assert subprocess.run(command[1:], check=False, timeout=10).returncode == 0
        status = 503
        assert subprocess.run(command[1:], check=False, timeout=10).returncode != 0
        server.shutdown()


def test_the_image_copies_what_exists_and_installs_the_committed_lock() -> None:
    dockerfile = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    copied = [
        source
        for line in re.findall(r"^COPY (.+)$", dockerfile, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    kept = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").split() if line[0] == "!"
    }
    assert set(copied) == kept, ".dockerignore keeps exactly what is copied"
    for source in copied:
        assert (ROOT / source).exists(), source
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= set(copied)
    installs = [line for line in dockerfile.splitlines() if "pip install" in line]
    assert [line.split()[-2:] for line in installs] == [["-r", "requirements/app.txt"], ["-e", "."]]
    assert 'ENTRYPOINT ["lineside"]' in dockerfile
    assert "lineside" in project["project"]["scripts"]


def test_the_locks_pin_every_package() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        lines = [
            line for line in lock.read_text(encoding="utf-8").splitlines() if line and line[0] not in " #"
        ]
        assert lines
        assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.+!]+", line)] == []


@pytest.mark.slow
def test_vllm_knows_every_option_that_compose_gives_it() -> None:
    python = ROOT / ".venv-vllm" / "bin" / "python"
    if not python.exists():
        pytest.skip("no .venv-vllm here: run `make test`")
    command = [str(python), "-m", "vllm.entrypoints.openai.api_server", "--help=all"]
    known = subprocess.run(command, capture_output=True, text=True, check=True, timeout=250).stdout
    services = load({**KEYS, "LINESIDE_VLLM_ADAPTER": "press-shop"})["services"]
    for option in [word for word in shlex.split(services["vllm"]["command"]) if word.startswith("--")]:
        assert re.search(rf"{option}\b", known), option


def vllm_option(services: dict[str, Any], name: str) -> str:
    words = shlex.split(services["vllm"]["command"])
    return words[words.index(name) + 1]
