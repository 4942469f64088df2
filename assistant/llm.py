"""The language model, behind any OpenAI-compatible server (vLLM here), through langchain-openai."""

import logging
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import httpx
import openai
from langchain_core.messages import BaseMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from assistant.errors import LLMUnavailableError
from assistant.prompt import REFUSAL
from assistant.settings import LLMSettings

# What stands where a draft was cut: its last sentence is not whole, and will not be found in a passage.
CUT = " …"
# Numbers that a model may name.
NAMED = 3

_TOO_LONG = re.compile(
    r"context.length|context window|too long|max_model_len|max_(?:completion_)?tokens", re.I
)
_NUMBER = re.compile(r"\d+(?=\D)")

_log = logging.getLogger(__name__)


class LanguageModel(Protocol):
    """What writes answers: a model server, or what one wrote before (eval.recording)."""

    def stream(self, messages: Sequence[BaseMessage], claims: Sequence[str] = ()) -> Iterator[str]:
        """Yields the draft piece by piece.

        Args:
            messages: the prompt.
            claims: what each number stands for that the model may name, from 1; the draft is made of those
                that it names. Without any, the draft is what the model writes.

        Raises:
            LLMUnavailableError: no answer can be had now; passages are quoted instead.
        """

    def ready(self) -> bool:
        """Whether an answer can be expected at once."""


class ServedModel:
    """Streams answers from an OpenAI-compatible server; one object serves all threads."""

    def __init__(self, settings: LLMSettings) -> None:
        """Prepares the client; the server need not be up yet."""
        self._settings = settings
        self._structured = settings.structured
        self._chat = ChatOpenAI(
            base_url=settings.url,
            model=settings.model,
            api_key=settings.api_key if settings.api_key.get_secret_value() else SecretStr("none"),
            temperature=0,
            max_completion_tokens=settings.max_tokens,
            timeout=httpx.Timeout(settings.first_token_timeout_s, connect=settings.connect_timeout_s),
            max_retries=0,
        )

    def stream(self, messages: Sequence[BaseMessage], claims: Sequence[str] = ()) -> Iterator[str]:
        """Yields the draft piece by piece; one that takes too long, or too many tokens, ends in CUT.

        Raises:
            LLMUnavailableError: the server is absent, silent for too long, or answers with an error.
        """
        if not claims:
            yield from self._replied(messages, {})
            return
        constraint = (
            {"structured_outputs": {"regex": _numbers_up_to(len(claims))}} if self._structured else {}
        )
        yield from _spelled_out(self._replied(messages, constraint), claims)

    def _replied(self, messages: Sequence[BaseMessage], constraint: dict[str, Any]) -> Iterator[str]:
        """The reply of the server; asked again without the constraint when it does not know such."""
        try:
            yield from self._pieces(messages, constraint)
        except openai.BadRequestError as problem:
            if _TOO_LONG.search(str(problem)):
                raise LLMUnavailableError(
                    "The prompt is longer than the model's context: lower LINESIDE_LLM_PROMPT_TOKENS"
                ) from problem
            if not constraint:
                raise LLMUnavailableError("The model server answered 400") from problem
            _log.warning("the model server takes no structured outputs; it is asked without: %s", problem)
            self._structured = False
            yield from self._replied(messages, {})

    def _pieces(self, messages: Sequence[BaseMessage], constraint: dict[str, Any]) -> Iterator[str]:
        deadline = time.monotonic() + self._settings.timeout_s
        options: dict[str, Any] = {"extra_body": constraint} if constraint else {}
        try:
            for piece in self._chat.stream(list(messages), **options):
                if piece.text:
                    yield piece.text
                if piece.response_metadata.get("finish_reason") == "length" or time.monotonic() > deadline:
                    yield CUT
                    return
        except openai.BadRequestError:
            raise
        except openai.APITimeoutError as problem:
            raise LLMUnavailableError("The model server did not answer in time") from problem
        except openai.APIStatusError as problem:
            raise LLMUnavailableError(f"The model server answered {problem.status_code}") from problem
        except (openai.OpenAIError, httpx.HTTPError) as problem:
            raise LLMUnavailableError("The model server cannot be reached") from problem
        except ValueError as problem:  # how langchain-core says that the stream held no message
            raise LLMUnavailableError("The model server sent no answer") from problem

    def ready(self) -> bool:
        """Whether the server lists the model that the settings name."""
        key = self._settings.api_key.get_secret_value()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            reply = httpx.get(
                f"{self._settings.url}/models", headers=headers, timeout=self._settings.connect_timeout_s
            )
            return reply.is_success and self._settings.model in {
                model["id"] for model in reply.json()["data"]
            }
        except (httpx.HTTPError, ValueError, KeyError):
            return False


def _numbers_up_to(last: int) -> str:
    """A regular expression for one to NAMED numbers from 1, or 'none'."""
    number = "|".join(str(number) for number in range(1, last + 1))
    return rf"none|({number})(, ({number})){{0,{NAMED - 1}}}"


def _spelled_out(reply: Iterator[str], claims: Sequence[str]) -> Iterator[str]:
    """The claims that a reply names, each once and as soon as it is named; the refusal when it names none."""
    said: set[int] = set()
    heard = ""
    for piece in _with_end(reply):
        heard += piece
        for match in _NUMBER.finditer(heard):
            number = int(match.group())
            if 1 <= number <= len(claims) and number not in said and len(said) < NAMED:
                yield f"\n{claims[number - 1]}" if said else claims[number - 1]
                said.add(number)
        heard = heard[len(heard.rstrip("0123456789")) :]
        if len(said) >= NAMED:
            return
    if not said:
        yield REFUSAL["en"]


def _with_end(reply: Iterator[str]) -> Iterator[str]:
    """The pieces of a reply and then a sign that no number goes on."""
    yield from reply
    yield "\n"
