"""The pipeline from a question to a cited answer; one object serves pages, API, CLI and evaluation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from assistant.admission import admitted
from assistant.assets import AssetResolver, Selection
from assistant.codes import missing_codes
from assistant.conflicts import Conflicts
from assistant.errors import LLMUnavailableError
from assistant.evidence import Evidence, EvidenceFinder
from assistant.grounding import Grounder, cite
from assistant.llm import LanguageModel
from assistant.prompt import Prompt, build_prompt, in_language, is_refusal, sources_of
from assistant.quoting import quote
from assistant.refusal import Decision, RefusalModel, refusal_text
from assistant.replies import (
    MODEL_ABSENT,
    MODEL_REFUSED,
    NO_PASSAGES,
    NOTHING_STOOD,
    OTHER_LANGUAGE,
    POINTED,
    POINTED_ELSEWHERE,
    QUOTED_BECAUSE,
    REPLACED,
    WITHHELD,
    no_code,
)
from assistant.retrieve import Retriever
from assistant.safety import SafetyCarrier
from assistant.schema import Answer, Citation, Hit, Language, Question
from assistant.settings import LLMSettings, RetrievalSettings
from assistant.suspicion import LEFT_OUT, left_out_check
from assistant.tracing import Tracer
from assistant.understand import Understander, Understood

Mode = Literal["llm", "extractive"]
CLOSEST = 3
# Work orders looked at for what disagrees with the manuals.
ORDERS = 5


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


@dataclass(frozen=True, slots=True)
class Answering:
    """What is known of a question once its passages are found; evidence comes after them."""

    question: Question
    understood: Understood
    machine: Selection
    retriever: Retriever
    tracer: Tracer
    hits: tuple[Hit, ...]
    evidence: tuple[Evidence, ...] = ()

    @property
    def language(self) -> Language:
        """Of the question, and so of the answer."""
        return self.understood.language


class Answerer:
    """Answers questions; safe to share between threads."""

    def __init__(
        self,
        resolver: AssetResolver,
        retriever: Retriever,
        evidence: EvidenceFinder,
        refusal: RefusalModel,
        llm: LanguageModel,
        grounder: Grounder,
        safety: SafetyCarrier,
        conflicts: Conflicts,
        retrieval: RetrievalSettings,
        writing: LLMSettings,
    ) -> None:
        """Joins the parts of the pipeline."""
        self._resolver = resolver
        self._retriever = retriever
        self._evidence = evidence
        self._refusal = refusal
        self._llm = llm
        self._grounder = grounder
        self._safety = safety
        self._conflicts = conflicts
        self._places = retrieval.prompt_places
        self._writing = writing
        self._understander = Understander()

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
        work = self._searched(question)
        yield Found(work.hits)
        refused = self._not_held(work)
        if refused is None:
            work = replace(work, evidence=self._evidence.find(work.understood, work.hits))
            work.tracer.mark("evidence")
            decision = self._decided(work)
            refused = self._declined(work, decision, "extractive") if decision.refuse else None
        if refused is not None:
            yield Final(refused)
        else:
            yield from self._written(work)

    def prompt(self, question: Question) -> Prompt:
        """What the model is asked for a question; errors as in ask."""
        work = self._searched(question)
        return self._prompt(replace(work, evidence=self._evidence.find(work.understood, work.hits)))

    def _searched(self, question: Question) -> Answering:
        question = admitted(question)
        understood = self._understander.read(question)
        if question.asset:
            machine = self._resolver.resolve(question.asset)
        else:
            machine = self._resolver.named_in(understood.standalone)
        tracer = Tracer(understood, machine.applies_to)
        retriever = self._retriever.pinned(machine.serial)
        hits = retriever.retrieve(understood, machine.applies_to, asset=question.asset or "")
        tracer.found(hits)
        return Answering(question, understood, machine, retriever, tracer, hits)

    def _prompt(self, work: Answering) -> Prompt:
        sources = sources_of(work.evidence, self._places)
        return build_prompt(
            work.understood,
            sources,
            work.question.history,
            self._writing.prompt_budget,
            self._writing.style,
        )

    def _not_held(self, work: Answering) -> Answer | None:
        """The refusal, when there is nothing on it or a code asked for is not held."""
        if not work.hits:
            return self._told(work, Answer(NO_PASSAGES[work.language], True, "extractive", work.language))
        missing = missing_codes(work.understood.naming, work.hits, work.retriever, work.machine.applies_to)
        work.tracer.check("every code asked for is held", not missing, ", ".join(missing))
        if missing:
            text = no_code(missing, work.question.asset, work.language)
            return self._told(work, Answer(text, True, "extractive", work.language))
        return None

    def _decided(self, work: Answering, draft_refused: bool = False) -> Decision:
        decision = self._refusal.decide(
            work.understood,
            work.hits,
            work.evidence,
            machine=work.machine.applies_to,
            draft_refused=draft_refused,
        )
        work.tracer.estimated(decision.answerable)
        missing = ", ".join((*decision.missing, *decision.kinds))
        work.tracer.check("the passages hold an answer", not decision.refuse, missing)
        return decision

    def _written(self, work: Answering) -> Iterator[Event]:
        """The model's tokens, then what is left of its draft; quotes where there is no model."""
        prompt = self._prompt(work)
        work.tracer.prompted(prompt.tokens)
        draft: list[str] = []
        try:
            for piece in self._llm.stream(prompt.messages, prompt.claims):
                if not draft:
                    work.tracer.mark("first_token")
                draft.append(piece)
                yield Token(piece)
        except LLMUnavailableError as problem:
            work.tracer.check("the model answered", False, str(problem))
            yield Final(self._quoted(work, MODEL_ABSENT[work.language].format(problem=problem)))
            return
        text = "".join(draft)
        work.tracer.drafted(text)
        yield Final(self._checked(work, prompt, text))

    def _checked(self, work: Answering, prompt: Prompt, draft: str) -> Answer:
        if is_refusal(draft):
            decision = self._decided(work, draft_refused=True)
            if decision.refuse:
                return self._declined(work, decision, "llm")
            return self._quoted(work, MODEL_REFUSED[work.language])
        if not in_language(draft, work.language):
            work.tracer.check("the draft is in the language of the question", False)
            return self._quoted(work, OTHER_LANGUAGE[work.language])
        grounded = self._grounder.check(draft, prompt.shown, work.understood.standalone, work.language)
        work.tracer.checked(grounded.checks)
        work.tracer.mark("check")
        if len(grounded.text.splitlines()) <= len(grounded.repaired):
            return self._quoted(work, NOTHING_STOOD[work.language])
        if self._writing.style == "point":
            return self._pointed(work, draft)
        told = ((REPLACED, grounded.repaired), (WITHHELD, grounded.withheld))
        notes = (note[work.language].format(count=len(which)) for note, which in told if which)
        return self._stated(work, grounded.text, "llm", grounded.citations, grounded.cited, " ".join(notes))

    def _quoted(self, work: Answering, reason: str) -> Answer:
        quoted = quote(work.understood, work.evidence)
        note = QUOTED_BECAUSE[work.language].format(reason=reason)
        return self._stated(work, quoted.text, "extractive", quoted.citations, quoted.cited, note)

    def _pointed(self, work: Answering, draft: str) -> Answer:
        """Quotes led by the places that the model pointed at, if the one that answers best is among them."""
        said = "".join(filter(str.isalnum, draft))
        lead = [one for one in work.evidence if "".join(filter(str.isalnum, one.text)) in said]
        agreed = lead[:1] == list(work.evidence[:1])
        work.tracer.check("the model pointed at the place that answers best", agreed)
        if not agreed:
            return self._quoted(work, POINTED_ELSEWHERE[work.language])
        quoted = quote(work.understood, work.evidence, lead=lead[: self._places])
        note = POINTED[work.language]
        return self._stated(work, quoted.text, "extractive", quoted.citations, quoted.cited, note)

    def _stated(
        self,
        work: Answering,
        text: str,
        mode: Mode,
        citations: tuple[Citation, ...],
        cited: Sequence[Hit],
        note: str,
    ) -> Answer:
        """An answer with what belongs to it: the notices of what it cites, and what disagrees with it."""
        applies_to = work.machine.applies_to
        orders = work.retriever.retrieve(work.understood, applies_to, "work_order", ORDERS)
        answer = Answer(
            text=text,
            refused=False,
            mode=mode,
            language=work.language,
            citations=citations,
            safety=self._safety.notices([hit.chunk for hit in cited]),
            note=note,
            conflicts=self._conflicts.find(
                work.evidence, cited, applies_to, stated=text, found=work.hits, orders=orders
            ),
        )
        return self._told(work, answer)

    def _declined(self, work: Answering, decision: Decision, mode: Mode) -> Answer:
        """The refusal that says what is missing and which pages come closest."""
        pages: dict[tuple[str, int], Hit] = {}
        for hit in work.hits:
            pages.setdefault((hit.chunk.document, hit.chunk.page), hit)
        closest = tuple(cite(n, hit) for n, hit in enumerate(list(pages.values())[:CLOSEST], start=1))
        machine = work.question.asset or work.machine.name or None
        text = refusal_text(decision, machine, work.language, closest)
        answer = Answer(text, True, mode, work.language, closest=closest)
        return self._told(work, answer)

    def _told(self, work: Answering, answer: Answer) -> Answer:
        """The answer with its trace; it says which passages it was kept from."""
        left_out = work.retriever.left_out
        if left_out:
            work.tracer.checked([left_out_check(left_out)])
            note = LEFT_OUT[work.language].format(count=len(left_out))
            answer = replace(answer, note=f"{answer.note} {note}".strip())
        return work.tracer.told(answer)
