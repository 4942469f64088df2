"""Starting the model server: the right command line, clear refusals, and no process left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from assistant.errors import InputError, LLMUnavailableError, MissingExtraError, ModelError, SettingsError
from assistant.models.fetch import ModelFolder
from assistant.serving import plan as planning
from assistant.serving.plan import LaunchPlan, bindable_cores, check_adapter, find_interpreter, plan_server
from assistant.serving.process import ModelServer, cause_of_death
from assistant.settings import ServerSettings

# Stands for vLLM: the same two addresses, and a worker process of its own.
STAND_IN = """
import http.server, subprocess, sys, time
time.sleep(0.5)
sleeper = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
worker = subprocess.Popen([sys.executable, "-c", sleeper])
print("worker", worker.pid, flush=True)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    do_POST = do_GET
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "press-model"
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    folder.mkdir()
    config = {"r": 12, "base_model_name_or_path": "/elsewhere/press-model"}
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    return folder


@pytest.fixture
def python_with_vllm(tmp_path: Path) -> Path:
    """An interpreter that finds a module named vllm."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "vllm.py").touch()
    python = tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\nPYTHONPATH={tmp_path / "site"} exec {sys.executable} "$@"\n', encoding="utf-8"
    )
    python.chmod(0o755)
    return python


def plan_for(model: Path, python: Path, **settings: object) -> LaunchPlan:
    chosen = {"model": str(model), "python": python, "device": "cpu", "port": 9001, **settings}
    return plan_server(ServerSettings.model_validate(chosen), model.parent / "home")


def test_on_a_cpu_every_core_works_and_the_address_is_loopback(model: Path, python_with_vllm: Path) -> None:
    plan = plan_for(model, python_with_vllm)
    assert plan.address == "http://127.0.0.1:9001"
    assert plan.argv[:3] == (str(python_with_vllm), "-m", "vllm.entrypoints.openai.api_server")
    assert option(plan, "--model") == str(model)
    assert option(plan, "--host") == "127.0.0.1"
    assert option(plan, "--served-model-name") == plan.served_name == "lineside"
    assert "--enable-lora" not in plan.argv
    assert "--gpu-memory-utilization" not in plan.argv
    assert plan.environment["HF_HUB_OFFLINE"] == "1"
    if len(bindable_cores()) <= planning.CORES_TO_BIND:
        assert plan.environment["VLLM_CPU_OMP_THREADS_BIND"].split(",") == [str(n) for n in bindable_cores()]
        assert plan.environment["VLLM_CPU_NUM_OF_RESERVED_CPU"] == "0"


def test_on_a_gpu_memory_is_shared_and_nothing_is_said_about_the_cpu(
    model: Path, python_with_vllm: Path
) -> None:
    plan = plan_for(model, python_with_vllm, device="gpu", gpu_memory_share=0.5)
    assert option(plan, "--gpu-memory-utilization") == "0.5"
    assert "--enforce-eager" not in plan.argv
    assert not [name for name in plan.environment if name.startswith("VLLM_CPU")]


def test_an_adapter_takes_the_name_that_requests_use(
    model: Path, python_with_vllm: Path, adapter: Path
) -> None:
    plan = plan_for(model, python_with_vllm, adapter=adapter)
    assert option(plan, "--lora-modules") == f"lineside={adapter}"
    assert option(plan, "--served-model-name") == "lineside-base"
    assert option(plan, "--max-lora-rank") == "16", "the smallest that vLLM has for rank 12"


def test_an_adapter_of_another_model_is_refused(model: Path, adapter: Path) -> None:
    assert check_adapter(adapter, model, str(model)) == 16
    with pytest.raises(InputError, match="was trained for /elsewhere/press-model, not for Maker/Other"):
        check_adapter(adapter, None, "Maker/Other")
    (adapter / "adapter_model.safetensors").unlink()
    with pytest.raises(InputError, match="has no adapter_model.safetensors"):
        check_adapter(adapter, model, str(model))
    with pytest.raises(InputError, match="is not a LoRA adapter"):
        check_adapter(model, model, str(model))


def test_a_model_that_is_not_there_names_the_command_that_brings_it(tmp_path: Path) -> None:
    models = ModelFolder(tmp_path)
    with pytest.raises(ModelError, match="lineside models fetch qwen2.5-coder-0.5b-instruct"):
        planning.find_served_model("qwen2.5-coder-0.5b-instruct", models)
    with pytest.raises(SettingsError, match="There is no model 'qwen'"):
        planning.find_served_model("qwen", models)
    with pytest.raises(ModelError, match="has no config.json"):
        planning.find_served_model(str(tmp_path), models)
    assert planning.find_served_model("Maker/Large-7B", models) == ("Maker/Large-7B", None)


def test_a_python_without_vllm_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match="has no vLLM"):
        find_interpreter(Path(sys.executable))
    with pytest.raises(MissingExtraError, match="nothing has no vLLM"):
        find_interpreter(tmp_path / "nothing")


def test_other_machines_reach_the_server_only_with_a_key(model: Path, python_with_vllm: Path) -> None:
    with pytest.raises(InputError, match="Set LINESIDE_LLM_API_KEY"):
        plan_for(model, python_with_vllm, host="0.0.0.0")
    settings = ServerSettings(model=str(model), python=python_with_vllm, device="cpu", host="0.0.0.0")
    plan = plan_server(settings, model.parent, api_key="secret")
    assert plan.environment["VLLM_API_KEY"] == "secret"
    assert "secret" not in plan.argv, "command lines can be read by every user of the machine"


def test_the_server_is_ready_when_it_answers_and_ends_with_its_workers(
    tmp_path: Path, unused_port: int
) -> None:
    server = stand_in(tmp_path, unused_port)
    server.start()
    assert not server.answers()
    assert 0.5 <= server.wait(30) < 30
    worker = int((tmp_path / "logs" / "vllm.log").read_text(encoding="utf-8").split()[1])
    assert psutil.pid_exists(worker)
    server.stop()
    assert not psutil.pid_exists(worker) or psutil.Process(worker).status() == psutil.STATUS_ZOMBIE


def test_a_taken_port_and_a_slow_start_are_told(tmp_path: Path, unused_port: int) -> None:
    server = stand_in(tmp_path, unused_port)
    server.start()
    with pytest.raises(LLMUnavailableError, match="was not ready after 0 s"):
        server.wait(0)
    server.wait(30)
    with pytest.raises(InputError, match=f"Port {unused_port} is taken"):
        stand_in(tmp_path, unused_port).start()
    server.stop()


def test_a_server_that_dies_gives_the_reason_from_its_log(tmp_path: Path, unused_port: int) -> None:
    script = (
        "print('(Worker pid=1) ERROR 11-23 [x.py:1] ValueError: no room for the cache'); raise SystemExit(1)"
    )
    server = ModelServer(launch(unused_port, "-c", script), tmp_path / "logs" / "vllm.log")
    server.start()
    with pytest.raises(LLMUnavailableError, match="vLLM ended: ValueError: no room for the cache"):
        server.wait(30)
    server.stop()


def test_the_root_cause_is_preferred_to_what_it_caused(tmp_path: Path) -> None:
    log = tmp_path / "vllm.log"
    log.write_text(
        "(EngineCore pid=9) ERROR 11-23 [core.py:9] OSError: config.json is damaged\n"
        "Traceback (most recent call last):\n"
        "RuntimeError: Engine core initialization failed. See root cause above.\n",
        encoding="utf-8",
    )
    assert cause_of_death(log) == "OSError: config.json is damaged"
    assert cause_of_death(tmp_path / "none.log") == "it printed nothing"


@pytest.mark.live
def test_the_default_model_answers_sanely_in_both_languages(live_llm: str) -> None:
    for question, expected in (
        ("What is the capital of France? Answer in one word.", "Paris"),
        ("法国的首都是哪里？用中文回答。", "巴黎"),
    ):
        body = {"model": "lineside", "temperature": 0, "max_tokens": 30}
        body |= {"messages": [{"role": "user", "content": question}]}
        answer = httpx.post(f"{live_llm}/chat/completions", json=body, timeout=120, trust_env=False).json()
        assert expected in answer["choices"][0]["message"]["content"]


@pytest.mark.slow
def test_llm_serve_ends_the_server_when_it_is_told_to_stop(
    tmp_path: Path, model: Path, python_with_vllm: Path, unused_port: int
) -> None:
    (tmp_path / "site" / "vllm.py").unlink()
    package = tmp_path / "site" / "vllm" / "entrypoints" / "openai"
    package.mkdir(parents=True)
    (package / "api_server.py").write_text(
        f"import sys; sys.argv[1:] = ['{unused_port}']\n{STAND_IN}", encoding="utf-8"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LINESIDE_")}
    environment |= {"LINESIDE_HOME": str(tmp_path / "home"), "LINESIDE_VLLM_PYTHON": str(python_with_vllm)}
    command = [
        sys.executable,
        "-m",
        "assistant",
        "llm",
        "serve",
        "--model",
        str(model),
        "--device",
        "cpu",
    ]
    with subprocess.Popen(
        [*command, "--port", str(unused_port)], env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        line = next(line for line in process.stderr if "vLLM loads" not in line)
        assert line.startswith("lineside ready after")
        assert line.strip().endswith(f"at http://127.0.0.1:{unused_port}/v1")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and is_listening(unused_port):
        time.sleep(0.1)
    assert not is_listening(unused_port)


def option(plan: LaunchPlan, name: str) -> str:
    return plan.argv[plan.argv.index(name) + 1]


def launch(port: int, *arguments: str) -> LaunchPlan:
    return LaunchPlan((sys.executable, *arguments), {}, "127.0.0.1", port, "lineside", "cpu")


def stand_in(folder: Path, port: int) -> ModelServer:
    return ModelServer(launch(port, "-c", STAND_IN, str(port)), folder / "logs" / "vllm.log")


def is_listening(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=1, trust_env=False).is_success
    except httpx.TransportError:
        return False
