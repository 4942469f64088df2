"""What a reader of files hands on: text without invisible characters, and a remark where it is suspicious."""

from collections.abc import Iterator
from dataclasses import replace

from assistant.clean import hides_words, visible
from assistant.schema import Block, ParsedFile, ParsedPage
from assistant.suspicion import speaks_to_assistant

# Of a suspicious text in a remark.
SHOWN = 120


def screened(parsed: ParsedFile) -> ParsedFile:
    """A parsed file as it may be stored and shown.

    What speaks to an assistant instead of a technician stays in it, since a supervisor has to see it; no
    answer draws on it (assistant.store.pinned).
    """
    return ParsedFile(visible(parsed.title), tuple(_screened_page(page) for page in parsed.pages))


def _screened_page(page: ParsedPage) -> ParsedPage:
    blocks = tuple(
        replace(block, text=visible(block.text), header=visible(block.header)) for block in page.blocks
    )
    kept = tuple(block for block in blocks if block.text.strip())
    return replace(page, blocks=kept, remarks=(*page.remarks, *_remarks(page.blocks)))


def _remarks(blocks: tuple[Block, ...]) -> Iterator[str]:
    if any(hides_words(block.text) for block in blocks):
        yield "characters that hide or turn words were removed"
    for block in blocks:
        said = " ".join(speaks_to_assistant(block.text).split())
        if said and not hides_words(block.text):
            yield f"text that speaks to an assistant, left out of answers: {said[:SHOWN]}"
