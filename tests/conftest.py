"""Fixtures that several test files share."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

REPOSITORY = Path(__file__).parents[1]
LIVE_HOME = REPOSITORY / ".lineside"
LIVE_SECONDS = 600


def unused_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def live_llm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL (…/v1) of a real vLLM that serves the default model as 'lineside'.

    LINESIDE_TEST_LLM_URL names one that runs already; else `lineside llm serve` starts one for the session.
    """
    given = os.environ.get("LINESIDE_TEST_LLM_URL")
    if given:
        yield given
        return
    if not (REPOSITORY / ".venv-vllm" / "bin" / "python").exists() or not (LIVE_HOME / "models").exists():
        pytest.skip("no model server here: `make test` sets it up, or set LINESIDE_TEST_LLM_URL")
    port = unused_port()
    log = tmp_path_factory.mktemp("llm") / "serve.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LINESIDE_")}
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "assistant.cli", "llm", "serve", "--port", str(port)],
            cwd=REPOSITORY,
            env={**environment, "LINESIDE_HOME": str(LIVE_HOME)},
            stdout=out,
            stderr=out,
        )
    try:
        deadline = time.monotonic() + LIVE_SECONDS
        while "ready after" not in log.read_text(encoding="utf-8"):
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the model server did not start:\n{log.read_text(encoding='utf-8')}")
            time.sleep(0.5)
        assert httpx.get(f"http://127.0.0.1:{port}/v1/models", trust_env=False).is_success
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
