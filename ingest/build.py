"""A revision is built hidden beside the visible one, checked, and only then called complete.

Whatever stops the work leaves a revision in state 'building', which no question sees. An error clears it away
at once; after a killed process the next run of the document does.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from assistant.embedding import Embedder
from assistant.errors import LinesideError, ModelError, StorageError
from assistant.records.catalogue import Catalogue, Revision
from assistant.records.files import OriginalFiles
from assistant.records.quality import QualityReport, QualityReports
from assistant.schema import Chunk
from assistant.sparse import SparseEncoder
from assistant.store.base import ChunkStore, Vectors
from ingest.chunk import embedding_text
from ingest.reuse import known_vectors

STORE_BATCH = 512
# Stage name, steps done, steps in all.
Progress = Callable[[str, int, int], None]
# Told of every step that is done; a test ends the process at each.
Journal = Callable[[str], None]

_log = logging.getLogger(__name__)


class RevisionBuilder:
    """Writes one revision: original, vectors, passages, report."""

    def __init__(
        self,
        catalogue: Catalogue,
        store: ChunkStore,
        embedder: Embedder,
        sparse: SparseEncoder,
        files: OriginalFiles,
        reports: QualityReports,
        journal: Journal,
    ) -> None:
        """Works on the open parts of one home."""
        self._catalogue = catalogue
        self._store = store
        self._embedder = embedder
        self._sparse = sparse
        self._files = files
        self._reports = reports
        self._journal = journal

    @contextmanager
    def built(
        self,
        path: Path,
        revision: Revision,
        chunks: Sequence[Chunk],
        report: QualityReport,
        progress: Progress,
    ) -> Iterator[None]:
        """Builds and checks a revision; the block then calls it ready or visible, as its last act.

        Raises:
            StorageError: the disk or an engine refuses, or does not hold what was written.
            ModelError: the embedder gave vectors that cannot be searched.
            LinesideError: whatever `progress` or the block raised. In every case nothing of it is left.
        """
        self._clear_remains(revision)
        try:
            self._catalogue.begin(revision)
            self._journal("begun")
            self._files.put(path)
            self._journal("original kept")
            self._write(revision, chunks, progress)
            progress("check", 0, len(chunks))
            # Flushed first: what is checked is what the disk holds.
            self._store.flush()
            self._check(revision, chunks)
            self._journal("checked")
            self._reports.put(report)
            self._journal("reported")
            yield
        except BaseException:
            self._abandon(revision)
            raise

    def _write(self, revision: Revision, chunks: Sequence[Chunk], progress: Progress) -> None:
        texts = [embedding_text(chunk) for chunk in chunks]
        vectors = self._embed(texts, known_vectors(self._catalogue, self._store, revision), progress)
        self._journal("embedded")
        words = self._sparse.passages(texts)
        for start in range(0, len(chunks), STORE_BATCH):
            progress("store", start, len(chunks))
            part = slice(start, start + STORE_BATCH)
            self._store.upsert(chunks[part], vectors[part], words[part])
            self._journal(f"stored {min(start + STORE_BATCH, len(chunks))} of {len(chunks)}")
        progress("store", len(chunks), len(chunks))

    def _embed(self, texts: Sequence[str], known: dict[str, Vectors], progress: Progress) -> Vectors:
        """One unit vector per text; equal texts, such as repeated warnings, once, known ones never."""
        new = [text for text in dict.fromkeys(texts) if text not in known]
        progress("embed", 0, len(new))
        vectors = self._embedder.passages(new, lambda done, total: progress("embed", done, total))
        embedded = known | dict(zip(new, vectors, strict=True))
        stacked: Vectors = np.stack([embedded[text] for text in texts])
        lengths = np.linalg.norm(stacked, axis=1)
        if not np.isfinite(lengths).all() or np.abs(lengths - 1).max() > 0.01:
            raise ModelError(f"The embedder {self._embedder.name} gave vectors that cannot be searched")
        return stacked

    def _check(self, revision: Revision, chunks: Sequence[Chunk]) -> None:
        """Every chunk that was cut can be fetched as it was cut, and nothing else is there."""
        lost = StorageError(
            f"{revision.document}: the vector engine does not hold what was written to it", "Try again."
        )
        if self._store.count(revision.id) != len(chunks):
            raise lost
        for start in range(0, len(chunks), STORE_BATCH):
            part = list(chunks[start : start + STORE_BATCH])
            if self._store.fetch([chunk.id for chunk in part]) != part:
                raise lost

    def _clear_remains(self, revision: Revision) -> None:
        """Removes what a killed run of this family, or an earlier run of these bytes, left behind."""
        for left in self._catalogue.family(revision.family):
            if left.id == revision.id and left.state in {"ready", "visible", "deleting"}:
                raise StorageError(f"{revision.document} is at work in another process", "Try again.")
            if left.state == "building" or left.id == revision.id:
                self._remove(left)

    def _abandon(self, revision: Revision) -> None:
        try:
            held = self._catalogue.revision(revision.id)
            if held is None or held.state == "building":
                self._remove(revision)
        except LinesideError as problem:
            _log.warning("%s: remains are left for the next run: %s", revision.document, problem)

    def _remove(self, revision: Revision) -> None:
        self._store.delete(revision.id)
        self._reports.drop(revision.id)
        others = (other for other in self._catalogue.revisions() if other.id != revision.id)
        if revision.file_hash not in {other.file_hash for other in others}:
            self._files.drop(revision.file_hash)
        self._catalogue.forget([revision.id])
