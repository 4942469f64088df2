"""Many files at once: several are read, embedded and published side by side.

Files of one family (revisions of one manual) follow each other in order; others wait for nobody, not even for
files that hang until their time is up. Each worker holds one parsed file, which bounds the memory.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from assistant.errors import LinesideError
from assistant.records.catalogue import family_of
from assistant.schema import IngestOutcome
from assistant.slots import SPARE, Slot, Slots
from ingest.files import Candidate
from ingest.pipeline import Progress

Work = Callable[[Candidate, Progress], IngestOutcome]


class StoppedError(LinesideError):
    """Another file met a failure that ends the whole run, or somebody pressed Ctrl-C."""


def ingest_all(
    candidates: Sequence[Candidate], work: Work, show: Callable[[str], Progress], workers: int
) -> Iterator[IngestOutcome]:
    """Ingests files side by side.

    Args:
        candidates: the files.
        work: ingests one file; called from several threads.
        show: gives the progress callback of a document.
        workers: files at work at one time, those that hang not counted.

    Yields:
        Outcomes in the order in which the files were given; each is yielded as soon as it and all before it
        are there.

    Raises:
        LinesideError: the first failure that is not one file's own; the files at work are abandoned, leaving
            nothing half-built, and what is published stays.
    """
    stop = threading.Event()

    slots = Slots(workers)

    def watched(candidate: Candidate, slot: Slot) -> Progress:
        report = show(candidate.document)

        def progress(stage: str, done: int, total: int) -> None:
            slot.sign(stage, done)
            if stop.is_set():
                raise StoppedError(f"{candidate.document} was not ingested: the run was stopped")
            report(stage, done, total)

        return progress

    def family(members: Sequence[tuple[int, Candidate]]) -> dict[int, IngestOutcome]:
        found = {}
        try:
            for place, candidate in members:
                with slots.taken(stop.is_set) as slot:
                    if slot is not None:
                        found[place] = work(candidate, watched(candidate, slot))
        except BaseException:
            stop.set()
            raise
        return found

    outcomes: dict[int, IngestOutcome] = {}
    told = 0
    with ThreadPoolExecutor(workers + SPARE, thread_name_prefix="ingest") as pool:
        running = [pool.submit(family, members) for members in _families(candidates)]
        try:
            for done in as_completed(running):
                outcomes |= done.result()
                while told in outcomes:
                    yield outcomes.pop(told)
                    told += 1
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def _families(candidates: Sequence[Candidate]) -> list[list[tuple[int, Candidate]]]:
    families: dict[str, list[tuple[int, Candidate]]] = {}
    for place, candidate in enumerate(candidates):
        families.setdefault(family_of(candidate.document)[0], []).append((place, candidate))
    return list(families.values())
