"""The peers that every report shows beside Lineside, on the same documents and with the same model.

- stock_rag: pypdf text, 1,000-character chunks, MiniLM vectors, the best five into a plain prompt.
- bm25_quotes: the same chunks ranked by BM25 and quoted; never refuses, never writes.
- no_documents: the model alone.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_text_splitters import RecursiveCharacterTextSplitter
from pypdf import PdfReader

from assistant.app import Lineside
from assistant.embedding.transformer import SentenceTransformerEmbedder, minilm_folder
from assistant.errors import StorageError
from assistant.language import language_of
from assistant.llm import LanguageModel
from assistant.schema import Question
from assistant.sparse import SparseEncoder
from assistant.store.base import Vectors
from eval.results import AnswerRecord, CitedBlock, RetrievedPages

CHARACTERS = 1000
IN_PROMPT = 5
QUOTED = 3
KEPT = 10

STOCK_PROMPT = (
    "Answer the question using only the context. Cite the context by its number in square brackets. "
    "If the context does not contain the answer, say: I don't know."
)
# What the stock prompt asks for, and what models say instead in either language.
_DONT_KNOW = re.compile(
    r"\bI (?:don.t|do not) know\b|not (?:contain|provide|mention)|不知道|没有提供|未提及|没有提到"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stock chunk: page 1-based."""

    document: str
    page: int
    text: str


def stock_pieces(lineside: Lineside) -> list[Piece]:
    """Cuts the originals of all visible revisions as a tutorial would.

    Raises:
        StorageError: an original is missing from the home.
    """
    splitter = RecursiveCharacterTextSplitter(chunk_size=CHARACTERS, chunk_overlap=0)
    pieces = []
    for revision in lineside.catalogue.revisions("visible"):
        path = lineside.files.path(revision.file_hash)
        if path is None:
            raise StorageError(f"The original of {revision.document} is missing", "Ingest it again.")
        for page, text in enumerate(_page_texts(path), start=1):
            pieces += [Piece(revision.document, page, piece) for piece in splitter.split_text(text)]
    return pieces


def _page_texts(path: Path) -> Iterator[str]:
    if path.suffix == ".pdf":
        yield from (page.extract_text() for page in PdfReader(path).pages)
    else:
        yield path.read_text(encoding="utf-8", errors="replace")


class DenseIndex:
    """MiniLM vectors of pieces, searched by brute force."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        """Embeds all pieces."""
        self._embedder = SentenceTransformerEmbedder("minilm", minilm_folder())
        self._pieces = pieces
        self._vectors: Vectors = self._embedder.passages([piece.text for piece in pieces])

    def search(self, text: str, limit: int) -> list[tuple[Piece, float]]:
        """Best pieces by cosine."""
        scores = self._vectors @ self._embedder.queries([text])[0]
        return [(self._pieces[index], float(scores[index])) for index in np.argsort(-scores)[:limit]]


class Bm25Index:
    """BM25 (Robertson and Zaragoza 2009) over the words that Lineside's own word search sees."""

    def __init__(self, pieces: Sequence[Piece], sparse: SparseEncoder) -> None:
        """Counts all pieces."""
        self._sparse = sparse
        self._pieces = pieces
        self._weights = [
            dict(zip(vector.indices, vector.values, strict=True))
            for vector in sparse.passages([piece.text for piece in pieces])
        ]

    @cached_property
    def _idf(self) -> dict[int, float]:
        held = Counter(word for weights in self._weights for word in weights)
        total = len(self._weights)
        return {word: math.log(1 + (total - n + 0.5) / (n + 0.5)) for word, n in held.items()}

    def search(self, text: str, limit: int) -> list[tuple[Piece, float]]:
        """Best pieces by BM25."""
        words = self._sparse.query(text).indices
        scores = [sum(w.get(word, 0.0) * self._idf.get(word, 0.0) for word in words) for w in self._weights]
        best = sorted(range(len(scores)), key=lambda index: -scores[index])[:limit]
        return [(self._pieces[index], scores[index]) for index in best]


Outcome = tuple[AnswerRecord, tuple[RetrievedPages, ...] | None]


class StockRag:
    """Retrieve, stuff, generate; says what the model says."""

    def __init__(self, index: DenseIndex, llm: LanguageModel) -> None:
        """Searches one index, writes with one model."""
        self._index = index
        self._llm = llm

    def answer(self, question: Question) -> Outcome:
        """The model's text; its markers [n] are its citations.

        Raises:
            LLMUnavailableError: the model gives nothing.
        """
        found = self._index.search(question.text, KEPT)
        shown = found[:IN_PROMPT]
        context = "\n\n".join(f"[{n}] {piece.text}" for n, (piece, _) in enumerate(shown, start=1))
        text = _written(self._llm, STOCK_PROMPT, f"Context:\n{context}\n\nQuestion: {question.text}")
        marks = dict.fromkeys(int(mark) for mark in re.findall(r"\[(\d{1,2})\]", text))
        cited = tuple(_cited(n, shown[n - 1][0]) for n in marks if 0 < n <= len(shown))
        return _record(text, cited, bool(_DONT_KNOW.search(text)), "llm"), _pages(found)


class Bm25Quotes:
    """The best passages, quoted."""

    def __init__(self, index: Bm25Index) -> None:
        """Searches one index."""
        self._index = index

    def answer(self, question: Question) -> Outcome:
        """The first passages as quotes, each its own citation."""
        found = self._index.search(question.text, KEPT)
        cited = tuple(_cited(n, piece) for n, (piece, _) in enumerate(found[:QUOTED], start=1))
        text = "\n\n".join(f"“{' '.join(block.quote.split())}” [{block.n}]" for block in cited)
        return _record(text, cited, refused=False, mode="extractive"), _pages(found)


class NoDocuments:
    """The model without any passage."""

    def __init__(self, llm: LanguageModel) -> None:
        """Writes with one model."""
        self._llm = llm

    def answer(self, question: Question) -> Outcome:
        """What the model says from memory.

        Raises:
            LLMUnavailableError: the model gives nothing.
        """
        text = _written(
            self._llm, "You help technicians repair machines. Answer in short sentences.", question.text
        )
        return _record(text, (), bool(_DONT_KNOW.search(text)), "llm"), None


def _written(llm: LanguageModel, system: str, user: str) -> str:
    messages: list[BaseMessage] = [SystemMessage(system), HumanMessage(user)]
    return "".join(llm.stream(messages)).strip()


def _cited(n: int, piece: Piece) -> CitedBlock:
    return CitedBlock(n, piece.document, piece.page, piece.text)


def _pages(found: Sequence[tuple[Piece, float]]) -> tuple[RetrievedPages, ...]:
    return tuple(RetrievedPages(piece.document, piece.page, piece.page, score) for piece, score in found)


def _record(text: str, cited: tuple[CitedBlock, ...], refused: bool, mode: str) -> AnswerRecord:
    return AnswerRecord(
        text=text,
        refused=refused,
        mode="llm" if mode == "llm" else "extractive",
        language=language_of(text),
        citations=cited,
    )
