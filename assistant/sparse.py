"""Sparse BM25 vectors for questions and passages in English and Chinese.

The engine's own BM25 (Robertson and Zaragoza 2009) weighs, stems and hashes; it receives words that were
made fit for it first: Chinese cut by jieba, numbers without thousands separators, identifiers added in their
normal form. IDF is applied inside the vector engine.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from types import ModuleType

import qdrant_edge

from assistant.identifiers import find_identifiers, fold
from assistant.store.base import SparseVector

# Words of a passage of usual length; BM25 normalises longer and shorter passages against it.
AVERAGE_WORDS = 120.0
# Of 0.2 to 0.4, which find about the same, the middle.
INSTEAD = 0.3

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_CHINESE = re.compile(r"[\u3400-\u9fff]+")


class SparseEncoder:
    """Builds sparse vectors; safe to share between threads."""

    def __init__(self) -> None:
        """Loads nothing yet; the Chinese dictionary is read when the first Chinese text arrives."""
        config = qdrant_edge.Bm25Config(
            tokenizer=qdrant_edge.TokenizerType.Word, language="english", avg_len=AVERAGE_WORDS
        )
        self._bm25 = qdrant_edge.Bm25(config)

    def query(self, text: str, instead: str = "") -> SparseVector:
        """The question's words, weight 1 each.

        Args:
            text: the question.
            instead: words that passages may use for them, which count INSTEAD each.
        """
        words = _sparse(self._bm25.embed_query(self._words(text)))
        if not instead:
            return words
        others = self._bm25.embed_query(self._words(instead)).indices
        weights = {**dict.fromkeys(others, INSTEAD), **dict(zip(words.indices, words.values, strict=True))}
        return SparseVector(tuple(sorted(weights)), tuple(weights[index] for index in sorted(weights)))

    def passages(self, texts: Sequence[str]) -> list[SparseVector]:
        """Term-frequency weights of each passage."""
        return [_sparse(self._bm25.embed_document(self._words(text))) for text in texts]

    def chinese_words(self, run: str) -> list[str]:
        """Words of a run of Chinese characters."""
        return list(self._jieba.cut(run))

    def _words(self, text: str) -> str:
        folded = _THOUSANDS.sub("", fold(text))
        words = _CHINESE.sub(lambda match: f" {' '.join(self._jieba.cut_for_search(match.group()))} ", folded)
        return f"{words} {' '.join(find_identifiers(text))}"

    @cached_property
    def _jieba(self) -> ModuleType:
        import jieba

        jieba.setLogLevel("WARNING")
        jieba.initialize()
        return jieba  # type: ignore[no-any-return]


def _sparse(vector: qdrant_edge.SparseVector) -> SparseVector:
    return SparseVector(tuple(vector.indices), tuple(vector.values))
