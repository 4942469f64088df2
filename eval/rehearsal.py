"""Rehearsals of the gate: results as they should be, and the same made bad in one known way.

A gate that was never seen to block proves nothing. Each way of KNOWN_BAD turns good results into those of a
pipeline with one defect; the tests show for each clause of the gate that a defect trips it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from assistant.replies import NO_PASSAGES
from assistant.schema import Language
from eval.cases import Case, InjectionCase, Place, Suite
from eval.results import AnswerRecord, CitedBlock, Result, RetrievedPages, ShownNotice

# By suite and case id.
Cases = Mapping[tuple[str, str], Case]

_SENTENCE: dict[Language, str] = {
    "en": "The manual of this machine gives {facts} for this work",
    "zh": "这台设备的手册对这项工作写明的内容是{facts}，应照此执行",
}
_OTHER: dict[Language, Language] = {"en": "zh", "zh": "en"}


def good_results(suite: Suite) -> list[Result]:
    """What a perfect system would make of a suite's questions."""
    return [_good(case, suite.name) for case in suite.cases]


def page_texts(suites: Sequence[Suite]) -> dict[tuple[str, int], str]:
    """Texts of the gold pages as good_results quotes their notices."""
    texts: dict[tuple[str, int], str] = {}
    for case in (case for suite in suites for case in suite.cases):
        for place in _gold(case):
            notices = [_notice(words, place).text for words in case.safety]
            key = place.document, place.page
            texts[key] = "\n".join([texts.get(key, ""), *notices])
    return texts


def _good(case: Case, suite: str) -> Result:
    timings = {"retrieve": 40.0, "first_token": 900.0, "total": 2500.0}
    if case.refuse:
        refusal = AnswerRecord(NO_PASSAGES[case.lang], True, "llm", case.lang, timings_ms=timings)
        return Result(case.id, suite, "lineside", refusal, hits=(), confidence=0.1, shown=_shown(case))
    facts = [group[0] for group in case.must_contain]
    sentence = _SENTENCE[case.lang].format(facts=", ".join(facts))
    gold = _gold(case)
    answer = AnswerRecord(
        text=f"{sentence} {''.join(f'[{n}]' for n in range(1, len(gold) + 1))}.",
        refused=False,
        mode="llm",
        language=case.lang,
        citations=tuple(
            CitedBlock(n, place.document, place.page, sentence) for n, place in enumerate(gold, start=1)
        ),
        safety=tuple(_notice(words, gold[0]) for words in case.safety),
        timings_ms=timings,
    )
    hits = tuple(RetrievedPages(place.document, place.page, place.page, 1.0) for place in gold)
    return Result(case.id, suite, "lineside", answer, hits=hits, confidence=0.9, shown=_shown(case))


def _shown(case: Case) -> str:
    """An attack that a good system withstands has reached it."""
    return case.payload if isinstance(case, InjectionCase) else ""


def _gold(case: Case) -> list[Place]:
    return [group[0] for group in case.gold]


def _notice(words: str, place: Place) -> ShownNotice:
    return ShownNotice("WARNING", f"{words}. Keep away.", place.document, place.page)


def _answers(change: Callable[[Case, AnswerRecord], AnswerRecord]) -> "Defect":
    """A defect of the answer alone."""

    def defect(results: Sequence[Result], cases: Cases) -> list[Result]:
        return [
            replace(result, answer=change(cases[result.suite, result.case], result.answer))
            if result.answer
            else result
            for result in results
        ]

    return defect


def _hits(change: Callable[[RetrievedPages], RetrievedPages]) -> "Defect":
    """A defect of the search alone."""

    def defect(results: Sequence[Result], _cases: Cases) -> list[Result]:
        return [replace(result, hits=tuple(map(change, result.hits or ()))) for result in results]

    return defect


def _cites_wrong_page(_case: Case, answer: AnswerRecord) -> AnswerRecord:
    return replace(
        answer, citations=tuple(replace(block, page=block.page + 500) for block in answer.citations)
    )


def _cites_other_passages(_case: Case, answer: AnswerRecord) -> AnswerRecord:
    quote = "This page is left blank on purpose."
    return replace(answer, citations=tuple(replace(block, quote=quote) for block in answer.citations))


def _cites_nothing(_case: Case, answer: AnswerRecord) -> AnswerRecord:
    return replace(answer, citations=())


def _invents_number(_case: Case, answer: AnswerRecord) -> AnswerRecord:
    return answer if answer.refused else replace(answer, text=f"{answer.text}\n97.31 Nm [1].")


def _says_wrong_value(case: Case, answer: AnswerRecord) -> AnswerRecord:
    wrong = ", ".join(case.must_not_contain)
    return answer if answer.refused else replace(answer, text=f"{answer.text}\n{wrong} [1].")


def _says_nothing(_case: Case, answer: AnswerRecord) -> AnswerRecord:
    return answer if answer.refused else replace(answer, text="See the manual [1].")


def _never_refuses(_case: Case, answer: AnswerRecord) -> AnswerRecord:
    return replace(answer, refused=False, text="Yes, that is usual." if answer.refused else answer.text)


def _always_refuses(case: Case, answer: AnswerRecord) -> AnswerRecord:
    return replace(answer, refused=True, text=NO_PASSAGES[case.lang], citations=(), safety=())


def _drops_notices(_case: Case, answer: AnswerRecord) -> AnswerRecord:
    return replace(answer, safety=())


def _softens_notices(_case: Case, answer: AnswerRecord) -> AnswerRecord:
    return replace(
        answer, safety=tuple(replace(notice, text=f"Maybe: {notice.text}") for notice in answer.safety)
    )


def _answers_in_other_language(case: Case, answer: AnswerRecord) -> AnswerRecord:
    return replace(answer, text=NO_PASSAGES[_OTHER[case.lang]])


def _obeys_attacks(case: Case, answer: AnswerRecord) -> AnswerRecord:
    return replace(answer, text=case.canary) if isinstance(case, InjectionCase) else answer


def _is_slow(_case: Case, answer: AnswerRecord) -> AnswerRecord:
    return replace(answer, timings_ms={mark: ms * 1000 for mark, ms in answer.timings_ms.items()})


def _fails(results: Sequence[Result], _cases: Cases) -> list[Result]:
    return [replace(result, answer=None, error="the model server went away") for result in results]


Defect = Callable[[Sequence[Result], Cases], list[Result]]
KNOWN_BAD: dict[str, Defect] = {
    "cites the wrong page": _answers(_cites_wrong_page),
    "cites passages that do not hold it": _answers(_cites_other_passages),
    "cites nothing": _answers(_cites_nothing),
    "invents a number": _answers(_invents_number),
    "says the neighbour's value": _answers(_says_wrong_value),
    "says nothing": _answers(_says_nothing),
    "never refuses": _answers(_never_refuses),
    "always refuses": _answers(_always_refuses),
    "drops notices": _answers(_drops_notices),
    "softens notices": _answers(_softens_notices),
    "answers in the other language": _answers(_answers_in_other_language),
    "obeys attacks": _answers(_obeys_attacks),
    "is slow": _answers(_is_slow),
    "finds other pages": _hits(lambda hit: replace(hit, page=hit.page + 500, page_last=hit.page_last + 500)),
    "fails": _fails,
}
