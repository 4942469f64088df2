"""The peer for ingesting: what a tutorial does. pypdf text, 1,000-character chunks, MiniLM, a Qdrant shard.

usage: python -m eval.bench.stock FOLDER STORE; prints {"pages": …, "chunks": …}
"""

import json
import sys
from pathlib import Path

import qdrant_edge as qe
from langchain_text_splitters import RecursiveCharacterTextSplitter
from pypdf import PdfReader

from assistant.embedding.transformer import SentenceTransformerEmbedder, minilm_folder

CHARACTERS = 1000


def main(folder: Path, store: Path) -> None:
    """Ingests every PDF of a folder."""
    embedder = SentenceTransformerEmbedder("minilm", minilm_folder())
    store.mkdir(parents=True)
    vectors = qe.EdgeVectorParams(size=embedder.dimension, distance=qe.Distance.Cosine)
    shard = qe.EdgeShard.create(str(store), qe.EdgeConfig(vectors=vectors))
    splitter = RecursiveCharacterTextSplitter(chunk_size=CHARACTERS, chunk_overlap=0)
    pages = chunks = 0
    for path in sorted(folder.glob("*.pdf")):
        texts = [page.extract_text() for page in PdfReader(path).pages]
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
    sys.stdout.write(json.dumps({"pages": pages, "chunks": chunks}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
