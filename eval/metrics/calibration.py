"""How much shared content counts as support: fitted on hand-labelled pairs, checked on held-out ones.

The pairs (eval/data/support_labels.jsonl) are sentences as an answer might say them, each beside a passage of
the demonstration manuals, labelled by hand: verbatim, paraphrased, across languages, and wrong in its number,
row, unit, subject or sense. No passage stands in both halves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from eval.lines import parse_line, text_lines
from eval.metrics.support import Support

DATA = Path(__file__).parents[1] / "data"
LABELS = DATA / "support_labels.jsonl"
CALIBRATION = DATA / "support_calibration.json"


@dataclass(frozen=True, slots=True)
class Label:
    """A sentence, a passage, and whether the passage supports the sentence."""

    id: str
    split: Literal["train", "held_out"]
    document: str
    page: int
    section: str
    passage: str
    sentence: str
    supported: bool
    type: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the metric agrees with the labels; kappa: Cohen, 1960.

    Attributes:
        false_support: unsupported pairs that the metric takes for supported.
        missed_support: supported pairs that the metric takes for unsupported.
    """

    n: int
    accuracy: float
    kappa: float
    false_support: int
    missed_support: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """The thresholds, 0 to 1, within one language and across, and how well they do."""

    same_language: float
    across_languages: float
    train: Agreement
    held_out: Agreement
    held_out_across: Agreement


_LABEL = TypeAdapter(Label)
_CALIBRATION = TypeAdapter(Calibration)


class SupportJudge:
    """Says whether a passage supports a sentence."""

    def __init__(self, support: Support, same_language: float, across_languages: float) -> None:
        """Takes the thresholds of a calibration."""
        self._support = support
        self._same_language = same_language
        self._across_languages = across_languages
        # Precision, recall and the reasons for a reader each ask about the same sentences.
        self._known = lru_cache(maxsize=100_000)(self._judged)

    def supports(self, sentence: str, passage: str, section: str = "") -> bool:
        """Whether the passage, under its headings, holds the sentence."""
        return self._known(sentence, passage, section)

    def _judged(self, sentence: str, passage: str, section: str) -> bool:
        across = self._support.across(sentence, passage)
        threshold = self._across_languages if across else self._same_language
        return self._support.score(sentence, passage, section) >= threshold


def calibrated_judge(support: Support) -> SupportJudge:
    """The judge with the thresholds that stand in the project."""
    stored = read_calibration()
    return SupportJudge(support, stored.same_language, stored.across_languages)


def read_labels(path: Path = LABELS) -> list[Label]:
    """The labelled pairs.

    Raises:
        InputError: the file is missing or a line is no label.
    """
    return [parse_line(_LABEL, path, number, line) for number, line in text_lines(path)]


def read_calibration(path: Path = CALIBRATION) -> Calibration:
    """The stored thresholds with their figures.

    Raises:
        InputError: the file is missing or malformed.
    """
    return parse_line(_CALIBRATION, path, 1, "".join(line for _, line in text_lines(path)))


def write_calibration(calibration: Calibration, path: Path = CALIBRATION) -> None:
    """Stores thresholds and figures as data."""
    path.write_bytes(_CALIBRATION.dump_json(calibration, indent=1) + b"\n")


def calibrate(labels: Sequence[Label], support: Support) -> Calibration:
    """Thresholds that agree best with the training half, and their agreement with both halves."""
    train = [label for label in labels if label.split == "train"]
    held_out = [label for label in labels if label.split == "held_out"]
    across = [label for label in train if support.across(label.sentence, label.passage)]
    same = [label for label in train if label not in across]
    judge = SupportJudge(support, _threshold(same, support), _threshold(across, support))
    held_out_across = [label for label in held_out if support.across(label.sentence, label.passage)]
    return Calibration(
        same_language=_threshold(same, support),
        across_languages=_threshold(across, support),
        train=agreement(train, judge),
        held_out=agreement(held_out, judge),
        held_out_across=agreement(held_out_across, judge),
    )


def agreement(labels: Sequence[Label], judge: SupportJudge) -> Agreement:
    """How often a judge says what the labels say."""
    judged = [judge.supports(label.sentence, label.passage, label.section) for label in labels]
    pairs = list(zip(judged, (label.supported for label in labels), strict=True))
    n = len(pairs)
    agreed = sum(said == true for said, true in pairs) / n
    said, true = sum(judged) / n, sum(label.supported for label in labels) / n
    by_chance = said * true + (1 - said) * (1 - true)
    return Agreement(
        n=n,
        accuracy=round(agreed, 4),
        kappa=round((agreed - by_chance) / (1 - by_chance), 4) if by_chance < 1 else 1.0,
        false_support=sum(said and not true for said, true in pairs),
        missed_support=sum(true and not said for said, true in pairs),
    )


def _threshold(labels: Sequence[Label], support: Support) -> float:
    """The threshold with the most agreements; of equally good ones the middle, in steps of 0.01."""
    scored = [
        (support.score(label.sentence, label.passage, label.section), label.supported) for label in labels
    ]
    steps = [step / 100 for step in range(1, 101)]
    right = [sum((score >= step) == supported for score, supported in scored) for step in steps]
    best = [step for step, count in zip(steps, right, strict=True) if count == max(right)]
    return best[len(best) // 2]


def main() -> None:
    """Fits the thresholds anew and stores them (`python -m eval.metrics.calibration`)."""
    from assistant.sparse import SparseEncoder

    write_calibration(calibrate(read_labels(), Support(SparseEncoder())))


if __name__ == "__main__":
    main()
