"""What can be asked at all: the one place where the text of a question is cleaned, measured and refused."""

from dataclasses import replace

from assistant.clean import visible
from assistant.errors import QuestionError
from assistant.schema import Question, Turn

MAX_QUESTION = 4000
# Longer than any tag or model name; what is longer was pasted by mistake.
MAX_ASSET = 200
# A question leans on what was said just before it, so what lies further back is never looked at.
KEPT_TURNS = 20


def admitted(question: Question) -> Question:
    """The question as the pipeline works on it: without what cannot be seen, its history cut to what counts.

    Raises:
        QuestionError: it is empty, has no letter and no digit, or is longer than MAX_QUESTION characters.
    """
    if len(question.text) > MAX_QUESTION:
        raise QuestionError(
            f"The question has {len(question.text):,} characters, more than {MAX_QUESTION:,}",
            "Ask in a few sentences, and keep the line with the code.",
        )
    text = visible(question.text).strip()
    if not text:
        raise QuestionError("The question is empty", "Type what you want to know.")
    if not any(sign.isalnum() for sign in text):
        raise QuestionError("The question has no words", "Type what you want to know, or the code shown.")
    asset = visible(question.asset or "").strip()
    if len(asset) > MAX_ASSET:
        raise QuestionError(f"No asset '{asset[:40]}…' is known here", "Give its tag, name or model.")
    history = tuple(
        Turn(turn.role, visible(turn.content[:MAX_QUESTION])) for turn in question.history[-KEPT_TURNS:]
    )
    return replace(question, text=text, asset=asset or None, history=history)
