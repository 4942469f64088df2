"""What refusals are learned from: questions as the application asks them, with what is measured for each."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.answerable import SignalReader
from assistant.app import Lineside, open_lineside
from assistant.assets import AssetResolver, Selection
from assistant.codes import missing_codes
from assistant.errors import QuestionError
from assistant.evidence import EvidenceFinder
from assistant.schema import Hit, Question
from assistant.settings import load_settings
from assistant.understand import Understander, Understood
from assistant.wording import Wording
from eval.cases import Case, clusters_of, read_cases
from eval.home import ROOT, Homes
from eval.recording import Replay

Suites = Mapping[str, tuple[Sequence[Case], Sequence[str]]]
"""Suite -> its cases, and the manual of each."""

PLANT = tuple(ROOT / "eval" / "suites" / f"plant-{name}.jsonl" for name in ("en", "zh", "cross"))
# What `--data` brings: name of the home, its documents, the suites asked there.
DATA_SETS = (
    (
        "manuals",
        ("manuals/TM-5-4310-387-14.pdf", "manuals/TM-9-6115-641-10.pdf"),
        ("en-compressor", "en-generator"),
    ),
    ("articles", ("zh-faq",), ("zh-br-faq",)),
)
# Passages asked for where pages are taken away, so that enough are left.
DEEP = 40


@dataclass(frozen=True, slots=True)
class Sample:
    """A question with what was measured for it.

    Attributes:
        manual: what is held out together.
        refuse: the passages do not hold the answer.
        hidden: they would, had its pages not been taken away.
        code_missing: it is refused for a code that is not held, before anything is estimated.
    """

    case: str
    suite: str
    manual: str
    refuse: bool
    hidden: bool
    signals: Mapping[str, float]
    code_missing: bool = False


class Asking:
    """Asks an open home as the application does, up to the point where a decision is due."""

    def __init__(self, lineside: Lineside) -> None:
        self._retriever = lineside.retriever
        self._resolver = AssetResolver(lineside.plant, lineside.catalogue, lineside.store)
        self._understander = Understander()
        wording = Wording(lineside.sparse)
        self._evidence = EvidenceFinder(wording, lineside.embedder)
        self._signals = SignalReader(wording)
        self._shown = lineside.settings.retrieval.hits

    def samples(self, suite: str, cases: Sequence[Case], manuals: Sequence[str]) -> Iterator[Sample]:
        """Each case as it is; and, where the manuals answer it, without its pages."""
        for case, manual in zip(cases, manuals, strict=True):
            understood = self._understander.read(Question(case.question, case.asset, case.history))
            machine = self._machine(case.asset, understood)
            applies_to, retriever = machine.applies_to, self._retriever.pinned(machine.serial)
            found = retriever.retrieve(understood, applies_to, limit=DEEP)
            left = [hit for hit in found if not _is_gold(hit, case)]
            # Without any passage there is nothing to decide.
            if found:
                codes = missing_codes(understood.standalone, found[: self._shown], retriever, applies_to)
                signals = self._measured(understood, found, applies_to)
                yield Sample(case.id, suite, manual, case.refuse, False, signals, bool(codes))
            if left and case.gold:
                yield Sample(case.id, suite, manual, True, True, self._measured(understood, left, applies_to))

    def _measured(
        self, understood: Understood, found: Sequence[Hit], applies_to: tuple[str, ...]
    ) -> Mapping[str, float]:
        hits = found[: self._shown]
        evidence = self._evidence.find(understood, hits)
        return self._signals.read(understood, hits, evidence, applies_to).values

    def _machine(self, asset: str | None, understood: Understood) -> Selection:
        if not asset:
            return self._resolver.named_in(understood.standalone)
        try:
            return self._resolver.resolve(asset)
        except QuestionError:
            return Selection(asset, ())


def gather(homes: Homes, data: Path | None, say: Callable[[str], None]) -> list[Sample]:
    """Samples of the project's suites and, where there is a folder with more, of those in it.

    Args:
        homes: makes the homes that are missing.
        data: folder with suites/, manuals/ and zh-faq/.
        say: prints one line for the user.
    """
    return [sample for home, suites in _sets(homes, data) for sample in _asked(home, suites, say)]


def _sets(homes: Homes, data: Path | None) -> Iterator[tuple[Path, Suites]]:
    """Homes, each with the suites that are asked there: their cases and the manual of each case."""
    suites = {path.stem: read_cases(path) for path in PLANT}
    together = [case for cases in suites.values() for case in cases]
    manual_of = {case.id: manual for case, manual in zip(together, clusters_of(together), strict=True)}
    plant = {name: (cases, [manual_of[case.id] for case in cases]) for name, cases in suites.items()}
    yield homes.of_plant(), plant
    if data is None:
        return
    # Each of these suites is on one manual, or on one collection of articles.
    for name, documents, names in DATA_SETS:
        suites = {suite: read_cases(data / "suites" / f"{suite}.jsonl") for suite in names}
        asked = {suite: (cases, [suite] * len(cases)) for suite, cases in suites.items()}
        yield homes.of_documents(name, [data / document for document in documents]), asked


def _asked(home: Path, suites: Suites, say: Callable[[str], None]) -> list[Sample]:
    settings = load_settings({**os.environ, "LINESIDE_HOME": str(home)})
    samples: list[Sample] = []
    with open_lineside(settings, Replay({})) as lineside:
        asking = Asking(lineside)
        for name, (cases, manuals) in suites.items():
            samples += asking.samples(name, cases, manuals)
            say(f"{name}: {len(samples)} samples")
    return samples


def _is_gold(hit: Hit, case: Case) -> bool:
    pages = range(hit.chunk.page, hit.chunk.page_last + 1)
    return any(
        place.document == hit.chunk.document and place.page in pages for group in case.gold for place in group
    )
