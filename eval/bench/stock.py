"""The peer for ingesting: what a tutorial does. pypdf text, 1,000-character chunks, MiniLM, a Qdrant shard.

usage: python -m eval.bench.stock FOLDER STORE; prints one JSON object.
"""

import json
import sys
import time
from pathlib import Path

import qdrant_edge as qe
from langchain_text_splitters import RecursiveCharacterTextSplitter
from pypdf import PdfReader

from assistant.embedding.transformer import SentenceTransformerEmbedder, minilm_folder

CHARACTERS, OVERLAP = 1000, 200


def main(folder: Path, store: Path) -> None:
    """Ingests every PDF of a folder; `work_s` leaves out loading the model, `parse_s` is pypdf's share."""
    embedder = SentenceTransformerEmbedder("minilm", minilm_folder())
    start = time.perf_counter()
    store.mkdir(parents=True)
    vectors = qe.EdgeVectorParams(size=embedder.dimension, distance=qe.Distance.Cosine)
    shard = qe.EdgeShard.create(str(store), qe.EdgeConfig(vectors=vectors))
    splitter = RecursiveCharacterTextSplitter(chunk_size=CHARACTERS, chunk_overlap=OVERLAP)
    pages = chunks = 0
    parse_s = 0.0
    for path in sorted(folder.glob("*.pdf")):
        began = time.perf_counter()
        texts = [page.extract_text() for page in PdfReader(path).pages]
        parse_s += time.perf_counter() - began
        pieces = [piece for text in texts for piece in splitter.split_text(text)]
        embedded = embedder.passages(pieces)
        points = [
            qe.Point(chunks + n, vector.tolist(), {"text": piece, "document": path.name})
            for n, (piece, vector) in enumerate(zip(pieces, embedded, strict=True))
        ]
        shard.update(qe.UpdateOperation.upsert_points(points))
        pages, chunks = pages + len(texts), chunks + len(pieces)
    shard.optimize()
    shard.close()
    seconds = time.perf_counter() - start
    sys.stdout.write(json.dumps({"pages": pages, "chunks": chunks, "work_s": seconds, "parse_s": parse_s}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
