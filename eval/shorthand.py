"""What shop shorthand written out brings: `python -m eval.shorthand --data FOLDER` prints every figure.

FOLDER holds `maintnorm/company_*/{train,test}.norm` (raw and normalised tokens; Bikaun, Hodkiewicz and Liu,
W-NUT 2024) and `excavators/excavators-cleaned.csv` (raw texts and labels; Hodkiewicz and Ho 2016). Words are
learned from the train parts, figures are of the test parts.
"""

import argparse
import csv
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer

from assistant.embedding import Embedder, build_embedder
from assistant.schema import Chunk
from assistant.shorthand import Shorthand, general_words
from assistant.shorthand_learning import learn_from_pairs, learn_from_texts
from assistant.sparse import SparseEncoder
from assistant.store.base import Scope
from assistant.store.edge import EdgeStore
from eval.statistics import paired_difference

COMPANIES = ("a", "b", "c")
FIRST = 10
DEPTH = 40
# Rows of excavators that bear the same labels: fewer tell nothing, more fill the list by themselves.
FEWEST, MOST = 3, 100

Token = tuple[str, str]
Text = tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """Of words changed: right among changed, right among those to change, and their harmonic mean."""

    precision: float
    recall: float
    f1: float
    wanted: int

    def __str__(self) -> str:
        return f"P {self.precision:.3f}  R {self.recall:.3f}  F1 {self.f1:.3f}"


def read_norm(path: Path) -> list[Text]:
    """Texts of (raw, normalised) tokens: a token a line, tab between, a blank line between texts."""
    texts = []
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        rows = [line.split("\t") for line in block.splitlines() if line]
        if rows:
            texts.append(tuple((row[0], row[1] if len(row) > 1 else "") for row in rows))
    return texts


def score_tokens(texts: Sequence[Text], plain: Callable[[str], str]) -> Score:
    """Compares word by word without case; masked tokens (numbers, names, assets) do not count."""
    wanted = changed = right = 0
    for raw, clean in (token for text in texts for token in text if not is_masked(token[1])):
        before, after, written = _key(raw), _key(clean), _key(plain(raw))
        wanted += before != after
        changed += before != written
        right += written not in {before} and written == after
    precision, recall = right / max(1, changed), right / max(1, wanted)
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return Score(precision, recall, f1, wanted)


def is_masked(clean: str) -> bool:
    """Whether a normalised token is a mask such as <id> or <num>."""
    return "<" in clean


def raw_text(text: Text) -> str:
    """The text as it was typed."""
    return " ".join(raw for raw, _ in text)


def clean_text(text: Text) -> str:
    """The normalised text without masks."""
    return " ".join(" ".join(clean for _, clean in text if clean and not is_masked(clean)).split())


def word_tables(train: Sequence[Text]) -> dict[str, Mapping[str, str]]:
    """The ways of knowing shorthand that are compared."""
    general = general_words()
    texts = list(dict.fromkeys(raw_text(text) for text in train))
    alone = learn_from_texts(texts, {}, {})
    learned = learn_from_texts(texts, {}, general)
    pairs = learn_from_pairs((raw_text(text), " ".join(clean for _, clean in text)) for text in train)
    return {
        "list": general,
        "learned from raw orders": alone,
        "list + raw orders": {**learned, **general},
        "learned from pairs": pairs,
        "list + pairs": {**general, **pairs},
        "list + raw orders + pairs": {**general, **learned, **pairs},
    }


class SearchTrial:
    """A small store searched as Lineside searches: dense and sparse, fused in the engine."""

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        """Makes one store after another in the folder."""
        self._embedder = embedder
        self._sparse = SparseEncoder()
        self._folder = folder
        self._vectors: dict[str, np.ndarray] = {}

    def found(
        self,
        texts: Sequence[str],
        queries: Sequence[str],
        indexed: Shorthand | None,
        asked: Shorthand | None,
    ) -> list[list[int]]:
        """For each query the places of the first texts.

        Args:
            texts: what is searched.
            queries: what is asked.
            indexed: writes out the texts as they are indexed; None leaves them as they are.
            asked: the same for the queries.
        """
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            store = EdgeStore(Path(folder) / "vectors", self._embedder.name, self._embedder.dimension)
            chunks = [_chunk(place, text) for place, text in enumerate(texts)]
            spoken = [indexed.spoken(text) for text in texts] if indexed else texts
            words = [indexed.searched(text) for text in texts] if indexed else texts
            store.upsert(chunks, self._embedded(spoken, "passages"), self._sparse.passages(words))
            results = []
            searched = [asked.searched(query) for query in queries] if asked else queries
            for vector, text in zip(self._embedded(searched, "queries"), searched, strict=True):
                hits = store.search(vector, self._sparse.query(text), Scope(), FIRST, DEPTH)
                results.append([hit.chunk.ordinal for hit in hits])
            store.close()
        return results

    def _embedded(self, texts: Sequence[str], kind: str) -> np.ndarray:
        missing = [text for text in dict.fromkeys(texts) if f"{kind} {text}" not in self._vectors]
        for start in range(0, len(missing), 256):
            part = missing[start : start + 256]
            for text, vector in zip(part, getattr(self._embedder, kind)(part), strict=True):
                self._vectors[f"{kind} {text}"] = vector
        return np.stack([self._vectors[f"{kind} {text}"] for text in texts])


def shares_found(found: Sequence[Sequence[int]], relevant: Sequence[set[int]]) -> list[float]:
    """For each query the relevant among the first ten, of as many as could be there."""
    return [
        len(wanted & set(places)) / min(FIRST, len(wanted))
        for places, wanted in zip(found, relevant, strict=True)
    ]


def label_queries(path: Path) -> tuple[list[str], dict[str, set[str]]]:
    """Excavators: the different raw texts, and label words -> the raw texts that bear them all."""
    alike: dict[str, set[str]] = defaultdict(set)
    texts: dict[str, None] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            text = row["OriginalShorttext"].strip()
            texts[text] = None
            labels = [row[name] for name in ("Location", "Part", "FM", "Action")]
            if row["Part"] != "NA" and (row["FM"] != "NA" or row["Action"] != "NA"):
                words = re.findall(r"[A-Za-z]+", " ".join(label for label in labels if label != "NA"))
                alike[" ".join(words).casefold()].add(text)
    return list(texts), {query: held for query, held in alike.items() if FEWEST <= len(held) <= MOST}


def main() -> int:
    """Prints the figures; 2 when the data is not there."""
    parser = argparse.ArgumentParser(prog="python -m eval.shorthand", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with maintnorm and excavators")
    parser.add_argument("--embedder", default="e5-small")
    parser.add_argument("--words-only", action="store_true", help="leave out the search, which takes minutes")
    given = parser.parse_args()
    if not (given.data / "maintnorm").is_dir():
        typer.echo(f"{given.data} holds no folder maintnorm", err=True)
        return 2
    tables = _print_words(given.data)
    if not given.words_only:
        with tempfile.TemporaryDirectory() as folder:
            trial = SearchTrial(build_embedder(given.embedder, Path(folder)), Path(folder))
            _print_maintnorm(given.data, tables, trial)
            _print_excavators(given.data, trial)
    return 0


def _print_words(data: Path) -> dict[str, dict[str, Mapping[str, str]]]:
    tables = {}
    for company in COMPANIES:
        folder = data / "maintnorm" / f"company_{company}"
        tables[company] = word_tables(read_norm(folder / "train.norm"))
        test = read_norm(folder / "test.norm")
        for name, words in tables[company].items():
            score = score_tokens(test, Shorthand(words).plain)
            typer.echo(f"company {company}, {score.wanted} words to change, {name:28} {score}")
    return tables


def _print_maintnorm(
    data: Path, tables: Mapping[str, Mapping[str, Mapping[str, str]]], trial: SearchTrial
) -> None:
    """Questions are the normalised test texts; their raw forms lie among those of the train part."""
    for company in COMPANIES:
        folder = data / "maintnorm" / f"company_{company}"
        test = [text for text in read_norm(folder / "test.norm") if clean_text(text)]
        held = [*test, *(text for text in read_norm(folder / "train.norm") if clean_text(text))]
        raw, clean = [raw_text(text) for text in held], [clean_text(text).casefold() for text in held]
        alike: dict[str, set[int]] = defaultdict(set)
        for place, text in enumerate(clean):
            alike[text].add(place)
        asked = clean[: len(test)]
        relevant = [alike[text] for text in asked]
        above: list[float] = []
        for name in ("nothing", "list", "list + raw orders", "list + raw orders + pairs"):
            shorthand = Shorthand(tables[company][name]) if name in tables[company] else None
            shares = shares_found(trial.found(raw, asked, shorthand, None), relevant)
            told = f"company {company}, {len(asked)} clean questions over {len(raw)} raw orders, {name:26}"
            typer.echo(f"{told} recall@10 {_against(above, shares)}")
            above = shares


def _print_excavators(data: Path, trial: SearchTrial) -> None:
    """Questions are labels in words, and the same in shorthand; what bears all the labels is relevant."""
    texts, alike = label_queries(data / "excavators" / "excavators-cleaned.csv")
    place = {text: number for number, text in enumerate(texts)}
    relevant = [{place[text] for text in held} for held in alike.values()]
    queries = list(alike)
    typed = [_as_shorthand(query) for query in queries]
    learned = learn_from_texts(texts, {}, general_words())
    full = Shorthand({**learned, **general_words()})
    ways = {"nothing": None, "list": Shorthand(general_words()), "list + raw orders": full}
    for wanted, search, side in (
        (queries, lambda words: (words, None), "orders written out"),
        (typed, lambda words: (None, words), "asked in shorthand, question written out"),
        (typed, lambda words: (words, words), "asked in shorthand, both written out"),
    ):
        above: list[float] = []
        for name, shorthand in ways.items():
            shares = shares_found(trial.found(texts, wanted, *search(shorthand)), relevant)
            told = f"excavators, {len(queries)} label questions over {len(texts)} texts"
            typer.echo(f"{told}, {side}, {name:17} recall@10 {_against(above, shares)}")
            above = shares


def _against(above: Sequence[float], shares: Sequence[float]) -> str:
    """The mean, and how it differs from the line above with a 95 % interval of paired resamples."""
    mean = f"{sum(shares) / len(shares):.3f}"
    change = paired_difference(above, shares, [str(n) for n in range(len(shares))]) if above else None
    if change is None:
        return mean
    low, high = change.interval.low, change.interval.high
    return f"{mean} ({change.mean:+.3f} to the line above, 95 % {low:+.3f} to {high:+.3f})"


def _as_shorthand(query: str) -> str:
    """A question as it might be typed: each word in the first shorthand that stands for it alone."""
    short: dict[str, str] = {}
    for written, plain in general_words().items():
        short.setdefault(plain, written)
    return " ".join(short.get(word, word) for word in query.split())


def _key(text: str) -> str:
    return " ".join(text.casefold().replace(" / ", "/").split())


def _chunk(place: int, text: str) -> Chunk:
    number = f"00000000-0000-0000-0000-{place:012d}"
    return Chunk(number, "trial", "trial", "trial", (), 1, 1, "text", text, ordinal=place)


if __name__ == "__main__":
    sys.exit(main())
