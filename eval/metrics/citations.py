"""Whether the right page is cited, and whether what is cited holds what is said.

Citation precision and recall follow ALCE (Gao et al., EMNLP 2023), with a calibrated comparison of literals
and words in place of a model that judges.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eval.cases import Gold
from eval.metrics.calibration import SupportJudge
from eval.metrics.wording import marks, statements, unmarked
from eval.results import AnswerRecord, CitedBlock


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of an answer, without markers, and the numbers of the blocks it cites."""

    sentence: str
    cited: tuple[int, ...]


def exact_page(gold: Gold, citations: Sequence[CitedBlock]) -> float | None:
    """1 when a page of every gold group is cited, else 0; None without gold."""
    if not gold:
        return None
    cited = {(block.document, block.page) for block in citations}
    return float(all(any((place.document, place.page) in cited for place in group) for group in gold))


def citation_recall(answer: AnswerRecord, judge: SupportJudge) -> float | None:
    """Share of the answer's claims that a block they cite supports, 0 to 1; None without claims."""
    claims = list(claims_of(answer.text))
    if answer.refused or not claims:
        return None
    return sum(bool(_supporting(claim, answer, judge)) for claim in claims) / len(claims)


def citation_precision(answer: AnswerRecord, judge: SupportJudge) -> float | None:
    """Share of the citations of claims that support their claim, 0 to 1; None without citations."""
    claims = list(claims_of(answer.text))
    cited = sum(len(claim.cited) for claim in claims)
    if answer.refused or not cited:
        return None
    return sum(len(_supporting(claim, answer, judge)) for claim in claims) / cited


def unsupported(answer: AnswerRecord, judge: SupportJudge) -> tuple[str, ...]:
    """Claims that no block they cite supports, for a reader to judge."""
    return tuple(claim.sentence for claim in claims_of(answer.text) if not _supporting(claim, answer, judge))


def claims_of(text: str) -> Iterator[Claim]:
    """The sentences of an answer that say something.

    A sentence without a marker stands on the next marker of its paragraph, as in common writing; one that
    only announces what follows (it ends in a colon) is no claim.
    """
    for paragraph in text.split("\n\n"):
        parts = statements(paragraph)
        following: tuple[int, ...] = ()
        claims: list[Claim] = []
        for part in reversed(parts):
            following = tuple(dict.fromkeys(marks(part))) or following
            bare = unmarked(part).strip()
            if any(map(str.isalnum, bare)) and not bare.endswith((":", "：")):
                claims.append(Claim(bare, following))
        yield from reversed(claims)


def _supporting(claim: Claim, answer: AnswerRecord, judge: SupportJudge) -> list[int]:
    return [
        n
        for n in claim.cited
        if any(
            block.n == n and judge.supports(claim.sentence, block.quote, block.section)
            for block in answer.citations
        )
    ]
