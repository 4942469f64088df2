"""One file all the way: hash, parse, cut, embed, store, publish.

A revision is built hidden beside the visible one and becomes visible in a single transaction of the
records. Whatever stops the work before that leaves a revision in state 'building', invisible, which the
next run of the same document removes and builds anew.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.embedding import Embedder
from assistant.errors import DocumentError
from assistant.identifiers import fold
from assistant.records.catalogue import Catalogue, Revision, family_of
from assistant.records.database import utc_now
from assistant.records.files import OriginalFiles, sha256
from assistant.records.plant import Plant
from assistant.schema import Asset, IngestOutcome, ParsedFile
from assistant.settings import IngestSettings
from assistant.sparse import SparseEncoder
from assistant.store.base import ChunkStore, Vectors
from ingest.chunk import Origin, embedding_text, make_chunks
from ingest.files import file_type
from ingest.sandbox import parse_in_sandbox

# Part of every revision id: raise it when parsing or cutting changes, so that the same bytes are read anew.
VERSION = "1"

# Stage name, steps done, steps in all.
Progress = Callable[[str, int, int], None]


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
    ) -> None:
        """Works on the open parts of one home."""
        self._catalogue = catalogue
        self._store = store
        self._embedder = embedder
        self._sparse = sparse
        self._files = files
        self._settings = settings
        self._plant = plant

    def ingest(
        self,
        path: Path,
        document: str,
        *,
        asset: str | None = None,
        model: str | None = None,
        label: str | None = None,
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
            progress: told of each stage: 'read', 'embed', 'store'.

        Returns:
            Status 'ingested' for a new document, 'superseded' when it replaced the visible revision of its
            family, 'unchanged' when a revision with the same name, bytes and applicability is there already,
            'rejected' with a reason when the file cannot be read.

        Raises:
            StorageError: the disk or an engine refuses; nothing half-built is visible.
        """
        read = self.read(path, document, asset=asset, model=model, label=label, progress=progress)
        return read if isinstance(read, IngestOutcome) else self.publish(read, progress)

    def read(
        self,
        path: Path,
        document: str,
        *,
        asset: str | None = None,
        model: str | None = None,
        label: str | None = None,
        progress: Progress = no_progress,
    ) -> Reading | IngestOutcome:
        """The first half of `ingest`: parses a file, or says why that is not needed or not possible.

        Changes nothing, so that the next file can be read while this one is being published.
        """
        try:
            kind = file_type(path, self._settings.file_mb)
            digest = sha256(path)
            applies_to = self._applies_to(document, "", asset, model)
            unchanged = self._unchanged(document, digest, applies_to)
            if unchanged:
                return unchanged
            parsed = parse_in_sandbox(
                path, kind, self._settings, lambda done, total: progress("read", done, total)
            )
        except DocumentError as problem:
            return IngestOutcome(document, "", "rejected", reason=str(problem))
        except OSError as problem:
            return IngestOutcome(document, "", "rejected", reason=f"{path.name} cannot be read: {problem}")
        # The title may name the machine too, which only shows now.
        applies_to = applies_to or self._applies_to(document, parsed.title, asset, model)
        unchanged = self._unchanged(document, digest, applies_to)
        if unchanged:
            return unchanged
        family, named = family_of(document)
        new = Asset(asset, model=model) if asset and model else None
        revision = Revision(
            id=revision_id(document, digest, applies_to),
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
        )
        return Reading(path, revision, parsed, new)

    def publish(self, read: Reading, progress: Progress = no_progress) -> IngestOutcome:
        """The second half: cuts, embeds and stores what was read, and makes it visible.

        Raises:
            StorageError: the disk or an engine refuses; nothing half-built is visible.
        """
        revision, parsed = read.revision, read.parsed
        origin = Origin(revision.document, revision.id, revision.label, parsed.title, revision.applies_to)
        limit = min(self._settings.chunk_tokens, self._embedder.max_tokens)
        chunks = make_chunks(parsed, origin, self._embedder.count_tokens, limit)
        if not chunks:
            reason = f"{read.path.name} holds no text to read"
            return IngestOutcome(revision.document, "", "rejected", reason=reason)
        if read.asset and read.asset.tag.casefold() not in {a.tag.casefold() for a in self._plant.assets()}:
            self._plant.add_assets([read.asset])
        self._clear_remains(revision)
        self._files.put(read.path)
        self._catalogue.begin(revision)
        texts = [embedding_text(chunk) for chunk in chunks]
        vectors = self._embed(texts, progress)
        progress("store", 0, len(chunks))
        self._store.upsert(chunks, vectors, self._sparse.passages(texts))
        progress("store", len(chunks), len(chunks))
        retired = self._catalogue.publish(
            revision.id,
            title=parsed.title,
            pages=revision.pages,
            chunks=len(chunks),
            ocr_pages=revision.ocr_pages,
        )
        return IngestOutcome(
            revision.document,
            revision.id,
            "superseded" if retired else "ingested",
            revision.pages,
            len(chunks),
            revision.ocr_pages,
            _remark(parsed),
        )

    def _embed(self, texts: Sequence[str], progress: Progress) -> Vectors:
        """One vector per text; equal texts, such as repeated warnings, once."""
        unique = list(dict.fromkeys(texts))
        place = {text: index for index, text in enumerate(unique)}
        progress("embed", 0, len(unique))
        vectors = self._embedder.passages(unique, lambda done, total: progress("embed", done, total))
        embedded: Vectors = vectors[[place[text] for text in texts]]
        return embedded

    def _unchanged(self, document: str, digest: str, applies_to: tuple[str, ...]) -> IngestOutcome | None:
        current = self._catalogue.revision(revision_id(document, digest, applies_to))
        if current is None or current.state == "building":
            return None
        reason = ""
        if current.state == "retired":
            # A folder that holds rev-B and rev-C side by side stays as it is when it is ingested again.
            newer = self._catalogue.visible_in(current.family)
            if newer is None or newer.document == document:
                return None
            reason = f"kept as an earlier revision: {newer.document} replaced it"
        return IngestOutcome(
            document, current.id, "unchanged", current.pages, current.chunks, current.ocr_pages, reason
        )

    def _applies_to(self, document: str, title: str, asset: str | None, model: str | None) -> tuple[str, ...]:
        given = tuple(fold(name).casefold().strip() for name in (asset, model) if name)
        return given or self._named_machine(document) or self._named_machine(title)

    def _named_machine(self, name: str) -> tuple[str, ...]:
        """A registered tag, else a registered model, that stands in a name as a whole token."""
        text = fold(name).casefold()
        assets = self._plant.assets()
        for names in ({a.tag for a in assets}, {a.model for a in assets if a.model}):
            found = [n.casefold() for n in names if _is_token(n.casefold(), text)]
            if found:
                return (max(found, key=len),)
        return ()

    def _clear_remains(self, revision: Revision) -> None:
        """Removes what an interrupted run of this family, or an earlier run of these bytes, left behind."""
        for left in self._catalogue.revisions("building"):
            if left.family == revision.family:
                self._store.delete(left.id)
                self._catalogue.forget(left.id)
        if self._catalogue.revision(revision.id) is not None:
            self._store.delete(revision.id)


def revision_id(document: str, digest: str, applies_to: Sequence[str]) -> str:
    """First 16 hex digits of a hash over name, bytes, applicability and the version of this pipeline."""
    key = "\0".join((document, digest, *applies_to, VERSION))
    return hashlib.sha256(key.encode("utf-8")).hexdigest()[:16]


def _is_token(name: str, text: str) -> bool:
    return bool(re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", text))


def _remark(parsed: ParsedFile) -> str:
    """What a supervisor should know of a file that was read: pictures that gave no text."""
    silent = [page.number for page in parsed.pages if page.ocr and not page.blocks]
    if not silent:
        return ""
    shown = ", ".join(map(str, silent[:10])) + (" …" if len(silent) > 10 else "")
    return f"{len(silent)} of {len(parsed.pages)} pages are pictures in which no text was found: {shown}"
