"""multilingual-e5-small (Wang et al. 2024, arXiv:2402.05672): the default embedder."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from assistant.embedding.base import Progress
from assistant.embedding.encoder import Encoder
from assistant.embedding.weights import E5Weights, Floats, dequantize, load_weights
from assistant.errors import MissingExtraError
from assistant.store.base import Vectors

QUERY, PASSAGE = "query: ", "passage: "
BATCH_TOKENS = 1024
"""Padded tokens in one run: a question waits no longer than one run behind an ingest in the same process."""
PAD_TO = 16
"""Lengths are rounded up to a multiple of this, so that the engine prepares itself for few shapes."""

Window = tuple[int, list[int]]
"""Index of a text, and the token ids of one piece of it."""


class E5Small:
    """English, Chinese and about ninety more languages in one space of 384 dimensions.

    A text longer than the model reads at once is read in windows, whose vectors are averaged by length.
    """

    name = "e5-small"

    def __init__(self) -> None:
        """Loads the model, in about a second.

        Raises:
            MissingExtraError: a package that it needs is not installed.
            ModelError: the model's file is damaged, or this processor cannot run it.
        """
        weights = load_weights()
        self._tokenizer = _Tokenizer(weights)
        self._encoder = Encoder(weights)
        self._begin, self._end, self._padding = weights.begin, weights.end, weights.padding
        self._words = weights.blocks("emb.word", weights.hidden)
        self._positions = weights.floats("emb.pos").reshape(weights.positions, weights.hidden)
        self._positions += weights.floats("emb.type")[: weights.hidden]
        self._window = weights.positions - 2
        self.dimension = weights.hidden
        self.max_tokens = self._window - self.count_tokens(PASSAGE.strip())

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Questions as n x 384, unit length."""
        return self._encode([QUERY + text for text in texts], None)

    def passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Passages as n x 384, unit length; progress is called after each run with (done, total) windows."""
        return self._encode([PASSAGE + text for text in texts], progress)

    def count_tokens(self, text: str) -> int:
        """Pieces of the model's own vocabulary, without prefix and end markers."""
        return len(self._tokenizer([text])[0])

    def _encode(self, texts: list[str], progress: Progress | None) -> Vectors:
        windows = [
            (index, ids[start : start + self._window])
            for index, ids in enumerate(self._tokenizer(texts))
            for start in range(0, len(ids), self._window)
        ]
        totals = np.zeros((len(texts), self.dimension), dtype=np.float32)
        done = 0
        batches = list(_batches(windows))
        with ThreadPoolExecutor(min(self._encoder.streams, len(batches)) or 1) as pool:
            for batch, means in zip(batches, pool.map(self._run, batches), strict=True):
                for (index, ids), mean in zip(batch, means, strict=True):
                    totals[index] += len(ids) * mean
                done += len(batch)
                if progress:
                    progress(done, len(windows))
        unit: Vectors = totals / np.linalg.norm(totals, axis=1, keepdims=True)
        return unit

    def _run(self, batch: Sequence[Window]) -> Floats:
        pieces = [ids for _, ids in batch]
        length = _padded(max(map(len, pieces)))
        ids = np.full((len(pieces), length), self._padding)
        for row, piece in zip(ids, pieces, strict=True):
            row[: len(piece) + 2] = [self._begin, *piece, self._end]
        states = dequantize(self._words[ids]) + self._positions[:length]
        return self._encoder(states, (ids != self._padding).astype(np.float32))


def _batches(windows: list[Window]) -> Iterator[list[Window]]:
    """Windows of like length together, the longest first, each batch within BATCH_TOKENS."""
    waiting = sorted(windows, key=lambda window: -len(window[1]))
    while waiting:
        count = max(1, BATCH_TOKENS // _padded(len(waiting[0][1])))
        yield waiting[:count]
        waiting = waiting[count:]


def _padded(tokens: int) -> int:
    return -(-(tokens + 2) // PAD_TO) * PAD_TO


class _Tokenizer:
    """SentencePiece's unigram model (Kudo 2018, arXiv:1804.10959) with the vocabulary of XLM-RoBERTa."""

    def __init__(self, weights: E5Weights) -> None:
        try:
            from tokenizers import Tokenizer, models, pre_tokenizers
        except ImportError as problem:
            raise MissingExtraError(
                "Package tokenizers is missing", "Install it: pip install tokenizers"
            ) from problem
        self._replacements = dict.fromkeys(range(0xD800, 0xE000), "\ufffd") | weights.normalization
        self._spaces = re.compile(" {2,}")
        self._tokenizer = Tokenizer(models.Unigram(weights.vocabulary, weights.unknown, False))
        self._tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, without begin and end."""
        clean = [self._spaces.sub(" ", text.translate(self._replacements)) for text in texts]
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(clean)]
