"""The pipeline from a question to a cited answer; one object serves pages, API, CLI and evaluation."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.admission import admitted
from assistant.assets import AssetResolver
from assistant.codes import missing_codes
from assistant.errors import LLMUnavailableError
from assistant.grounding import Grounder, cite
from assistant.language import language_of
from assistant.llm import LanguageModel
from assistant.prompt import REFUSAL, build_messages, is_refusal
from assistant.retrieve import Retriever
from assistant.schema import Answer, Chunk, Hit, Language, Question, SafetyNotice
from assistant.settings import RetrievalSettings
from assistant.store.base import ChunkStore
from assistant.suspicion import LEFT_OUT, left_out_check
from assistant.trace import Trace

QUOTED_PASSAGES = 3
QUOTED_CHARACTERS = 700

NO_PASSAGES: dict[Language, str] = {
    "en": "No manual held for this machine has a passage on this.",
    "zh": "这台设备的手册中没有相关内容。",
}
NO_CODE: dict[Language, str] = {
    "en": "{codes} is not in the manuals held for {machine}. Nearest codes that are: {nearest}.",
    "zh": "{machine}的现有手册中没有{codes}。手册中最接近的代码：{nearest}。",
}
THIS_MACHINE: dict[Language, str] = {"en": "this plant", "zh": "本厂设备"}
QUOTED_BECAUSE: dict[Language, str] = {
    "en": "These are quotes from the manuals, not a written answer: {reason}.",
    "zh": "以下为手册原文摘录，不是撰写的回答：{reason}。",
}
NOTHING_STOOD: dict[Language, str] = {
    "en": "nothing that the model wrote could be shown in a passage",
    "zh": "模型所写的内容无法在原文中得到证实",
}
MODEL_ABSENT: dict[Language, str] = {"en": "{problem}", "zh": "语言模型暂时不可用"}
WITHHELD: dict[Language, str] = {
    "en": "{count} sentence(s) withheld: no passage shows them.",
    "zh": "已隐去{count}句：原文中没有依据。",
}


@dataclass(frozen=True, slots=True)
class Found:
    """Passages are found; the model has not begun."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the draft as the model writes it, not yet checked."""

    text: str


@dataclass(frozen=True, slots=True)
class Final:
    """The checked answer, which replaces the draft."""

    answer: Answer


Event = Found | Token | Final


class Answerer:
    """Answers questions; safe to share between threads."""

    def __init__(
        self,
        resolver: AssetResolver,
        retriever: Retriever,
        llm: LanguageModel,
        grounder: Grounder,
        store: ChunkStore,
        settings: RetrievalSettings,
    ) -> None:
        """Joins the parts of the pipeline."""
        self._resolver = resolver
        self._retriever = retriever
        self._llm = llm
        self._grounder = grounder
        self._store = store
        self._settings = settings

    def ask(self, question: Question) -> Answer:
        """The finished answer.

        Raises:
            QuestionError: the question is empty or too long, or its asset is unknown.
            StorageError: the store cannot be read.
        """
        for event in self.stream(question):
            if isinstance(event, Final):
                return event.answer
        raise AssertionError("the pipeline always ends with a Final event")

    def stream(self, question: Question) -> Iterator[Event]:
        """Found, then the model's Tokens, then the Final answer; errors as in ask."""
        question = admitted(question)
        if question.asset:
            machine = self._resolver.resolve(question.asset)
        else:
            machine = self._resolver.named_in(question.text)
        retriever = self._retriever.pinned(machine.serial)
        for event in self._events(question, machine.applies_to, retriever):
            yield _told(event, retriever.left_out) if isinstance(event, Final) else event

    def _events(
        self, question: Question, applies_to: tuple[str, ...], retriever: Retriever
    ) -> Iterator[Event]:
        clock = _Clock()
        hits = retriever.retrieve(question, applies_to)
        clock.mark("retrieve")
        yield Found(hits)
        language = language_of(question.text)
        if not hits:
            yield Final(Answer(NO_PASSAGES[language], True, "extractive", language, timings_ms=clock.total()))
            return
        missing = missing_codes(question.text, hits, retriever, applies_to)
        if missing:
            text = _no_code(missing, question.asset, language)
            yield Final(Answer(text, True, "extractive", language, timings_ms=clock.total(), hits=hits))
            return
        shown = hits[: self._settings.prompt_hits]
        draft: list[str] = []
        try:
            for piece in self._llm.stream(build_messages(question.text, shown, question.history)):
                if not draft:
                    clock.mark("first_token")
                draft.append(piece)
                yield Token(piece)
        except LLMUnavailableError as problem:
            reason = MODEL_ABSENT[language].format(problem=problem)
            yield Final(self._quoted(hits, language, reason, clock))
            return
        clock.mark("generate")
        yield Final(self._checked(question, "".join(draft), hits, shown, clock))

    def _checked(
        self, question: Question, draft: str, hits: tuple[Hit, ...], shown: Sequence[Hit], clock: "_Clock"
    ) -> Answer:
        language = language_of(question.text)
        if is_refusal(draft):
            timings = clock.total()
            return Answer(REFUSAL[language], True, "llm", language, timings_ms=timings, hits=hits)
        grounded = self._grounder.check(draft, shown, question.text)
        clock.mark("check")
        if not grounded.text:
            return self._quoted(hits, language, NOTHING_STOOD[language], clock)
        note = WITHHELD[language].format(count=len(grounded.withheld)) if grounded.withheld else ""
        return Answer(
            text=grounded.text,
            refused=False,
            mode="llm",
            language=language,
            citations=grounded.citations,
            safety=safety_of([hit.chunk for hit in grounded.cited], self._store.fetch),
            timings_ms=clock.total(),
            note=note,
            hits=hits,
        )

    def _quoted(self, hits: tuple[Hit, ...], language: Language, reason: str, clock: "_Clock") -> Answer:
        quoted = hits[:QUOTED_PASSAGES]
        lines = [f"“{_shortened(hit.chunk.text)}” [{n}]" for n, hit in enumerate(quoted, start=1)]
        return Answer(
            text="\n\n".join(lines),
            refused=False,
            mode="extractive",
            language=language,
            citations=tuple(cite(n, hit) for n, hit in enumerate(quoted, start=1)),
            safety=safety_of([hit.chunk for hit in quoted], self._store.fetch),
            timings_ms=clock.total(),
            note=QUOTED_BECAUSE[language].format(reason=reason),
            hits=hits,
        )


class _Clock:
    """Milliseconds from the start to each mark."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._marks: dict[str, float] = {}

    def mark(self, name: str) -> None:
        self._marks[name] = round((time.perf_counter() - self._start) * 1000, 2)

    def total(self) -> dict[str, float]:
        self.mark("total")
        return dict(self._marks)


def _told(final: Final, left_out: Sequence[Chunk]) -> Final:
    """An answer that says which passages it was kept from."""
    if not left_out:
        return final
    answer, note = final.answer, LEFT_OUT[final.answer.language].format(count=len(left_out))
    trace = answer.trace or Trace()
    return Final(
        replace(
            answer,
            note=f"{answer.note} {note}".strip(),
            trace=replace(trace, checks=(*trace.checks, left_out_check(left_out))),
        )
    )


def safety_of(
    chunks: Sequence[Chunk], fetch: Callable[[Sequence[str]], list[Chunk]]
) -> tuple[SafetyNotice, ...]:
    """The notices that belong to passages, verbatim, gravest first, each once."""
    ids = dict.fromkeys(notice for chunk in chunks for notice in chunk.notices)
    notices = [*(chunk for chunk in chunks if chunk.signal), *fetch(list(ids))]
    unique = {" ".join(notice.text.split()): notice for notice in notices if notice.signal}
    gravity = ("DANGER", "WARNING", "CAUTION", "NOTICE")
    ordered = sorted(unique.values(), key=lambda notice: gravity.index(notice.signal or "NOTICE"))
    return tuple(
        SafetyNotice(notice.signal, notice.text, notice.document, notice.page, notice.boxes, notice.id)
        for notice in ordered
        if notice.signal
    )


def _no_code(missing: Mapping[str, Sequence[str]], asset: str | None, language: Language) -> str:
    codes = ", ".join(missing)
    nearest = ", ".join(dict.fromkeys(code for near in missing.values() for code in near))
    machine = asset or THIS_MACHINE[language]
    return NO_CODE[language].format(codes=codes, machine=machine, nearest=nearest)


def _shortened(text: str) -> str:
    lines = "\n".join(" ".join(line.split()) for line in text.splitlines())
    return lines if len(lines) <= QUOTED_CHARACTERS else f"{lines[:QUOTED_CHARACTERS].rstrip()} …"
