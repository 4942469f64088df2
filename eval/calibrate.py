"""`python -m eval.calibrate`: learns when to refuse, and says how well that holds for manuals never seen.

Samples are the questions of development suites, with what the search finds for them. A question that the
manuals answer is asked once more with its pages taken away: a hard one that they do not answer. Real ones
count for more. Every figure is of manuals that the weights were not learned on (leave one out).
"""

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from assistant.prompt import is_refusal
from assistant.refusal import LEARNED
from assistant.settings import load_settings
from eval.answerability import PLANT, Sample, gather
from eval.cases import Case, read_cases
from eval.folder import RESULTS
from eval.home import ROOT, Homes
from eval.logistic import Fit, fit
from eval.metrics.refusal import f1, risk_coverage, risk_coverage_area
from eval.results import read_results
from eval.statistics import ClusterBootstrap

STORED = ROOT / "assistant" / LEARNED
# Each signal with the sign of its weight: 1 speaks for a refusal, -1 against.
SIGNS = {
    "asks_value": 1,
    "value_absent": 1,
    "value_gap": 1,
    "words_found": -1,
    "words_for_value": -1,
    "term_unsaid": 1,
    "code_absent": 1,
    "code_held": -1,
    "evidence_alone": -1,
    "followup": -1,
}
# What an answerable question without its pages counts for, a real unanswerable one being 1.
HIDDEN = 0.15
# What a writer's own refusal adds to the log odds while nobody has measured it: odds times four and a half.
UNMEASURED = 1.5
# Refused is what is more likely not held than held: no figure chose it. A plant that fears one of both errors
# more than the other changes the threshold in the file.
THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Figures:
    """How well refusals are decided, each 0 to 1; intervals: 95 %, resampling manuals, then questions.

    Attributes:
        aurc: mean share of unanswerable questions among those answered, over the coverages, surest first.
        brier: mean square of the error of the probability.
    """

    answerable: int
    unanswerable: int
    precision: float | None
    precision_interval: tuple[float, float] | None
    recall: float | None
    recall_interval: tuple[float, float] | None
    f1: float | None
    false_refusal: float | None
    false_refusal_interval: tuple[float, float] | None
    aurc: float | None
    brier: float


@dataclass(frozen=True, slots=True)
class Judged:
    """A sample with the probability that it is to be refused, learned from other manuals."""

    sample: Sample
    probability: float

    @property
    def refused(self) -> bool:
        """Whether it would be refused."""
        return self.probability >= THRESHOLD


def learn(samples: Sequence[Sample]) -> Fit:
    """Weights from the samples that are not refused for a code anyway."""
    samples = [sample for sample in samples if not sample.code_missing]
    counts = [HIDDEN if sample.hidden else 1.0 for sample in samples]
    return fit([sample.signals for sample in samples], [sample.refuse for sample in samples], counts, SIGNS)


def held_out(samples: Sequence[Sample]) -> list[Judged]:
    """Every sample judged by weights that its manual took no part in."""
    estimated: list[tuple[Sample, float]] = []
    manuals = dict.fromkeys(sample.manual for sample in samples)
    for manual in manuals:
        learned = learn([sample for sample in samples if sample.manual != manual])
        own = [sample for sample in samples if sample.manual == manual]
        estimated += [(s, 1.0 if s.code_missing else learned.probability(s.signals)) for s in own]
    return [Judged(sample, probability) for sample, probability in estimated]


def figures(judged: Sequence[Judged]) -> Figures:
    """What decisions on manuals held out are worth."""
    bootstrap = ClusterBootstrap([one.sample.manual for one in judged])
    right = [float(one.sample.refuse) if one.refused else None for one in judged]
    caught = [float(one.refused) if one.sample.refuse else None for one in judged]
    wrong = [None if one.sample.refuse else float(one.refused) for one in judged]
    precision, recall = _mean(right), _mean(caught)
    points = risk_coverage([(1 - one.probability, not one.sample.refuse) for one in judged], len(judged))
    area = risk_coverage_area(points)
    return Figures(
        answerable=sum(not one.sample.refuse for one in judged),
        unanswerable=sum(one.sample.refuse for one in judged),
        precision=_rounded(precision),
        precision_interval=_interval(bootstrap, right),
        recall=_rounded(recall),
        recall_interval=_interval(bootstrap, caught),
        f1=_rounded(f1(precision, recall)),
        false_refusal=_rounded(_mean(wrong)),
        false_refusal_interval=_interval(bootstrap, wrong),
        aurc=_rounded(area),
        brier=round(sum((one.probability - one.sample.refuse) ** 2 for one in judged) / len(judged), 4),
    )


def writer_weight(drafts: Sequence[tuple[bool, bool]]) -> float:
    """What a writer's own refusal adds to the log odds: the logarithm of its likelihood ratio, never below 0.

    Args:
        drafts: of each question that it wrote on: whether it refused, and whether that would be right.
    """
    right = [refused for refused, unanswerable in drafts if unanswerable]
    wrong = [refused for refused, unanswerable in drafts if not unanswerable]
    # One count on each side keeps the ratio finite.
    ratio = ((sum(right) + 1) / (len(right) + 2)) / ((sum(wrong) + 1) / (len(wrong) + 2))
    return round(max(0.0, math.log(ratio)), 4)


def drafts_of(run: Path, cases: Mapping[str, Case]) -> list[tuple[bool, bool]]:
    """What the model wrote in a run of `lineside eval run`: refused, and whether that was right."""
    results = (
        r for r in read_results(run / RESULTS) if r.system == "lineside" and r.case in cases and r.answer
    )
    drafts = []
    for result in results:
        answer = result.answer
        assert answer is not None
        draft = answer.trace.draft if answer.trace else ""
        wrote = bool(draft) or answer.mode == "llm" or not answer.refused
        if wrote:
            refused = is_refusal(draft) if draft else answer.refused
            drafts.append((refused, cases[result.case].refuse))
    return drafts


def main(arguments: Sequence[str] | None = None) -> int:
    """Learns, prints every figure, and stores weights and figures."""
    parser = argparse.ArgumentParser(prog="python -m eval.calibrate", description=main.__doc__)
    parser.add_argument(
        "--data", type=Path, help="folder with suites/, manuals/ and zh-faq/, to learn from too"
    )
    parser.add_argument("--homes", type=Path, help="folder for the homes; default as `lineside eval all`")
    parser.add_argument(
        "--run", type=Path, help="folder of an eval run whose model's own refusals are weighed"
    )
    parser.add_argument("--samples", type=Path, help="keep every sample and its judgement here, one a line")
    parser.add_argument("--out", type=Path, default=STORED)
    given = parser.parse_args(arguments)
    settings = load_settings()
    root = settings.store.root
    homes = Homes(given.homes or root / "eval" / "homes", root / "models", _say)
    samples = gather(homes, given.data, _say)
    judged = held_out(samples)
    real = [one for one in judged if not one.sample.hidden]
    shown = {"all": real, **_by_suite(real), "pages hidden": _with_hidden(judged)}
    measured = {name: figures(part) for name, part in shown.items()}
    for name, found in measured.items():
        typer.echo(f"{name:14} {json.dumps(asdict(found))}")
    learned = learn(samples)
    writers = (
        json.loads(given.out.read_text(encoding="utf-8"))["writers"]
        if given.out.exists()
        else {"*": UNMEASURED}
    )
    if given.run:
        cases = {case.id: case for path in PLANT for case in read_cases(path)}
        writers[settings.vllm.model] = writer_weight(drafts_of(given.run, cases))
    stored = {
        "weights": {name: weight for name, weight in learned.weights.items() if weight},
        "bias": learned.bias,
        "threshold": THRESHOLD,
        "writers": writers,
        "learned_on": {
            "suites": list(_by_suite(real)),
            "manuals": len({sample.manual for sample in samples}),
            "hidden_weight": HIDDEN,
        },
        "held_out": {name: asdict(found) for name, found in measured.items()},
    }
    given.out.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    typer.echo(f"threshold {THRESHOLD}, weights {stored['weights']}, writers {writers}: {given.out}")
    if given.samples:
        lines = (json.dumps(asdict(one) | {"refused": one.refused}, ensure_ascii=False) for one in judged)
        given.samples.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return 0


def _by_suite(judged: Sequence[Judged]) -> dict[str, list[Judged]]:
    names = dict.fromkeys(one.sample.suite for one in judged)
    return {name: [one for one in judged if one.sample.suite == name] for name in names}


def _with_hidden(judged: Sequence[Judged]) -> list[Judged]:
    """Answerable questions beside themselves without their pages."""
    return [one for one in judged if one.sample.hidden or not one.sample.refuse]


def _mean(values: Sequence[float | None]) -> float | None:
    held = [value for value in values if value is not None]
    return sum(held) / len(held) if held else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _interval(bootstrap: ClusterBootstrap, values: Sequence[float | None]) -> tuple[float, float] | None:
    found = bootstrap.interval(values)
    return (round(found.low, 4), round(found.high, 4)) if found else None


def _say(line: str) -> None:
    typer.echo(line, err=True)


if __name__ == "__main__":
    sys.exit(main())
