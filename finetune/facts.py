"""What a chunk says that a technician may ask for.

Nothing is rephrased: a fact holds the manual's own words, so that a value in an answer is the manual's.
"""

from collections.abc import Iterator

from assistant.schema import Chunk
from finetune.fact import Fact
from finetune.prose_facts import prose_facts
from finetune.table_facts import table_facts


def facts_of(chunk: Chunk) -> Iterator[Fact]:
    """Every fact of a chunk, in reading order; captions and headings tell none."""
    if chunk.kind == "table":
        yield from table_facts(chunk)
    elif chunk.signal or chunk.kind in {"list", "text"}:
        yield from prose_facts(chunk)
