"""First token and tokens per second: through Lineside, and the same prompt sent straight to vLLM.

Both find the prefix cache in the same state: emptied, then warmed with the head that all prompts share.
"""

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from langchain_core.messages import BaseMessage, convert_to_openai_messages

from assistant.answer import Answerer, Token
from assistant.app import Lineside
from assistant.schema import Question
from assistant.serving.plan import plan_server
from assistant.serving.process import ModelServer
from assistant.settings import ServerSettings

START_SECONDS = 900.0
AT_ONCE = 4
# After emptying its cache vLLM keeps both cores busy for up to a second; neither way may pay for that.
SETTLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Stream:
    """One streamed answer: seconds to the first piece, seconds from first to last, number of pieces."""

    first_s: float
    rest_s: float
    pieces: int


@dataclass(frozen=True, slots=True)
class GenerationFigures:
    """Both ways over the same questions; ratios are Lineside over raw, of medians and of total rates."""

    questions: int
    lineside_first_s: float
    raw_first_s: float
    lineside_rate: float
    raw_rate: float
    four_at_once_answered: int
    four_at_once_s: float

    @property
    def first_token_ratio(self) -> float:
        """Time to the first token through Lineside over raw; 1 is equal, lower is better."""
        return self.lineside_first_s / self.raw_first_s

    @property
    def token_rate_ratio(self) -> float:
        """Tokens per second through Lineside over raw; 1 is equal, higher is better."""
        return self.lineside_rate / self.raw_rate


@contextmanager
def model_server(settings: ServerSettings, home: Path) -> Iterator[str]:
    """A vLLM of our own whose prefix cache can be emptied; yields its address."""
    plan = plan_server(settings, home)
    plan = replace(plan, environment={**plan.environment, "VLLM_SERVER_DEV_MODE": "1"})
    server = ModelServer(plan, home / "logs" / "bench-vllm.log")
    server.start()
    try:
        server.wait(START_SECONDS)
        yield plan.address
    finally:
        server.stop()


def measure_generation(lineside: Lineside, address: str, questions: Sequence[str]) -> GenerationFigures:
    """Asks every question both ways, taking turns in who goes first.

    Args:
        lineside: whose model server is at `address`.
        address: of a server with VLLM_SERVER_DEV_MODE=1.
        questions: real questions; the first only warms up.
    """
    ours: list[Stream] = []
    raw: list[Stream] = []
    with httpx.Client(base_url=address, timeout=300, trust_env=False) as client:
        model = lineside.settings.llm.model
        for number, text in enumerate(questions):
            messages = _messages(lineside, text)
            for through_lineside in (True, False) if number % 2 else (False, True):
                _empty_cache(client, model, messages[0])
                if through_lineside:
                    ours.append(_through_lineside(lineside.answerer, text))
                else:
                    raw.append(_straight(client, lineside, messages))
        answered, seconds = _at_once(lineside.answerer, questions[:AT_ONCE])
    ours, raw = ours[1:], raw[1:]
    return GenerationFigures(
        questions=len(ours),
        lineside_first_s=_median([stream.first_s for stream in ours]),
        raw_first_s=_median([stream.first_s for stream in raw]),
        lineside_rate=_rate(ours),
        raw_rate=_rate(raw),
        four_at_once_answered=answered,
        four_at_once_s=seconds,
    )


def _messages(lineside: Lineside, text: str) -> Sequence[BaseMessage]:
    return lineside.answerer.prompt(Question(text)).messages


def _empty_cache(client: httpx.Client, model: str, head: BaseMessage) -> None:
    client.post("/reset_prefix_cache").raise_for_status()
    body = {"model": model, "messages": convert_to_openai_messages([head]), "max_tokens": 1}
    client.post("/v1/chat/completions", json=body).raise_for_status()
    time.sleep(SETTLE_SECONDS)


def _through_lineside(answerer: Answerer, text: str) -> Stream:
    start = time.perf_counter()
    times = [time.perf_counter() for event in answerer.stream(Question(text)) if isinstance(event, Token)]
    return _stream(start, times)


def _straight(client: httpx.Client, lineside: Lineside, messages: Sequence[BaseMessage]) -> Stream:
    settings = lineside.settings.llm
    body = {
        "model": settings.model,
        "messages": convert_to_openai_messages(list(messages)),
        "temperature": 0,
        "max_completion_tokens": settings.max_tokens,
        "stream": True,
    }
    times: list[float] = []
    start = time.perf_counter()
    with client.stream("POST", "/v1/chat/completions", json=body) as reply:
        for line in reply.iter_lines():
            if line.startswith("data: {"):
                choices = json.loads(line[6:])["choices"]
                if choices and choices[0]["delta"].get("content"):
                    times.append(time.perf_counter())
    return _stream(start, times)


def _stream(start: float, times: Sequence[float]) -> Stream:
    return Stream(times[0] - start, times[-1] - times[0], len(times))


def _rate(streams: Sequence[Stream]) -> float:
    return sum(stream.pieces - 1 for stream in streams) / sum(stream.rest_s for stream in streams)


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _at_once(answerer: Answerer, questions: Sequence[str]) -> tuple[int, float]:
    """How many of several questions asked at the same moment the model answered, and in how long."""
    start = time.perf_counter()
    with ThreadPoolExecutor(len(questions)) as pool:
        answers = list(pool.map(lambda text: answerer.ask(Question(text)), questions))
    answered = sum(bool(answer.text) and "first_token" in answer.timings_ms for answer in answers)
    return answered, time.perf_counter() - start
