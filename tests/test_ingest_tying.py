"""Which notices govern a passage, by where both stand."""

from assistant.schema import BlockKind
from ingest.tying import Place, tie

CHAPTER, FIRST, SECOND, DEEP = 1, 2, 3, 4


def ties(*places: tuple[BlockKind, tuple[int, ...]]) -> list[tuple[int, ...]]:
    return tie([Place(kind, sections) for kind, sections in places])


def test_a_passage_takes_the_notices_of_its_section_the_nearest_first() -> None:
    found = ties(("notice", (FIRST,)), ("notice", (FIRST,)), ("list", (FIRST,)), ("list", (SECOND,)))
    assert found[2:] == [(1, 0), ()]


def test_a_notice_before_a_later_step_belongs_to_the_whole_task() -> None:
    found = ties(("list", (FIRST,)), ("notice", (FIRST,)), ("list", (FIRST,)), ("table", (SECOND,)))
    assert found[0] == found[2] == (1,) and found[3] == ()


def test_a_notice_below_a_table_with_nothing_after_it_belongs_to_its_rows() -> None:
    found = ties(("table", (FIRST,)), ("table", (FIRST,)), ("notice", (FIRST,)), ("list", (SECOND,)))
    assert found == [(2,), (2,), (), ()]


def test_the_head_of_a_chapter_holds_for_everything_under_it() -> None:
    found = ties(
        ("text", (CHAPTER,)),
        ("notice", (CHAPTER,)),
        ("list", (CHAPTER, FIRST)),
        ("table", (CHAPTER, SECOND, DEEP)),
    )
    assert found[2:] == [(1,), (1,)]


def test_a_notice_among_the_steps_of_a_task_does_not_hold_for_the_tasks_below() -> None:
    found = ties(("list", (CHAPTER,)), ("notice", (CHAPTER,)), ("list", (CHAPTER, FIRST)))
    assert found == [(1,), (), ()]


def test_an_opening_section_that_only_explains_holds_for_its_sisters() -> None:
    rows = (("table", (CHAPTER, SECOND)), ("table", (CHAPTER, DEEP)))
    explained = ties(("text", (CHAPTER, FIRST)), ("notice", (CHAPTER, FIRST)), *rows)
    assert explained[2:] == [(1,), (1,)]
    worked = ties(("list", (CHAPTER, FIRST)), ("notice", (CHAPTER, FIRST)), *rows)
    assert worked[2:] == [(), ()]


def test_a_notice_that_is_cited_itself_brings_those_beside_it() -> None:
    found = ties(("notice", (FIRST,)), ("notice", (FIRST,)), ("list", (FIRST,)))
    assert (found[0], found[1]) == ((1,), (0,))


def test_grouped_notices_with_nothing_to_govern_stay_apart() -> None:
    assert ties(("notice", (FIRST,)), ("notice", (FIRST,)), ("text", (SECOND,))) == [(), (), ()]
