"""The dataset: facts of visible chunks turned into examples, and kept apart from evaluation."""

import hashlib
import random
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assistant.app import Lineside
from assistant.errors import InputError, StorageError
from assistant.evidence import EvidenceFinder
from assistant.grounding import Grounder
from assistant.prompt import Style
from assistant.schema import Chunk
from assistant.wording import Wording
from finetune.compose import Composer, Shares
from finetune.example import Example, write_examples
from finetune.fact import Fact
from finetune.facts import facts_of
from finetune.noise import Noise
from finetune.overlap import Overlap, SuiteQuestion
from finetune.passages import Passages
from finetune.sources import Source
from finetune.splits import Splits, split_documents

# Ordinals of a revision's chunks are all below this.
ALL = 10**9
# A fact is asked for in no more than so many wordings, so that few facts do not fill a dataset.
WORDINGS = 3
# Share of the examples that are for validation, where documents are spared for it.
VALIDATION_EXAMPLES = 0.08
# Files that tell of the files beside them.
_ABOUT = re.compile(r"(?:^|/)(?:source|readme|license|licence|notice|changelog)\b", re.IGNORECASE)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a dataset is to be.

    Attributes:
        examples: how many at most, in training and validation together, of each source.
        seed: of every choice that is left to chance.
        noise: what happens to questions.
        shares: forms that examples take.
        styles: of the prompts, drawn in equal parts.
        held_out: casefolded models whose documents are kept out.
        questions: of the evaluation suites, which no example may repeat.
        kept_out_suites: names of suites whose documents are kept out altogether.
    """

    examples: int = 3000
    seed: int = 7
    noise: Noise = Noise()
    shares: Shares = Shares()
    styles: tuple[Style, ...] = ("point", "write")
    held_out: tuple[str, ...] = ()
    questions: tuple[SuiteQuestion, ...] = ()
    kept_out_suites: frozenset[str] = frozenset()


@dataclass(slots=True)
class Made:
    """What one source gave, for the dataset card.

    Attributes:
        facts: how many facts its chunks hold, by kind.
        dropped: examples that were not taken, by reason.
    """

    source: Source
    splits: Splits
    examples: list[Example] = field(default_factory=list)
    facts: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)


def make_examples(lineside: Lineside, source: Source, plan: Plan, say: Say) -> Made:
    """Examples of the visible chunks of one home.

    Args:
        lineside: the opened home.
        source: what the home is.
        plan: how many, and what is kept out.
        say: prints one line for the user.

    Raises:
        InputError: the home holds no visible manual.
        StorageError: its store cannot be read.
    """
    chunks = list(_visible(lineside))
    if not chunks:
        raise InputError(f"{source.name} holds no visible manual", "Ingest some first.")
    evaluated = {d for q in plan.questions if q.suite in plan.kept_out_suites for d in q.documents}
    splits = split_documents(chunks, evaluated, plan.held_out)
    overlap = Overlap(plan.questions, (chunk.text for chunk in chunks if splits.of(chunk) is None))
    grounder = Grounder(lineside.sparse)
    passages = open_passages(lineside, grounder, splits)
    notices = {chunk.id: chunk for chunk in chunks if chunk.signal}
    composer = Composer(passages, grounder, plan.noise, plan.shares, plan.styles, notices)
    made = Made(source, splits)
    spared = round(plan.examples * VALIDATION_EXAMPLES)
    for split, wanted in (("validation", spared), ("train", plan.examples - spared)):
        facts = [fact for chunk in chunks if splits.of(chunk) == split for fact in facts_of(chunk)]
        made.facts.update(fact.kind for fact in facts)
        chance = random.Random(f"{plan.seed} {source.name} {split}")
        _compose(made, composer, overlap, facts, wanted, chance)
    say(f"{source.name}: {len(made.examples):,} examples from {made.facts.total():,} facts")
    return made


def open_passages(lineside: Lineside, grounder: Grounder, splits: Splits) -> Passages:
    """What builds prompts for a home, of the parts that serving is built of."""
    finder = EvidenceFinder(Wording(lineside.sparse), lineside.embedder)
    settings = lineside.settings
    retriever = lineside.retriever.pinned()
    return Passages(retriever, finder, grounder, settings.retrieval, settings.llm, splits.together)


def _compose(
    made: Made,
    composer: Composer,
    overlap: Overlap,
    facts: Sequence[Fact],
    wanted: int,
    chance: random.Random,
) -> None:
    """Adds so many examples of some facts of one split, or as many as there are."""
    full = len(made.examples) + wanted
    seen: set[str] = set()
    for fact in _in_turn(facts, chance):
        if len(made.examples) >= full:
            return
        split = made.splits.of(fact.chunk)
        assert split is not None
        name = f"{made.source.name}-{split}-{len(made.examples):05d}"
        example = composer.example(fact, name, split, made.source.name, chance)
        reason = _unwanted(example, fact, overlap, seen)
        if example is None or reason:
            made.dropped[reason] += 1
        else:
            seen.add(_recognised(example))
            made.examples.append(example)


def write_dataset(folder: Path, made: Sequence[Made], card: str) -> str:
    """Writes train.jsonl, validation.jsonl and README.md in one step; returns what they are recognised by.

    Args:
        folder: takes the files; an earlier dataset there is replaced.
        made: what the sources gave.
        card: text of the dataset card, in which {digest} stands for the digest.

    Raises:
        InputError: there is nothing to train on.
        StorageError: the disk refuses.
    """
    examples = sorted((e for one in made for e in one.examples), key=lambda e: _drawn(e.id))
    if not any(example.split == "train" for example in examples):
        raise InputError("The sources gave no example to train on", "Give more documents, or hold out fewer.")
    work = folder / ".work"
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        for split in ("train", "validation"):
            write_examples(work / f"{split}.jsonl", (e for e in examples if e.split == split))
        digest = dataset_digest(work)
        (work / "README.md").write_text(card.replace("{digest}", digest), encoding="utf-8")
        for name in ("train.jsonl", "validation.jsonl", "README.md"):
            (work / name).replace(folder / name)
        work.rmdir()
    except OSError as problem:
        raise StorageError(
            f"{folder} cannot be written: {problem.strerror}", "Make room or choose another."
        ) from problem
    return digest


def dataset_digest(folder: Path) -> str:
    """SHA-256 over both splits, by which adapters say what they were trained on."""
    digest = hashlib.sha256()
    for split in ("train", "validation"):
        digest.update((folder / f"{split}.jsonl").read_bytes())
    return digest.hexdigest()


def _visible(lineside: Lineside) -> Iterator[Chunk]:
    for revision in lineside.catalogue.revisions("visible"):
        if not _ABOUT.search(revision.document):
            yield from lineside.store.section(revision.id, 0, ALL)


def _in_turn(facts: Sequence[Fact], chance: random.Random) -> Iterator[Fact]:
    """Facts of every kind and document in turn: neither a long list nor a common kind fills the dataset."""
    for _ in range(WORDINGS):
        groups: defaultdict[str, defaultdict[str, list[Fact]]] = defaultdict(lambda: defaultdict(list))
        for fact in chance.sample(facts, len(facts)):
            groups[fact.kind][fact.chunk.document].append(fact)
        streams = [_round([iter(own) for own in documents.values()]) for documents in groups.values()]
        yield from _round(streams)


def _round(streams: Sequence[Iterator[Fact]]) -> Iterator[Fact]:
    """One of each stream in turn, until all have ended."""
    left = list(streams)
    while left:
        for stream in list(left):
            fact = next(stream, None)
            if fact is None:
                left.remove(stream)
            else:
                yield fact


def _unwanted(example: Example | None, fact: Fact, overlap: Overlap, seen: set[str]) -> str:
    """Why an example is not taken; '' when it is."""
    if example is None:
        return "not composed: serving would withhold it, or passages tell what should be missing"
    if overlap.in_questions(example.question):
        return "asks what an evaluation suite asks"
    if overlap.in_passages(fact.chunk.text):
        return "its passage repeats a document that is kept out"
    if _recognised(example) in seen:
        return "asked before"
    return ""


def _recognised(example: Example) -> str:
    return f"{example.document} {len(example.messages)} {''.join(example.question.casefold().split())}"


def _drawn(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
