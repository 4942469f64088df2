"""The page-quality report names what a supervisor should look at, and nothing else."""

from collections.abc import Sequence

from assistant.records.quality import Finding, QualityReport
from assistant.schema import Block, ParsedFile, ParsedPage
from ingest.chunk import Origin, make_chunks
from ingest.quality import examine

PROSE = "Check the oil level at the sight glass before each shift and top up as needed. " * 8


def report(*pages: ParsedPage) -> QualityReport:
    parsed = ParsedFile("Press HP-250", pages)
    origin = Origin("press.pdf", "r1", "A", "Press HP-250", ())
    return examine(
        parsed, make_chunks(parsed, origin, lambda text: len(text.split()), 200), "r1", "press.pdf"
    )


def page(number: int, *blocks: Block, **fields: object) -> ParsedPage:
    return ParsedPage(number, blocks, **fields)  # type: ignore[arg-type]


def prose(number: int) -> Block:
    return Block("text", PROSE, number)


def found(pages: Sequence[Finding]) -> list[tuple[int, str]]:
    return [(finding.page, finding.kind) for finding in pages]


def test_a_manual_that_was_read_well_has_nothing_to_look_at() -> None:
    row = Block("table", "Code: E-07 | Cause: low | Remedy: fill", 2, header="Code | Cause | Remedy")
    told = report(
        page(1, Block("heading", "HP-250 press", 1, level=1), prose(1)),
        page(2, Block("notice", "WARNING Hot oil.", 2, signal="WARNING"), row, prose(2)),
    )
    assert told.verdict == "good" and told.suspicious == () and told.dropped_blocks == 0
    assert told.codes == ("e07",) and told.notices == {"WARNING": 1}
    assert (told.table_rows, told.table_pages) == (1, (2,))


def test_pages_that_may_have_lost_text_are_named_with_the_reason() -> None:
    told = report(
        page(1, prose(1)),
        page(2, prose(2)),
        page(3, Block("text", "Figure above.", 3)),
        page(4),
        page(5, Block("text", "\ue001\ue002\ufffd\ufffd what is left", 5), prose(5)),
        page(6, prose(6), ocr=True, confidence=0.61, remarks=("picture is turned",)),
        page(7, Block("figure", "Fig. 3", 7)),
        page(8, prose(8), ocr=True, confidence=0.97),
    )
    assert told.verdict == "check" and told.pages_without_text == (4,)
    assert found(told.suspicious) == [
        (3, "few_words"),
        (4, "no_text"),
        (6, "low_confidence"),
        (6, "remark"),
    ]
    assert [ocr.page for ocr in told.ocr_pages] == [6, 8] and told.confidence == 0.79
    assert list(told.suspicious_pages) == [3, 4, 6]


def test_characters_that_cannot_be_decoded_are_told() -> None:
    told = report(page(1, Block("text", "\ue001\ue002\ue003 oil level 5 mm", 1)))
    assert found(told.suspicious) == [(1, "undecodable")]


def test_pictures_with_a_stamp_are_as_good_as_empty() -> None:
    told = report(page(1, Block("text", "Copy", 1), ocr=True), *(page(n, ocr=True) for n in range(2, 9)))
    assert told.verdict == "empty"


def test_what_no_passage_holds_is_told_with_its_page() -> None:
    lone = Block("heading", "Left over heading", 2, level=1)
    told = report(page(1, Block("heading", "Care", 1, level=1), prose(1)), page(2, lone))
    assert [(dropped.page, dropped.text) for dropped in told.dropped] == [(2, "Left over heading")]
