"""Conversations that outlive their page: a reload or a dropped connection loses neither answer nor question.

They are kept in the memory of this process, by session: not on a shared tablet, not on the disk, and gone
when the session ends. The next user finds nothing.
"""

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from assistant.answer import Event, Final, Found, Token
from assistant.errors import LinesideError
from assistant.schema import Hit
from assistant.web.access import COOKIE, HasCookies
from assistant.web.render import Exchange

log = logging.getLogger(__name__)

# Exchanges of one conversation, and conversations at once; the oldest give way.
KEPT = 20
SESSIONS = 500


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a question is: passages found (None while searching), the draft so far, and why it failed."""

    question: str
    asset: str
    hits: tuple[Hit, ...] | None = None
    draft: str = ""
    problem: LinesideError | None = None


class Conversation:
    """The exchanges of one session, newest first, and the one that is under way."""

    def __init__(self) -> None:
        """Begins with nothing said."""
        self._changed = threading.Condition()
        self._past: tuple[Exchange, ...] = ()
        self._progress: Progress | None = None
        self._working = False

    @property
    def past(self) -> tuple[Exchange, ...]:
        """Finished exchanges, newest first."""
        return self._past

    @property
    def working(self) -> bool:
        """Whether a question is being answered."""
        return self._working

    def begin(self, question: str, asset: str, events: Callable[[], Iterator[Event]]) -> bool:
        """Answers a question in a thread of its own, which goes on when nobody watches.

        Args:
            question: as typed.
            asset: the machine chosen, or empty.
            events: starts the pipeline.

        Returns:
            False when another question is still being answered; this one was not begun.
        """
        with self._changed:
            if self._working:
                return False
            self._working, self._progress = True, Progress(question, asset)
        threading.Thread(target=self._work, args=(self._progress, events), daemon=True).start()
        return True

    def watch(self, pause_s: float) -> Iterator[Progress]:
        """How far the question is, whenever that has changed, until it is answered or has failed.

        Args:
            pause_s: shortest time between two; a slow tablet must not spend its time on redrawing.
        """
        shown = None
        while True:
            with self._changed:
                self._changed.wait_for(partial(self._has_news, shown))
                progress, working = self._progress, self._working
            if progress is not None and progress is not shown:
                yield progress
            if not working:
                return
            shown = progress
            threading.Event().wait(pause_s)

    def clear(self) -> None:
        """Forgets what was said; an answer under way still comes."""
        with self._changed:
            self._past = ()

    def _has_news(self, seen: Progress | None) -> bool:
        return self._progress is not seen or not self._working

    def _work(self, progress: Progress, events: Callable[[], Iterator[Event]]) -> None:
        try:
            for event in events():
                match event:
                    case Found(hits):
                        progress = replace(progress, hits=hits)
                    case Token(text):
                        progress = replace(progress, draft=progress.draft + text)
                    case Final(answer):
                        # The passages themselves are not needed again, and are the larger part.
                        done = Exchange(progress.question, progress.asset, replace(answer, hits=()))
                        self._tell(None, done)
                        continue
                self._tell(progress)
        except LinesideError as problem:
            self._tell(replace(progress, problem=problem))
        except Exception:
            log.exception("a question was not answered")
            self._tell(replace(progress, problem=LinesideError("Something went wrong inside Lineside")))
        finally:
            with self._changed:
                self._working = False
                self._changed.notify_all()

    def _tell(self, progress: Progress | None, done: Exchange | None = None) -> None:
        with self._changed:
            self._progress = progress
            if done:
                self._past = (done, *self._past)[:KEPT]
            self._changed.notify_all()


class Conversations:
    """The conversations of all sessions."""

    def __init__(self) -> None:
        """Begins with none."""
        self._lock = threading.Lock()
        self._held: OrderedDict[str, Conversation] = OrderedDict()

    def of(self, request: HasCookies) -> Conversation:
        """The conversation of a request's session; the caller has checked that session."""
        with self._lock:
            conversation = self._held.setdefault(_key(request), Conversation())
            self._held.move_to_end(_key(request))
            while len(self._held) > SESSIONS:
                self._held.popitem(last=False)
            return conversation

    def forget(self, request: HasCookies) -> None:
        """Drops the conversation of a session that ends."""
        with self._lock:
            self._held.pop(_key(request), None)


def _key(request: HasCookies) -> str:
    return hashlib.sha256(request.cookies.get(COOKIE, "").encode()).hexdigest()
