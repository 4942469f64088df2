"""Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009, SIGIR) of what several searches found."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby

from assistant.schema import Chunk, Hit
from assistant.store.base import Vectors

# Their constant of 60 suits lists of a thousand; with a few dozen candidates 10 was better on five of six
# suites over three sets of manuals.
RRF_K = 10

Ranked = Sequence[tuple[str, float]]
"""Ids with their scores, best first."""


def fuse(channels: Sequence[Ranked], depth: int, limit: int) -> list[tuple[str, float]]:
    """Adds up 1 / (RRF_K + places before it) for every id over the channels.

    Equal scores share a place, and those that tie at the end of a full channel are left out: an engine
    puts them in any order and returns any of them. So the same passages fuse to the same order, however
    and whenever they were stored.

    Args:
        channels: of at most `depth` ids each.
        depth: ids asked of each channel.
        limit: ids returned, best first; ties by id.
    """
    fused: defaultdict[str, float] = defaultdict(float)
    for ranked in channels:
        place = 0
        for score, ties in groupby(ranked, lambda found: found[1]):
            alike = [found for found, _ in ties]
            cut = place and place + len(alike) >= depth and score == ranked[-1][1]
            for found in () if cut else alike:
                fused[found] += 1 / (RRF_K + place)
            place += len(alike)
    return sorted(fused.items(), key=lambda item: (-item[1], item[0]))[:limit]


def fused_hits(
    fused: Sequence[tuple[str, float]],
    words: Ranked,
    dense: Vectors,
    vectors: Mapping[str, Vectors],
    chunks: Mapping[str, Chunk],
) -> list[Hit]:
    """Hits with what each way of searching thinks of them: the signals 'dense' (cosine) and 'bm25'.

    Args:
        fused: ids and fused scores, best first.
        words: what the search for words found; the signal is left out for others.
        dense: the question's vector, of unit length.
        vectors: dense vectors of the fused ids, of unit length.
        chunks: of the fused ids; one that is missing was deleted meanwhile.
    """
    bm25 = dict(words)
    hits = []
    for found, score in fused:
        if found not in chunks:
            continue
        signals = {"dense": round(float(vectors[found] @ dense), 6)} if found in vectors else {}
        if found in bm25:
            signals["bm25"] = round(bm25[found], 4)
        hits.append(Hit(chunks[found], score, signals=signals))
    return hits
