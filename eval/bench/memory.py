"""Memory of the running application without the model server, after it has answered."""

import json
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil

from assistant.errors import LinesideError
from eval.bench.plant import environment_for

START_SECONDS = 180.0


def measure_memory(home: Path, port: int, questions: tuple[str, ...]) -> float:
    """Starts `lineside serve` on a home, asks questions over its API, and reads its resident memory.

    Args:
        home: with manuals ingested; no other process may hold it.
        port: free on loopback.
        questions: asked one after the other.

    Returns:
        MiB of the process and its children.

    Raises:
        LinesideError: the application did not come up or did not answer.
    """
    environment = environment_for(home, LINESIDE_LLM_URL="http://127.0.0.1:9/v1")
    users = subprocess.run(
        [sys.executable, "-m", "assistant", "users", "demo", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    password = next(u["password"] for u in json.loads(users.stdout) if u["name"] == "technician")
    argv = [sys.executable, "-m", "assistant", "serve", "--port", str(port)]
    process = subprocess.Popen(argv, env=environment, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            _wait(client, process)
            client.post("/sign-in", data={"name": "technician", "password": password})
            for text in questions:
                client.post("/api/v1/ask", json={"question": text}).raise_for_status()
        running = psutil.Process(process.pid)
        family = [running, *running.children(recursive=True)]
        return float(sum(one.memory_info().rss for one in family) / 2**20)
    finally:
        process.terminate()
        process.wait(30)


def _wait(client: httpx.Client, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if client.get("/healthz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.3)
    raise LinesideError("The application did not come up for the memory figure")
