"""Learns how passages are ranked, and says what that is worth on manuals that took no part in it.

`python -m eval.ranking --on HOME SUITE… [--on HOME SUITE…] [--write]`: each suite is asked of the home that
holds its manuals. Printed for each suite is the share of questions all of whose gold pages stand among the
first 1, 3, 5 and 10 passages: as fused, and as ranked by weights that were learned without the manual asked
about. With --write, weights learned from everything replace those in assistant/data/ranking.json.
"""

import argparse
import json
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.app import Lineside, open_lineside
from assistant.assets import AssetResolver
from assistant.errors import LinesideError
from assistant.ranking import WEIGHTS
from assistant.ranking_features import features
from assistant.schema import Hit, Question
from assistant.settings import load_settings
from assistant.understand import Understander, Understood
from assistant.wording import Wording
from eval.cases import Case, read_cases
from eval.home import ROOT

Numbers = NDArray[np.float64]
# Weights are held back as if one question in so many spoke against each of them.
HOLD_BACK = 1.0
# A suite on many short articles is left out as a whole: no article has questions enough to stand alone.
FEW_DOCUMENTS = 12
# A suite of more questions than this counts as so many, lest one style of asking outweigh the others.
WEIGHTY = 60
KS = (1, 3, 5, 10)
# Weights are learned from what is found before any ranking, and may not exist yet.
UNRANKED = {"LINESIDE_RETRIEVAL_RERANKER": "none"}
DECIMALS = 3


@dataclass(frozen=True, slots=True)
class Example:
    """A question with its candidates.

    Attributes:
        suite: name of its suite.
        manual: what is left out together with it.
        met: candidates x groups of gold pages, True where the passage meets the group.
        counted: features of each candidate.
        weight: of the question in learning.
    """

    suite: str
    manual: str
    understood: Understood
    hits: tuple[Hit, ...]
    met: NDArray[np.bool_]
    counted: tuple[dict[str, float], ...]
    weight: float = 1.0


def read_examples(lineside: Lineside, suites: Sequence[Path]) -> Iterator[Example]:
    """The answerable questions of suites with what the retriever finds for them.

    Raises:
        InputError: a suite cannot be read.
    """
    wording = Wording(lineside.sparse)
    resolver = AssetResolver(lineside.plant, lineside.catalogue, lineside.store)
    for path in suites:
        cases = [case for case in read_cases(path) if case.gold]
        documents = {case.documents[0] for case in cases}
        for case in cases:
            question = Question(case.question, case.asset, case.history)
            machine = resolver.resolve(case.asset) if case.asset else resolver.named_in(case.question)
            retriever = lineside.retriever.pinned(machine.serial)
            understood = Understander().read(question)
            scope = retriever.scope(machine.applies_to)
            searched, found = retriever.candidates(understood, scope, asset=case.asset or "")
            counted = features(searched, wording.wanted(searched.standalone), found)
            yield Example(
                suite=path.stem,
                manual=case.documents[0] if len(documents) <= FEW_DOCUMENTS else path.stem,
                understood=searched,
                hits=tuple(found),
                met=_met(case, found),
                counted=counted,
                weight=min(1.0, WEIGHTY / len(cases)),
            )


def learn(examples: Sequence[Example]) -> dict[str, float]:
    """Weights under which the passages that meet the gold are the likeliest to be chosen."""
    from scipy.optimize import minimize

    names = sorted({name for example in examples for row in example.counted for name in row})
    questions = [
        (_matrix(example, names), example.met.any(axis=1), example.weight)
        for example in examples
        if 0 < example.met.any(axis=1).sum() < len(example.hits)
    ]

    def loss(weights: Numbers) -> tuple[float, Numbers]:
        total, slope = 0.5 * HOLD_BACK * float(weights @ weights), HOLD_BACK * weights
        for matrix, right, counts in questions:
            scores = matrix @ weights
            chosen = np.exp(scores - scores.max())
            wished = chosen * right
            total -= counts * float(np.log(wished.sum() / chosen.sum()))
            slope = slope + counts * (matrix.T @ (chosen / chosen.sum() - wished / wished.sum()))
        return total, slope

    found = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return {name: round(float(weight), DECIMALS) for name, weight in zip(names, found.x, strict=True)}


def held_back(examples: Sequence[Example]) -> Iterator[tuple[Example, dict[str, float]]]:
    """Each example with weights that were learned without its manual."""
    for manual in sorted({example.manual for example in examples}):
        weights = learn([example for example in examples if example.manual != manual])
        yield from ((example, weights) for example in examples if example.manual == manual)


def page_hits(example: Example, score: Callable[[Example], Numbers]) -> list[bool]:
    """Whether all gold groups are met by the first k passages, for each k of KS."""
    scores = score(example)
    order = sorted(range(len(scores)), key=lambda n: (-scores[n], example.hits[n].chunk.id))
    texts: dict[str, int] = {}
    for number in order:
        texts.setdefault("".join(example.hits[number].chunk.text.split()), number)
    kept = example.met[list(texts.values())]
    return [bool(kept[:k].any(axis=0).all()) for k in KS]


def fused_scores(example: Example) -> Numbers:
    """The order before ranking."""
    return np.array([hit.score for hit in example.hits])


def _ranked(weights: dict[str, float]) -> Callable[[Example], Numbers]:
    names = list(weights)
    values = np.array(list(weights.values()))
    return lambda example: _matrix(example, names) @ values


def _matrix(example: Example, names: Sequence[str]) -> Numbers:
    return np.array([[row.get(name, 0.0) for name in names] for row in example.counted])


def _met(case: Case, hits: Sequence[Hit]) -> NDArray[np.bool_]:
    return np.array(
        [
            [
                any(
                    hit.chunk.document == place.document
                    and hit.chunk.page <= place.page <= hit.chunk.page_last
                    for place in group
                )
                for group in case.gold
            ]
            for hit in hits
        ]
    ).reshape(len(hits), len(case.gold))


def _table(examples: Sequence[Example]) -> Iterator[str]:
    rows: dict[str, list[tuple[list[bool], list[bool]]]] = defaultdict(list)
    for example, weights in held_back(examples):
        rows[example.suite].append((page_hits(example, fused_scores), page_hits(example, _ranked(weights))))
    heads = " ".join(f"{f'@{k}':>5}" for k in KS)
    yield f"{'':20} {'':>4}   {'as fused':23}   {'ranked, its manual held back':23}"
    yield f"{'suite':20} {'n':>4}   {heads}   {heads}"
    for suite, found in rows.items():
        shares = [[float(np.mean([hit[way][n] for hit in found])) for n in range(len(KS))] for way in (0, 1)]
        cells = [" ".join(f"{share:5.3f}" for share in way) for way in shares]
        yield f"{suite:20} {len(found):4}   {cells[0]}   {cells[1]}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table; exit code 2 when a home or a suite cannot be read."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.ranking", description="Learn the ranking of passages."
    )
    parser.add_argument("--on", nargs="+", action="append", required=True, metavar=("HOME", "SUITE"))
    parser.add_argument("--write", action="store_true", help=f"write assistant/{WEIGHTS}")
    options = parser.parse_args(arguments)
    examples: list[Example] = []
    try:
        for home, *suites in options.on:
            with open_lineside(load_settings(os.environ | UNRANKED | {"LINESIDE_HOME": home})) as lineside:
                examples += read_examples(lineside, [Path(suite) for suite in suites])
    except LinesideError as problem:
        sys.stderr.write(f"{problem}\n")
        return problem.exit_code
    for line in _table(examples):
        sys.stdout.write(f"{line}\n")
    if options.write:
        weights = learn(examples)
        text = json.dumps({"examples": len(examples), "weights": weights}, indent=1)
        (ROOT / "assistant" / WEIGHTS).write_text(f"{text}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
