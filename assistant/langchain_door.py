"""Lineside's passages for somebody else's LangChain chain, with their places and safety notices."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Self

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field, SkipValidation

from assistant.answer import Answerer, Found
from assistant.app import Lineside
from assistant.schema import Chunk, Hit, Json, Question
from assistant.store.base import ChunkStore


class LinesideRetriever(BaseRetriever):
    """Finds what Lineside itself would answer from: the same reading of the question, filters and ranking.

    Every Document has the passage's words as `page_content`, the chunk's id as `id`, and in `metadata` (plain
    JSON values) `document`, `title`, `page`, `page_last`, `section`, `revision` (as printed), `revision_id`,
    `source` ('manual' or 'work_order'), `boxes` (fractions of the page), `score`, `exact` and `notices`: the
    safety notices tied to the passage, verbatim, each with `level`, `text` and `page`. Show those notices
    before the passage is acted on; no chain can be trusted to carry them over by itself.

    Attributes:
        answerer: the pipeline; its model is never asked.
        store: holds the notices.
        asset: tag, name or model of the machine that passages must hold for; None for the whole plant.
        limit: most documents returned.
    """

    answerer: SkipValidation[Answerer]
    store: SkipValidation[ChunkStore]
    asset: str | None = None
    limit: int = Field(default=5, ge=1)

    @classmethod
    def of(cls, lineside: Lineside, asset: str | None = None, limit: int = 5) -> Self:
        """A retriever on an open Lineside, which has to stay open as long as the chain runs."""
        return cls(answerer=lineside.answerer, store=lineside.store, asset=asset, limit=limit)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        """Passages, best first; none when nothing is held on it.

        Raises:
            QuestionError: the query is empty or too long, or the asset is unknown.
            StorageError: the store cannot be read.
        """
        hits = self._found(Question(query, self.asset))[: self.limit]
        tied = self.store.fetch(list(dict.fromkeys(name for hit in hits for name in hit.chunk.notices)))
        return [_document(hit, tied) for hit in hits]

    def _found(self, question: Question) -> tuple[Hit, ...]:
        """The pipeline is left where it has found its passages, before it goes on to the model."""
        return next(event.hits for event in self.answerer.stream(question) if isinstance(event, Found))


def _document(hit: Hit, tied: Sequence[Chunk]) -> Document:
    chunk = hit.chunk
    metadata: Json = {
        "document": chunk.document,
        "title": chunk.title,
        "page": chunk.page,
        "page_last": chunk.page_last,
        "section": chunk.heading,
        "revision": chunk.revision_label,
        "revision_id": chunk.revision,
        "source": chunk.source,
        "boxes": [asdict(box) for box in chunk.boxes],
        "score": hit.score,
        "exact": hit.exact,
        "notices": [
            {"level": notice.signal, "text": notice.text, "page": notice.page}
            for notice in tied
            if notice.id in chunk.notices and notice.signal
        ],
    }
    return Document(page_content=chunk.text, metadata=metadata, id=chunk.id)
