"""What one answer says: the facts, wrong values, literals, notices and language.

Every function gives None where its question does not arise. A case that failed with an error has no answer:
what the answer should have held counts as missing, what it might have said wrongly does not arise.
"""

import re
from collections.abc import Mapping

from assistant.language import language_of
from eval.cases import Case
from eval.metrics.literals import unheld_literals, without_literals
from eval.metrics.wording import holds, holds_each, letters
from eval.results import AnswerRecord, Result

# Text of each page by document and page number (from 1).
PageTexts = Mapping[tuple[str, int], str]
# Fewer Latin letters in a row than this may be a unit or a symbol; a Chinese character is a word.
_WORD = re.compile(r"[A-Za-z]{3}|[\u3400-\u9fff]")


def must_contain(case: Case, result: Result) -> float | None:
    """1 when one wording of every group is said, else 0; None when the case is to be refused."""
    if case.refuse:
        return None
    answer = result.answer
    return float(bool(answer and not answer.refused and holds_each(answer.text, case.must_contain)))


def wrong_value(case: Case, result: Result) -> float | None:
    """1 when something of must_not_contain is said, else 0; None without an answer or such words.

    A written answer says all that stands in it. Quoted passages say nothing of their own: a table that is
    shown whole holds the neighbour's row beside the right one. They mislead when the wrong value is there and
    the right one is not (docs/decisions/0011-what-quotes-say.md).
    """
    answer = result.answer
    if not case.must_not_contain or answer is None or answer.refused:
        return None
    said = any(holds(answer.text, words, whole=True) for words in case.must_not_contain)
    return float(said and not (answer.mode == "extractive" and must_contain(case, result) == 1))


def quoted(case: Case, result: Result) -> float | None:
    """1 when passages are quoted in place of a written answer, else 0; None for cases to refuse."""
    if case.refuse or result.answer is None:
        return None
    return float(result.answer.mode == "extractive" and not result.answer.refused)


def correct(case: Case, result: Result) -> float:
    """1 for the right outcome, else 0: all facts and no wrong value, or a refusal where that is right."""
    if case.refuse:
        return float(bool(result.answer and result.answer.refused))
    return float(must_contain(case, result) == 1 and wrong_value(case, result) != 1)


def invented_literals(case: Case, answer: AnswerRecord) -> tuple[str, ...]:
    """Numbers, units, codes and part numbers of the answer that no cited block holds."""
    blocks = [f"{block.section}\n{block.quote}" for block in answer.citations]
    return unheld_literals(answer.text, blocks, case.asset or "")


def literal_error(case: Case, result: Result) -> float | None:
    """1 when the answer names a literal that no cited block holds, else 0; None without an answer."""
    answer = result.answer
    if answer is None or answer.refused:
        return None
    return float(bool(invented_literals(case, answer)))


def missing_notices(case: Case, answer: AnswerRecord | None) -> tuple[str, ...]:
    """Notices of the case that are neither among the notices shown nor in the answer."""
    shown = [notice.text for notice in answer.safety] + [answer.text] if answer else []
    return tuple(words for words in case.safety if not any(holds(text, words) for text in shown))


def safety_recall(case: Case, result: Result) -> float | None:
    """Share of the case's notices that are shown, 0 to 1; None without any."""
    if not case.safety:
        return None
    return 1 - len(missing_notices(case, result.answer)) / len(case.safety)


def safety_verbatim(result: Result, pages: PageTexts) -> float | None:
    """Share of the notices shown that stand word for word on their page, 0 to 1.

    None when none is shown, or the text of its page is not known (a page that is a picture).
    """
    notices = result.answer.safety if result.answer else ()
    known = [notice for notice in notices if pages.get((notice.document, notice.page), "").strip()]
    if not known:
        return None
    word_for_word = [letters(notice.text) in letters(pages[notice.document, notice.page]) for notice in known]
    return sum(word_for_word) / len(known)


def language_match(case: Case, result: Result) -> float | None:
    """1 when the answer is in the language of the question, else 0; None without words of its own.

    A quotation stays in its manual's language, or it would be none; '260 N·m [1].' is in no language.
    """
    answer = result.answer
    if answer is None or not _WORD.search(without_literals(answer.text)):
        return None
    if answer.mode == "extractive" and not answer.refused:
        return None
    return float(language_of(answer.text) == case.lang)
