"""What a triage ranked: the right causes first, on the right page, with their parts and notices."""

from assistant.identifiers import normal_form
from eval.cases import TriageCase
from eval.metrics.wording import holds
from eval.results import TriageOutcome


def cause_recall(case: TriageCase, outcome: TriageOutcome, k: int) -> float:
    """Share of the expected causes that one of the first k causes words, 0 to 1."""
    first = [cause.cause for cause in outcome.causes[:k]]
    met = [any(holds(cause, words) for cause in first for words in group) for group in case.cause]
    return sum(met) / len(met)


def page_found(case: TriageCase, outcome: TriageOutcome) -> float | None:
    """1 when every gold group has a page among the causes' pages, else 0; None without gold."""
    if not case.page:
        return None
    cited = {(cause.document, cause.page) for cause in outcome.causes}
    return float(all(any((place.document, place.page) in cited for place in group) for group in case.page))


def part_recall(case: TriageCase, outcome: TriageOutcome) -> float | None:
    """Share of the expected part numbers that are offered, 0 to 1; None when none is expected."""
    if not case.parts:
        return None
    offered = {normal_form(part) for cause in outcome.causes for part in cause.parts}
    return sum(normal_form(part) in offered for part in case.parts) / len(case.parts)


def notice_recall(case: TriageCase, outcome: TriageOutcome) -> float | None:
    """Share of the expected notices that are shown, 0 to 1; None when none is expected."""
    if not case.notice:
        return None
    shown = [notice.text for notice in outcome.safety]
    return sum(any(holds(text, words) for text in shown) for words in case.notice) / len(case.notice)
