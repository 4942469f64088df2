"""A running vLLM: started in a process group of its own, watched, and ended as a whole."""

import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import httpx

from assistant.errors import InputError, LLMUnavailableError
from assistant.serving.plan import LaunchPlan

STOP_SECONDS = 15.0
# 'ValueError: …' behind vLLM's '(EngineCore pid=12) ERROR 11-23 14:46:10 [core.py:133] '.
EXCEPTION_LINE = re.compile(r"(?:^|\s)(\w*(?:Error|Exception|Killed)\b: .*)$")


class StopRequestedError(BaseException):
    """The user or the system asked this process to end."""


@contextmanager
def until_stopped() -> Iterator[threading.Event]:
    """Runs the block until it ends or SIGINT, SIGTERM or SIGHUP arrives, which ends it quietly.

    Once one has arrived further ones are ignored, so that the clean-up inside the block is not cut short.

    Yields:
        Set once a signal has arrived: code of others may swallow the exception that ends the block.
    """
    asked = threading.Event()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(number: int, frame: FrameType | None) -> None:
        for one in signals:
            signal.signal(one, signal.SIG_IGN)
        asked.set()
        raise StopRequestedError

    before = {one: signal.signal(one, stop) for one in signals}
    try:
        yield asked
    except StopRequestedError:
        return
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


class ModelServer:
    """One vLLM process and everything it starts.

    Args:
        plan: how to start it.
        log: file that takes its output; the one of the start before is kept beside it.
    """

    def __init__(self, plan: LaunchPlan, log: Path) -> None:
        self._plan = plan
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        headers = {"Authorization": f"Bearer {plan.api_key}"} if plan.api_key else {}
        # Never through a proxy: the server is on this machine.
        self._client = httpx.Client(base_url=plan.address, headers=headers, timeout=30, trust_env=False)

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return time.monotonic() - self._started

    def start(self) -> None:
        """Starts the process and returns at once.

        Raises:
            InputError: the port is taken.
        """
        if not port_is_free(self._plan.host, self._plan.port):
            raise InputError(f"Port {self._plan.port} is taken", "Stop what uses it or give another --port.")
        self._log.parent.mkdir(parents=True, exist_ok=True)
        if self._log.exists():
            self._log.replace(self._log.with_suffix(".log.1"))
        self._started = time.monotonic()
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(
                dying_with_parent(self._plan.argv),
                env={**os.environ, **self._plan.environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def check_alive(self) -> None:
        """Does nothing while the process runs.

        Raises:
            LLMUnavailableError: it ended; gives the line of the log that says why.
        """
        if self._process is None or self._process.poll() is not None:
            raise LLMUnavailableError(f"vLLM ended: {cause_of_death(self._log)}", f"Its log is {self._log}.")

    def answers(self) -> bool:
        """True when the server is up and has produced a token."""
        try:
            if not self._client.get("/health").is_success:
                return False
            body = {"model": self._plan.served_name, "prompt": "ready", "max_tokens": 1}
            return self._client.post("/v1/completions", json=body).is_success
        except httpx.TransportError:
            return False

    def wait(self, timeout_s: float) -> float:
        """Waits until the server answers.

        Returns:
            Seconds since the start.

        Raises:
            LLMUnavailableError: it ended or was not ready in time.
        """
        while not self.answers():
            self.check_alive()
            if self.seconds > timeout_s:
                raise LLMUnavailableError(f"vLLM was not ready after {timeout_s:.0f} s", f"See {self._log}.")
            time.sleep(0.5)
        return self.seconds

    def stop(self) -> None:
        """Ends the whole process group, first politely; returns when it is gone."""
        self._client.close()
        if self._process:
            stop_group(self._process)


def stop_group(process: subprocess.Popen[bytes]) -> None:
    """Ends a process that leads a group, and the rest of the group with it; returns when they are gone."""
    signal_group(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    # The leader may be gone before its workers are.
    deadline = time.monotonic() + STOP_SECONDS
    while signal_group(process.pid, signal.SIGKILL) and time.monotonic() < deadline:
        process.poll()
        time.sleep(0.05)


def signal_group(group: int, number: signal.Signals) -> bool:
    """Signals a process group; False when nothing of it is left."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def dying_with_parent(argv: tuple[str, ...]) -> list[str]:
    """The command, started so that even a killed parent does not leave it behind (needs util-linux)."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", *argv] if setpriv else list(argv)


def port_is_free(host: str, port: int) -> bool:
    """True when a server could bind the port now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def cause_of_death(log: Path) -> str:
    """The line of vLLM's log that tells why it ended."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    causes = [match[1] for line in lines if (match := EXCEPTION_LINE.search(line))]
    telling = [cause for cause in causes if "root cause" not in cause]
    plain = [line.strip() for line in lines if line.strip()]
    return (telling or causes or plain or ["it printed nothing"])[-1][:300]
