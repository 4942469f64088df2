"""Whether the passages found hold an answer: a calibrated estimate, and a refusal that says what is missing.

A logistic regression over the signals of assistant.answerable; `python -m eval.calibrate` learns its weights
from questions whose answers are known to be held or not, and stores them with the figures they reach on
manuals that took no part in learning. Every weight has the sign that its meaning gives it.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from assistant.answerable import SignalReader
from assistant.errors import SettingsError
from assistant.evidence import Evidence
from assistant.replies import THIS_MACHINE
from assistant.schema import Citation, Hit, Language
from assistant.sparse import SparseEncoder
from assistant.understand import Understood
from assistant.wording import Wording

LEARNED = "data/refusal.json"
VALUE_NAMES = "data/value_names.json"
# More missing words than this make no clearer sentence.
TOLD = 3

REFUSED: dict[Language, str] = {
    "en": "The manuals held for {machine} do not answer this{why}.{closest}",
    "zh": "{machine}的现有手册没有回答这个问题{why}。{closest}",
}
NOT_FOUND: dict[Language, str] = {
    "en": ": no passage found speaks of {missing}",
    "zh": "：找到的段落中没有提到{missing}",
}
NO_VALUE: dict[Language, str] = {
    "en": ": the passage that comes closest does not give {values}",
    "zh": "：最接近的段落没有给出{values}",
}
QUOTED: dict[Language, str] = {"en": "“{}”", "zh": "“{}”"}
COMMA: dict[Language, str] = {"en": ", ", "zh": "、"}
CLOSEST: dict[Language, str] = {"en": " Closest pages: {pages}.", "zh": "最接近的页面：{pages}。"}
PAGE: dict[Language, str] = {"en": "{document}, page {page}", "zh": "{document} 第 {page} 页"}
BETWEEN: dict[Language, str] = {"en": "; ", "zh": "；"}


@dataclass(frozen=True, slots=True)
class Decision:
    """What a question's passages allow.

    Attributes:
        refuse: say that the manuals do not answer it.
        answerable: estimated probability that they do, 0 to 1.
        missing: codes and words of the question that no passage found has, as typed, the most telling first.
        kinds: kinds of value asked for (see assistant.attributes) that the best place does not give.
        signals: what the estimate was made of, by name.
    """

    refuse: bool
    answerable: float
    missing: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    signals: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Learned:
    """What calibration stores.

    Attributes:
        weights: by signal, of the log odds that the answer is not held; signals left out count nothing.
        bias: log odds when all signals are 0.
        threshold: refuse from this probability that the answer is not held.
        writers: by model, what its own refusal adds to the log odds; '*' for models nobody measured.
    """

    weights: Mapping[str, float]
    bias: float
    threshold: float
    writers: Mapping[str, float]


class RefusalModel:
    """Decides; safe to share between threads."""

    def __init__(self, reader: SignalReader, learned: Learned, writer: str = "") -> None:
        """Decides by what was learned.

        Args:
            reader: measures the signals.
            learned: weights and threshold.
            writer: name of the model that writes the answers.
        """
        self._reader = reader
        self._learned = learned
        self._draft = learned.writers.get(writer, learned.writers.get("*", 0.0))

    @classmethod
    def default(cls, writer: str = "", sparse: SparseEncoder | None = None) -> "RefusalModel":
        """The one that comes with Lineside."""
        return cls(SignalReader(Wording(sparse or SparseEncoder())), _shipped(), writer)

    @classmethod
    def load(cls, path: Path, writer: str = "", sparse: SparseEncoder | None = None) -> "RefusalModel":
        """One that was learned on a plant's own questions.

        Raises:
            SettingsError: the file is missing or holds no learned weights.
        """
        try:
            learned = read_learned(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise SettingsError(
                f"{path} holds no learned refusal: {problem}", "`python -m eval.calibrate` writes one."
            ) from problem
        return cls(SignalReader(Wording(sparse or SparseEncoder())), learned, writer)

    def decide(
        self,
        understood: Understood,
        hits: Sequence[Hit],
        evidence: Sequence[Evidence],
        *,
        machine: Sequence[str] = (),
        draft_refused: bool = False,
    ) -> Decision:
        """Whether to answer from these passages.

        Args:
            understood: the question.
            hits: passages found for it, best first.
            evidence: places in them that may answer it, best first.
            machine: casefolded tag and model that the passages hold for.
            draft_refused: the model that wrote said that the passages do not answer it.

        Returns:
            A refusal with answerable 0 when there are no passages.
        """
        if not hits:
            return Decision(True, 0.0, ())
        signals = self._reader.read(understood, hits, evidence, machine)
        weights = self._learned.weights
        odds = self._learned.bias + sum(
            weights.get(name, 0.0) * value for name, value in signals.values.items()
        )
        odds += self._draft if draft_refused else 0.0
        # Learning saw next to no question of which no passage has a word: there is nothing to estimate.
        unheld = 1.0 if signals.unspoken else 1 / (1 + math.exp(-odds))
        return Decision(
            refuse=unheld >= self._learned.threshold,
            answerable=round(1 - unheld, 4),
            missing=signals.missing,
            kinds=signals.kinds,
            signals=signals.values,
        )


def refusal_text(
    decision: Decision, machine: str | None, language: Language, closest: Sequence[Citation] = ()
) -> str:
    """The refusal as a technician reads it: what is missing, and which pages are worth opening all the same.

    Nothing of a passage is in it, so that no figure can be taken for an answer.

    Args:
        decision: why it is refused.
        machine: as the technician named it; None for the whole plant.
        language: of the question.
        closest: pages to offer, best first.
    """
    pages = (PAGE[language].format(document=one.document, page=one.page) for one in closest)
    offered = BETWEEN[language].join(dict.fromkeys(pages))
    return REFUSED[language].format(
        machine=machine or THIS_MACHINE[language],
        why=_why(decision, language),
        closest=CLOSEST[language].format(pages=offered) if offered else "",
    )


def read_learned(text: str) -> Learned:
    """What stands in a refusal.json.

    Raises:
        ValueError: it is no JSON.
        KeyError: something is missing in it.
    """
    stored = json.loads(text)
    return Learned(stored["weights"], stored["bias"], stored["threshold"], stored["writers"])


def _why(decision: Decision, language: Language) -> str:
    if decision.missing:
        words = [QUOTED[language].format(word) for word in decision.missing[:TOLD]]
        return NOT_FOUND[language].format(missing=COMMA[language].join(words))
    if decision.kinds:
        names = [_value_names()[kind][language] for kind in decision.kinds[:TOLD]]
        return NO_VALUE[language].format(values=COMMA[language].join(names))
    return ""


@cache
def _shipped() -> Learned:
    return read_learned(files("assistant").joinpath(LEARNED).read_text(encoding="utf-8"))


@cache
def _value_names() -> Mapping[str, Mapping[Language, str]]:
    text = files("assistant").joinpath(VALUE_NAMES).read_text(encoding="utf-8")
    names: Mapping[str, Mapping[Language, str]] = json.loads(text)
    return names
