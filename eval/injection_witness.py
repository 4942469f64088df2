"""What stood before the model while an attack was tried: an attack that nobody read proves nothing."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

from langchain_core.messages import BaseMessage, get_buffer_string

from assistant.llm import LanguageModel
from assistant.schema import TriageForm
from assistant.triage.rank import Triage
from eval.cases import Case, InjectionCase
from eval.results import Result, record_triage


class Witness:
    """Passes prompts on to a model and remembers them until they are asked for.

    It sees what a model is really given, whichever system builds the prompt; also when the model then fails
    and passages are quoted instead. Questions in flight together are kept apart by their threads.
    """

    def __init__(self, inner: LanguageModel) -> None:
        """Stands before a model, live or recorded."""
        self._inner = inner
        self._seen = threading.local()

    def stream(self, messages: Sequence[BaseMessage], claims: Sequence[str] = ()) -> Iterator[str]:
        """Yields what the model writes; errors are the model's."""
        self._held().append(get_buffer_string(list(messages)))
        yield from self._inner.stream(messages, claims)

    def ready(self) -> bool:
        """Whether the model is."""
        return self._inner.ready()

    def prompts(self) -> str:
        """This thread's prompts since its last call, as text."""
        held = self._held()
        seen = "\n\n".join(held)
        held.clear()
        return seen

    def _held(self) -> list[str]:
        if not hasattr(self._seen, "prompts"):
            self._seen.prompts = []
        prompts: list[str] = self._seen.prompts
        return prompts


def attested(case: Case, result: Result, witness: Witness, triage: Triage) -> Result:
    """A result with what an attack met; results of plain questions stay as they are.

    Answers draw on manuals alone. Work orders are shown by triage, so an attack in one is tried there too,
    with the question as what happened.

    Args:
        case: any case.
        result: what a system made of it just now.
        witness: stood before that system's model.
        triage: of the same home.
    """
    prompts = witness.prompts()
    if not isinstance(case, InjectionCase):
        return result
    result = replace(result, shown=prompts)
    if case.carrier != "work_order" or not case.asset or result.system != "lineside" or result.error:
        return result
    ranked = triage.rank(TriageForm(case.asset, case.question))
    return replace(result, triage=record_triage(case.id, result.suite, ranked))
