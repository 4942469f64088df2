"""Removes every trace of revisions that were deleted or rejected.

It may be cut short anywhere, and is taken up again when the home is next opened: the record goes last.
"""

import logging

from assistant.jobs import JobQueue
from assistant.pages import PagePictures
from assistant.records.catalogue import Catalogue, Revision
from assistant.records.files import OriginalFiles
from assistant.records.quality import QualityReports
from assistant.revisions import Journal
from assistant.store.base import ChunkStore

_log = logging.getLogger(__name__)


class Clearing:
    """Passages, original, pictures, report, uploads, jobs and record of what is being deleted."""

    def __init__(
        self,
        catalogue: Catalogue,
        store: ChunkStore,
        files: OriginalFiles,
        pictures: PagePictures,
        reports: QualityReports,
        jobs: JobQueue,
        journal: Journal = _log.debug,
    ) -> None:
        """Works on the open parts of one home; `journal` is told of every step that is done."""
        self._catalogue = catalogue
        self._store = store
        self._files = files
        self._pictures = pictures
        self._reports = reports
        self._jobs = jobs
        self._journal = journal

    def finish(self) -> None:
        """Clears away what is being deleted, also what an interrupted run left.

        An original stays while another revision has the same bytes.

        Raises:
            StorageError: the disk or an engine refuses; the next call goes on.
        """
        leaving = self._catalogue.revisions("deleting")
        if not leaving:
            return
        for revision in leaving:
            self._clear(revision)
        self._store.purge()
        self._journal("passages purged")
        self._catalogue.forget([revision.id for revision in leaving])
        self._journal("records removed")
        self._catalogue.scrub()

    def _clear(self, revision: Revision) -> None:
        self._store.delete(revision.id)
        self._journal("passages removed")
        others = [other for other in self._catalogue.revisions() if other.state != "deleting"]
        if revision.file_hash not in {other.file_hash for other in others}:
            self._files.drop(revision.file_hash)
            self._journal("original removed")
            self._pictures.forget(revision.file_hash)
            self._journal("pictures removed")
        self._reports.drop(revision.id)
        last = revision.document not in {other.document for other in others}
        self._jobs.drop(revision.id, revision.document if last else None)
        self._journal("report and jobs removed")
