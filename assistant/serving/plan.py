"""Settings -> the command line and environment that start vLLM. Decides; starts nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from assistant.errors import InputError, MissingExtraError, ModelError, SettingsError
from assistant.models.catalogue import CATALOGUE
from assistant.models.fetch import ModelFolder, read_manifest
from assistant.settings import ServerSettings

# Ranks that vLLM has kernels for.
LORA_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
# Beyond this many cores vLLM's own placement, which knows about NUMA nodes, does better than one list.
CORES_TO_BIND = 8


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """Everything that starting the server takes.

    Attributes:
        argv: the command line.
        environment: variables added to those of this process.
        host: address to bind.
        port: port to bind.
        served_name: name under which requests reach the model or, if there is one, the adapter.
        device: what it will run on.
        api_key: what requests must carry; empty for none.
    """

    argv: tuple[str, ...]
    environment: dict[str, str]
    host: str
    port: int
    served_name: str
    device: Literal["cpu", "gpu"]
    api_key: str = ""

    @property
    def address(self) -> str:
        """Where the server will be reached from this machine."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def plan_server(settings: ServerSettings, home: Path, api_key: str = "") -> LaunchPlan:
    """Works out how to start vLLM here.

    Args:
        settings: model, adapter, device and limits.
        home: LINESIDE_HOME; holds the models, and vLLM's caches so that a second start is faster.
        api_key: what clients must send.

    Raises:
        MissingExtraError: no interpreter with vLLM.
        ModelError: the model is not ready.
        InputError: the adapter cannot be used, or the port would be open to other machines without a key.
    """
    _check_host(settings.host, api_key)
    model, folder = find_served_model(settings.model, ModelFolder(home / "models"))
    device = settings.device if settings.device != "auto" else "gpu" if has_gpu() else "cpu"
    argv = [str(find_interpreter(settings.python)), "-m", "vllm.entrypoints.openai.api_server"]
    argv += ["--model", model, "--host", settings.host, "--port", str(settings.port)]
    argv += ["--dtype", "bfloat16", "--max-model-len", str(settings.context_tokens), "--disable-fastapi-docs"]
    # The model's folder may hold sampling defaults; requests say what they want themselves.
    argv += ["--generation-config", "vllm"]
    if settings.adapter:
        rank = check_adapter(settings.adapter, folder, model)
        argv += ["--served-model-name", f"{settings.served_name}-base", "--enable-lora"]
        argv += ["--max-lora-rank", str(rank), "--lora-modules", f"{settings.served_name}={settings.adapter}"]
    else:
        argv += ["--served-model-name", settings.served_name]
    if device == "gpu":
        argv += ["--gpu-memory-utilization", f"{settings.gpu_memory_share:g}"]
    elif not settings.compile:
        argv += ["--enforce-eager"]
    environment = {"VLLM_CACHE_ROOT": str(home / "cache" / "vllm"), "VLLM_NO_USAGE_STATS": "1"}
    if folder:
        environment |= {"HF_HUB_OFFLINE": "1"}
    if device == "cpu":
        environment |= _cpu_environment(settings.cpu_kv_cache_gib)
        # Ahead-of-time artefacts of this version do not load again; the older cache does.
        environment |= {"VLLM_USE_AOT_COMPILE": "0"} if settings.compile else {}
    if api_key:
        environment |= {"VLLM_API_KEY": api_key}
    return LaunchPlan(
        tuple(argv), environment, settings.host, settings.port, settings.served_name, device, api_key
    )


def find_served_model(name: str, models: ModelFolder) -> tuple[str, Path | None]:
    """What vLLM is told to load, and its folder unless it is to come from a hub.

    Args:
        name: catalogue name, folder, or OWNER/NAME on a model hub.
        models: the models of this home.

    Raises:
        ModelError: a catalogue model that was not fetched, or a folder without a model.
        SettingsError: none of the three.
    """
    entry = next((model for model in CATALOGUE if model.name == name), None)
    if entry:
        if not models.is_ready(entry):
            raise ModelError(f"{name} is not here yet", f"Run: lineside models fetch {name}")
        return str(models.path(entry)), models.path(entry)
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise ModelError(f"{folder} has no config.json", "Name a folder in Hugging Face format.")
        return str(folder.resolve()), folder.resolve()
    if name.count("/") == 1 and not name.startswith((".", "~", "/")):
        return name, None
    known = ", ".join(model.name for model in CATALOGUE)
    raise SettingsError(
        f"There is no model {name!r}", f"Name a folder, OWNER/NAME on a model hub, or one of: {known}."
    )


def find_interpreter(configured: Path | None) -> Path:
    """A Python that has vLLM: the configured one, this one, or that of .venv-vllm beside this environment.

    Raises:
        MissingExtraError: none of them has it.
    """
    if configured is None and find_spec("vllm"):
        return Path(sys.executable)
    python = configured or Path(sys.prefix).parent / ".venv-vllm" / "bin" / "python"
    probe = [str(python), "-c", "import importlib.util, sys; sys.exit(not importlib.util.find_spec('vllm'))"]
    if not os.access(python, os.X_OK) or subprocess.run(probe, check=False, capture_output=True).returncode:
        raise MissingExtraError(
            f"{python} has no vLLM", "Run `make run`, or point LINESIDE_VLLM_PYTHON to a Python that has it."
        )
    return python


def check_adapter(adapter: Path, model_folder: Path | None, model: str) -> int:
    """Makes sure that an adapter was trained for this model.

    Returns:
        The rank to prepare the server for.

    Raises:
        InputError: it is no LoRA adapter, or another model's.
    """
    try:
        config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
        rank, base = int(config["r"]), str(config["base_model_name_or_path"])
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise InputError(f"{adapter} is not a LoRA adapter: {problem}", "Name its folder.") from problem
    if not (adapter / "adapter_model.safetensors").is_file():
        raise InputError(f"{adapter} has no adapter_model.safetensors", "Name a finished adapter.")
    names = {Path(model).name, str(read_manifest(model_folder).get("base", "")) if model_folder else model}
    if not {base.casefold(), Path(base).name.casefold()} & {name.casefold() for name in names}:
        raise InputError(f"{adapter} was trained for {base}, not for {model}", "Serve it with that model.")
    if rank > LORA_RANKS[-1]:
        raise InputError(f"{adapter} has rank {rank}; vLLM serves up to {LORA_RANKS[-1]}")
    return min(allowed for allowed in LORA_RANKS if allowed >= rank)


def has_gpu() -> bool:
    """True when a driver for an NVIDIA or AMD accelerator is loaded."""
    return any(Path(device).exists() for device in ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd"))


def bindable_cores() -> list[int]:
    """One hardware thread of each core that this process may use; a second one only slows matrix products."""
    cores, taken = [], set()
    for cpu in sorted(os.sched_getaffinity(0)):
        siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        core = siblings.read_text(encoding="ascii").strip() if siblings.is_file() else str(cpu)
        if core not in taken:
            cores.append(cpu)
            taken.add(core)
    return cores


def _cpu_environment(kv_cache_gib: float) -> dict[str, str]:
    environment = {"VLLM_CPU_KVCACHE_SPACE": str(max(1, round(kv_cache_gib)))}
    cores: Sequence[int] = bindable_cores()
    if len(cores) <= CORES_TO_BIND:
        # By default vLLM keeps a core for itself, which on two cores halves the speed.
        environment["VLLM_CPU_OMP_THREADS_BIND"] = ",".join(str(core) for core in cores)
        environment["VLLM_CPU_NUM_OF_RESERVED_CPU"] = "0"
    return environment


def _check_host(host: str, api_key: str) -> None:
    try:
        loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError as problem:
        raise SettingsError(f"LINESIDE_VLLM_HOST is not an address: {host}") from problem
    if not loopback and not api_key:
        raise InputError(f"{host} can be reached from other machines", "Set LINESIDE_LLM_API_KEY as well.")
