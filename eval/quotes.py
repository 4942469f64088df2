"""What answers are worth without a model: the manuals' own words, chosen by Lineside.

    python -m eval.quotes --on HOME SUITE... [--on HOME SUITE...] [--fit]

Asks the questions of suites that a home's documents answer, quotes, and scores the quotes with the metrics of
the harness. `--fit` learns the weights of the evidence on all suites and stores them; its figures are then of
manuals that the weights were not learned on (leave one out).
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median, quantiles

from assistant.app import Lineside, open_lineside
from assistant.assets import AssetResolver
from assistant.errors import LinesideError
from assistant.evidence import Candidate, EvidenceFinder
from assistant.quoting import Quoted, quote
from assistant.schema import Answer, Question
from assistant.settings import load_settings
from assistant.understand import Understander, Understood
from assistant.wording import Wording
from eval.cases import Case, clusters_of, read_cases
from eval.home import ROOT
from eval.logistic import fit
from eval.metrics.answers import must_contain, wrong_value
from eval.metrics.citations import exact_page
from eval.metrics.wording import holds
from eval.recording import Replay
from eval.results import Result, record_answer

STORED = ROOT / "assistant" / "data" / "evidence.json"
# Each feature with the sign of its weight.
SIGNS = {
    "covered": 1,
    "first": 1,
    "exact": 1,
    "identifier": 1,
    "lacks_value": -1,
    "length": 1,
    "drawing": -1,
    "step": 1,
    "step_asked": 1,
    "meaning": 1,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A question with the places found for it.

    Attributes:
        manual: what is held out together.
        milliseconds: from the question to the quotes.
    """

    suite: str
    manual: str
    case: Case
    understood: Understood
    candidates: tuple[Candidate, ...]
    quoted: Quoted
    milliseconds: float


def samples(lineside: Lineside, suites: Sequence[Path]) -> Iterator[Sample]:
    """The answerable questions of suites, asked as the application asks them."""
    resolver = AssetResolver(lineside.plant, lineside.catalogue, lineside.store)
    finder = EvidenceFinder(Wording(lineside.sparse), lineside.embedder)
    for path in suites:
        cases = [case for case in read_cases(path) if not case.refuse]
        for case, manual in zip(cases, clusters_of(cases), strict=True):
            question = Question(case.question, case.asset, case.history)
            started = time.perf_counter()
            machine = resolver.resolve(case.asset) if case.asset else resolver.named_in(case.question)
            hits = lineside.retriever.pinned(machine.serial).retrieve(question, machine.applies_to)
            understood = Understander().read(question)
            candidates = tuple(finder.candidates(understood, hits))
            quoted = quote(understood, finder.scored(candidates))
            took = (time.perf_counter() - started) * 1000
            yield Sample(path.stem, manual, case, understood, candidates, quoted, took)


def learn(known: Sequence[Sample]) -> dict[str, float]:
    """Weights that tell the places on a gold page that say a fact asked for from all others."""
    places = [(sample.case, candidate) for sample in known for candidate in sample.candidates]
    fitted = fit(
        [candidate.features for _, candidate in places],
        [_is_right(case, candidate) for case, candidate in places],
        [1.0] * len(places),
        SIGNS,
    )
    return {"bias": fitted.bias, **fitted.weights}


def held_out(known: Sequence[Sample], lineside: Lineside) -> Iterator[tuple[Sample, Quoted]]:
    """Each sample with the quotes that weights learned on the other manuals choose."""
    for manual in dict.fromkeys(sample.manual for sample in known):
        weights = learn([sample for sample in known if sample.manual != manual])
        finder = EvidenceFinder(Wording(lineside.sparse), lineside.embedder, weights)
        for sample in known:
            if sample.manual == manual:
                yield sample, quote(sample.understood, finder.scored(sample.candidates))


def figures(quoted: Sequence[tuple[Sample, Quoted]]) -> dict[str, float | int | None]:
    """Means of the harness's metrics over quotes, their length in characters and the time they took."""
    scored = [(sample.case, _result(sample, quotes)) for sample, quotes in quoted]
    lengths = [float(len(quotes.text)) for _, quotes in quoted]
    times = [sample.milliseconds for sample, _ in quoted]
    return {
        "questions": len(quoted),
        "exact_page": _mean([exact_page(c.gold, r.answer.citations if r.answer else ()) for c, r in scored]),
        "must_contain": _mean([must_contain(case, result) for case, result in scored]),
        "wrong_value": _mean([wrong_value(case, result) for case, result in scored]),
        "characters": round(fmean(lengths)),
        "characters_p95": round(_p95(lengths)),
        "ms": round(median(times)),
        "ms_p95": round(_p95(times)),
    }


def _is_right(case: Case, candidate: Candidate) -> bool:
    chunk = candidate.hit.chunk
    on_page = any(
        place.document == chunk.document and chunk.page <= place.page <= chunk.page_last
        for group in case.gold
        for place in group
    )
    return on_page and any(holds(candidate.text, words) for group in case.must_contain for words in group)


def _result(sample: Sample, quotes: Quoted) -> Result:
    answer = Answer(quotes.text, False, "extractive", sample.understood.language, quotes.citations)
    return Result(sample.case.id, sample.suite, "lineside", record_answer(answer), ())


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), 4) if known else None


def _p95(values: Sequence[float]) -> float:
    return quantiles(values, n=20)[-1] if len(values) > 1 else values[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures of each suite and of all as JSON."""
    parser = argparse.ArgumentParser(prog="python -m eval.quotes", description="Answers without a model.")
    parser.add_argument(
        "--on", nargs="+", action="append", required=True, metavar="HOME|SUITE", help="a home and its suites"
    )
    parser.add_argument("--fit", action="store_true", help="learn the weights and store them")
    options = parser.parse_args(arguments)
    known: list[Sample] = []
    try:
        for number, (home, *suites) in enumerate(options.on, start=1):
            settings = load_settings({**os.environ, "LINESIDE_HOME": home})
            with open_lineside(settings, Replay({})) as lineside:
                known += samples(lineside, [Path(suite) for suite in suites])
                last = number == len(options.on)
                quoted = list(held_out(known, lineside)) if last and options.fit else []
    except LinesideError as problem:
        sys.stderr.write(f"{problem}\n")
        return problem.exit_code
    if options.fit:
        _store(learn(known))
    quoted = quoted or [(sample, sample.quoted) for sample in known]
    by_suite = {
        suite: figures([(sample, quotes) for sample, quotes in quoted if sample.suite == suite])
        for suite in dict.fromkeys(sample.suite for sample in known)
    }
    json.dump({**by_suite, "all": figures(quoted)}, sys.stdout, indent=1)
    sys.stdout.write("\n")
    return 0


def _store(weights: Mapping[str, float]) -> None:
    rounded = {name: round(weight, 2) for name, weight in weights.items()}
    STORED.write_text(json.dumps({"weights": rounded}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
