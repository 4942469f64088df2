"""One file all the way: hash, parse, cut, examine, build, publish.

A revision is built hidden beside the visible one (ingest/build.py) and becomes visible in a single
transaction of the records, or waits for a supervisor's approval first.
"""

import hashlib
import logging
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.embedding import Embedder
from assistant.errors import DocumentError
from assistant.records.catalogue import Catalogue, Revision, family_of
from assistant.records.database import utc_now
from assistant.records.files import OriginalFiles, sha256
from assistant.records.plant import Plant
from assistant.records.quality import QualityReport, QualityReports
from assistant.schema import Asset, IngestOutcome, IngestStatus, ParsedFile
from assistant.serials import read_range
from assistant.settings import IngestSettings
from assistant.sparse import SparseEncoder
from assistant.store.base import ChunkStore
from ingest.applicability import given, named_machine
from ingest.build import Journal, Progress, RevisionBuilder
from ingest.chunk import Origin, make_chunks
from ingest.engines import Parse
from ingest.files import file_type
from ingest.quality import examine
from ingest.sandbox import parse_in_sandbox

__all__ = ["VERSION", "Ingestor", "Progress", "Reading", "no_progress", "revision_id"]

# Part of every revision id: raise it when parsing or cutting changes, so that the same bytes are read anew.
VERSION = "3"

_log = logging.getLogger(__name__)


def no_progress(_stage: str, _done: int, _total: int) -> None:
    """For callers that show nothing."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A file that was parsed and waits to be published.

    Attributes:
        revision: as it will be recorded.
        asset: to be added to the register, if it is not there.
    """

    path: Path
    revision: Revision
    parsed: ParsedFile
    asset: Asset | None


class Ingestor:
    """Makes manuals answerable."""

    def __init__(
        self,
        catalogue: Catalogue,
        store: ChunkStore,
        embedder: Embedder,
        sparse: SparseEncoder,
        files: OriginalFiles,
        settings: IngestSettings,
        plant: Plant,
        reports: QualityReports,
        journal: Journal = _log.debug,
        parse: Parse = parse_in_sandbox,
    ) -> None:
        """Works on the open parts of one home; `journal` is told of every step that is done."""
        self._parse = parse
        self._catalogue = catalogue
        self._store = store
        self._embedder = embedder
        self._settings = settings
        self._plant = plant
        self._journal = journal
        self._builder = RevisionBuilder(catalogue, store, embedder, sparse, files, reports, journal)
        # Two files of one family are published one after the other.
        self._families: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def ingest(
        self,
        path: Path,
        document: str,
        *,
        asset: str | None = None,
        model: str | None = None,
        label: str | None = None,
        serials: str = "",
        review: bool = False,
        progress: Progress = no_progress,
    ) -> IngestOutcome:
        """Reads one file and publishes it as a revision of its document.

        Args:
            path: the file.
            document: the name users will see.
            asset: tag of the machine that it holds for; with `model` it enters the register if new.
            model: model that it holds for. Without both, a registered tag or model in the file's name or
                title decides; else the document holds for the whole plant.
            label: what the revision is called on paper, by default what the file name says.
            serials: range of serial numbers that it holds for, 'FROM-TO'; empty for all.
            review: stop before it becomes visible, until a supervisor publishes it.
            progress: told of each stage: 'read', 'embed', 'store', 'check', 'publish'; what it raises ends
                the work and leaves nothing behind.

        Returns:
            Status 'ingested' for a new document, 'superseded' when it replaced the visible revision of its
            family, 'ready' when it waits for approval, 'unchanged' when a revision with the same name, bytes
            and applicability is there already, 'rejected' with a reason when the file cannot be read.

        Raises:
            InputError: `serials` is no range.
            StorageError: the disk or an engine refuses; nothing half-built is visible.
        """
        read = self.read(
            path, document, asset=asset, model=model, label=label, serials=serials, progress=progress
        )
        return read if isinstance(read, IngestOutcome) else self.publish(read, progress, review=review)

    def read(
        self,
        path: Path,
        document: str,
        *,
        asset: str | None = None,
        model: str | None = None,
        label: str | None = None,
        serials: str = "",
        progress: Progress = no_progress,
    ) -> Reading | IngestOutcome:
        """The first half of `ingest`: parses a file, or says why that is not needed or not possible.

        Changes nothing, so that the next file can be read while this one is being published.
        """
        serials = str(read_range(serials))
        assets = self._plant.assets()
        try:
            kind = file_type(path, self._settings.file_mb)
            digest = sha256(path)
            applies_to = given(asset, model) or named_machine(document, assets)
            unchanged = self._unchanged(document, digest, applies_to, serials)
            if unchanged:
                return unchanged
            parsed = self._parse(
                path, kind, self._settings, lambda done, total: progress("read", done, total)
            )
        except DocumentError as problem:
            return IngestOutcome(document, "", "rejected", reason=str(problem))
        except OSError as problem:
            return IngestOutcome(document, "", "rejected", reason=f"{path.name} cannot be read: {problem}")
        self._journal("parsed")
        # The title may name the machine too, which only shows now.
        applies_to = applies_to or named_machine(parsed.title, assets)
        unchanged = self._unchanged(document, digest, applies_to, serials)
        if unchanged:
            return unchanged
        family, named = family_of(document)
        revision = Revision(
            id=revision_id(document, digest, applies_to, serials),
            document=document,
            family=family,
            label=label or named or digest[:8],
            title=parsed.title,
            file_hash=digest,
            applies_to=applies_to,
            state="building",
            pages=len(parsed.pages),
            chunks=0,
            ocr_pages=sum(page.ocr for page in parsed.pages),
            created_at=utc_now(),
            published_at=None,
            serials=serials,
        )
        return Reading(path, revision, parsed, Asset(asset, model=model) if asset and model else None)

    def publish(
        self, read: Reading, progress: Progress = no_progress, *, review: bool = False
    ) -> IngestOutcome:
        """The second half: cuts, embeds, stores and checks what was read, and makes it visible.

        Args:
            read: from `read`.
            progress: as in `ingest`.
            review: leave it complete but hidden, for a supervisor to publish or reject.

        Raises:
            StorageError: the disk or an engine refuses; nothing half-built is visible.
        """
        revision, parsed = read.revision, read.parsed
        origin = Origin(revision.document, revision.id, revision.label, parsed.title, revision.applies_to)
        limit = min(self._settings.chunk_tokens, self._embedder.max_tokens)
        chunks = make_chunks(parsed, origin, self._embedder.count_tokens, limit)
        report = examine(parsed, chunks, revision.id, revision.document)
        outcome = IngestOutcome(
            revision.document,
            revision.id,
            "ingested",
            revision.pages,
            len(chunks),
            revision.ocr_pages,
            _remark(parsed),
        )
        if report.verdict == "empty":
            return replace(
                outcome, revision="", status="rejected", chunks=0, reason=_too_little(read, report)
            )
        with self._families[revision.family]:
            unchanged = self._unchanged(
                revision.document, revision.file_hash, revision.applies_to, revision.serials
            )
            if unchanged:
                return unchanged
            if self._rests(revision, len(chunks)):
                status = self._show(read, len(chunks), review, progress)
            else:
                with self._builder.built(read.path, revision, chunks, report, progress):
                    status = self._show(read, len(chunks), review, progress)
            self._journal("ready" if review else "published")
        return replace(outcome, status=status)

    def _show(self, read: Reading, chunks: int, review: bool, progress: Progress) -> IngestStatus:
        """The one step that makes a complete revision visible, or lets it wait for approval."""
        if read.asset:
            known = {held.tag.casefold() for held in self._plant.assets()}
            if read.asset.tag.casefold() not in known:
                self._plant.add_assets([read.asset])
        progress("publish", 0, 1)
        if review:
            self._catalogue.ready(read.revision.id, chunks)
            return "ready"
        return "superseded" if self._catalogue.publish(read.revision.id, chunks) else "ingested"

    def _unchanged(
        self, document: str, digest: str, applies_to: tuple[str, ...], serials: str
    ) -> IngestOutcome | None:
        current = self._catalogue.revision(revision_id(document, digest, applies_to, serials))
        if current is None or current.state in {"building", "deleting"}:
            return None
        reason = ""
        if current.state == "ready":
            reason = "waits for approval: `lineside documents publish`"
        elif current.state == "withdrawn":
            reason = f"was rolled back: `lineside documents publish {current.id}` brings it back"
        elif current.state == "retired":
            # A folder that holds rev-B and rev-C side by side stays as it is when it is ingested again.
            family = self._catalogue.family(current.family)
            newer = next((r for r in family if r.state == "visible" and current.replaces(r)), None)
            if newer is None or newer.document == document:
                return None
            reason = f"kept as an earlier revision: {newer.document} replaced it"
        return IngestOutcome(
            document, current.id, "unchanged", current.pages, current.chunks, current.ocr_pages, reason
        )

    def _rests(self, revision: Revision, chunks: int) -> bool:
        """Whether the same bytes were in force before and are still complete: they need not be built anew."""
        held = self._catalogue.revision(revision.id)
        return held is not None and held.state == "retired" and self._store.count(held.id) == chunks


def revision_id(document: str, digest: str, applies_to: Sequence[str], serials: str = "") -> str:
    """First 16 hex digits of a hash over name, bytes, applicability and the version of this pipeline."""
    held_for = (*applies_to, f"serials {serials}") if serials else applies_to
    key = "\0".join((document, digest, *held_for, VERSION))
    return hashlib.sha256(key.encode("utf-8")).hexdigest()[:16]


def _too_little(read: Reading, report: QualityReport) -> str:
    if not report.chunks:
        return f"{read.path.name} holds no text to read"
    return f"{read.path.name} holds only {report.words} words on {report.pages} pages: scan it anew"


def _remark(parsed: ParsedFile) -> str:
    """What a supervisor should know of a file that was read: pictures that gave no text."""
    silent = [page.number for page in parsed.pages if page.ocr and not page.blocks]
    if not silent:
        return ""
    shown = ", ".join(map(str, silent[:10])) + (" …" if len(silent) > 10 else "")
    return f"{len(silent)} of {len(parsed.pages)} pages are pictures in which no text was found: {shown}"
