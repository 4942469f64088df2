"""The language model, behind any OpenAI-compatible server (vLLM here), through langchain-openai."""

import time
from collections.abc import Iterator, Sequence
from typing import Protocol

import httpx
import openai
from langchain_core.messages import BaseMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from assistant.errors import LLMUnavailableError
from assistant.settings import LLMSettings


class LanguageModel(Protocol):
    """What writes answers: a model server, or what one wrote before (eval.recording)."""

    def stream(self, messages: Sequence[BaseMessage]) -> Iterator[str]:
        """Yields the answer piece by piece.

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
        self._chat = ChatOpenAI(
            base_url=settings.url,
            model=settings.model,
            api_key=settings.api_key if settings.api_key.get_secret_value() else SecretStr("none"),
            temperature=0,
            max_completion_tokens=settings.max_tokens,
            timeout=httpx.Timeout(settings.first_token_timeout_s, connect=settings.connect_timeout_s),
            max_retries=0,
        )

    def stream(self, messages: Sequence[BaseMessage]) -> Iterator[str]:
        """Yields the answer piece by piece.

        Raises:
            LLMUnavailableError: the server is absent, silent for too long, or answers with an error.
        """
        deadline = time.monotonic() + self._settings.timeout_s
        try:
            for piece in self._chat.stream(list(messages)):
                if piece.text:
                    yield piece.text
                if time.monotonic() > deadline:
                    raise LLMUnavailableError(f"The model took over {self._settings.timeout_s:g} s")
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
