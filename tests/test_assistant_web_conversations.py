"""A conversation goes on when its page is gone, and belongs to one session."""

import threading
from types import SimpleNamespace

import pytest

from assistant.answer import Final, Found, Token
from assistant.errors import LLMUnavailableError, StorageError
from assistant.schema import Answer, Chunk, Hit
from assistant.web.access import COOKIE
from assistant.web.conversations import KEPT, Conversation, Conversations

HIT = Hit(Chunk("c1", "press.pdf", "r1", "Press", (), 3, 3, "text", "Use HLP 46."), 0.5)


def answered(text="Use HLP 46."):
    return Final(Answer(text, False, "llm", "en", hits=(HIT,)))


def finished(conversation):
    """Waits for the end; gives everything that was to be seen on the way."""
    return list(conversation.watch(0))


def test_the_question_goes_on_when_its_page_is_closed_and_the_next_page_finds_it():
    conversation, go_on = Conversation(), threading.Event()

    def events():
        yield Found((HIT,))
        yield Token("Use ")
        assert go_on.wait(10)
        yield Token("HLP 46.")
        yield answered()

    assert conversation.begin("Which oil?", "PR-01", events)
    first = conversation.watch(0)
    while not next(first).draft:
        pass
    first.close()
    assert conversation.working and not conversation.past
    second = conversation.watch(0)
    seen = next(second)
    assert (seen.question, seen.asset, seen.draft, seen.hits) == ("Which oil?", "PR-01", "Use ", (HIT,))
    go_on.set()
    list(second)
    (done,) = conversation.past
    assert (done.question, done.asset, done.answer.text) == ("Which oil?", "PR-01", "Use HLP 46.")
    assert done.answer.hits == () and not conversation.working


def test_a_second_question_waits_for_the_first():
    conversation, go_on = Conversation(), threading.Event()

    def slow():
        assert go_on.wait(10)
        yield answered()

    assert conversation.begin("one", "", slow)
    assert not conversation.begin("two", "", slow)
    go_on.set()
    finished(conversation)
    assert conversation.begin("two", "", lambda: iter([answered()]))
    finished(conversation)
    assert [done.question for done in conversation.past] == ["two", "one"]


@pytest.mark.parametrize(
    "problem", [StorageError("The disk is full"), LLMUnavailableError("gone"), KeyError("x")]
)
def test_a_question_that_fails_says_so_and_the_next_one_is_answered(problem, caplog):
    conversation = Conversation()

    def failing():
        yield Found((HIT,))
        raise problem

    conversation.begin("Which oil?", "", failing)
    told = finished(conversation)[-1].problem
    assert told is problem or "inside Lineside" in str(told)
    assert not conversation.past and not conversation.working
    conversation.begin("Which oil?", "", lambda: iter([answered()]))
    finished(conversation)
    assert len(conversation.past) == 1


def test_only_the_latest_exchanges_are_kept_and_all_can_be_cleared():
    conversation = Conversation()
    for number in range(KEPT + 3):
        conversation.begin(str(number), "", lambda: iter([answered()]))
        finished(conversation)
    assert [done.question for done in conversation.past][:2] == [str(KEPT + 2), str(KEPT + 1)]
    assert len(conversation.past) == KEPT
    conversation.clear()
    assert conversation.past == ()


def test_every_session_has_its_own_and_it_ends_with_the_session():
    held = Conversations()
    mei, ola = (SimpleNamespace(cookies={COOKIE: token}) for token in ("a", "b"))
    held.of(mei).begin("Which oil?", "", lambda: iter([answered()]))
    finished(held.of(mei))
    assert held.of(mei).past and not held.of(ola).past
    held.forget(mei)
    assert not held.of(mei).past
