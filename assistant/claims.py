"""Does a place say what a sentence says: its literals and most of its words, and not the opposite?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from assistant.language import language_of
from assistant.literals import Literals, held_by, said, without_literals
from assistant.schema import Language
from assistant.sparse import SparseEncoder
from assistant.wording import Wording, spelled

# Share of a sentence's words that its place must hold, fitted on hand-labelled pairs: within a language, and
# across by the glossary of the trade (docs/decisions/0020-evidence-and-grounding.md).
MIN_SUPPORT = 0.7
MIN_ACROSS = 0.3
# One term of the glossary without a code or quantity stands in another language's text by chance.
FEW_TERMS = 2
# Share of a clause's words that show that another clause speaks of the same.
SAME_MATTER = 0.5

# Words of an answer's own frame, which no manual has to hold.
_FRAME = (
    "mean means meaning indicates shows refers says states according manual page section should must need"
    " needs needed required use used when then also first following value part number take takes given"
    " has have"
    " 表示 根据 手册 说明 规定 需要 应 应该 必须 可以 可 先 再 时 后 并 或 和 与 的 了 为 是 在 将 把 用"
    " 由 到 至 对 及 于 等 其 该 请 您 才 也 会"
)
_CLAUSE = re.compile(r"[,:，：()（）]+|(?<=\s)\d{1,2}\.\s|\b(?:but|and then|otherwise)\b", re.I)
_SENTENCE = re.compile(r"[。！？；|\n]+|[.!?;](?=\s|$)")
# What may give a figure of its own: a cell, an item of an enumeration, a part of a sentence.
_PART = re.compile(r"[,;，；。、|()（）\n]+(?!\d)|[.!?](?=\s|$)|(?<=\s)\d{1,2}\.\s")
_DENIED = re.compile(
    r"\b(?:not|never|no|none|cannot|without|nobody|nothing|neither|nor|avoid|prohibited|forbidden)\b|n['’]t\b"
    r"|不得|不能|不可|不要|不应|不准|不允许|不需|无需|不必|禁止|严禁|切勿|请勿|勿|不|未|没有|避免",
    re.IGNORECASE,
)
# What turns a statement into its opposite when one stands for the other.
_OPPOSITES = tuple(
    tuple(re.compile(side, re.IGNORECASE) for side in pair)
    for pair in (
        (
            r"\bbefore\b|之前|以前|(?<![向往朝])前(?=[^端部后轴盖板])",
            r"\bafter\b|之后|以后|(?<![最先])后(?=[^端部轴盖板])",
        ),
        (r"\btight(?:en|ens|ened|ening)\b|拧紧|上紧", r"\bloos(?:en|ens|ened|ening)\b|拧松|松开"),
        (r"\bopen(?:s|ed|ing)?\b|打开|开启", r"\bclos(?:e|es|ed|ing)\b|\bshut\b|关闭|关上"),
        (
            r"\bincreas\w*|\brais(?:e|es|ed|ing)\b|提高|增大|升高|调高",
            r"\bdecreas\w*|\breduc\w*|\blower(?:s|ed|ing)\b|降低|减小|调低",
        ),
        (
            r"\babove\b|\bexceed\w*|\bmore than\b|高于|大于|超过",
            r"\bbelow\b|\bless than\b|\bunder\b|低于|小于",
        ),
        (
            r"\b(?:switch|turn|turned|switched) on\b|接通|合上",
            r"\b(?:switch|turn|turned|switched) off\b|断开|切断",
        ),
        (r"\bclockwise\b|(?<!逆)顺时针", r"\bcounter-?clockwise\b|\banti-?clockwise\b|逆时针"),
        (r"\bat least\b|\bminimum\b|至少|最小|最低", r"\bat most\b|\bmaximum\b|最多|最大|最高"),
        (r"\bleft\b|左", r"\bright(?!\s(?:away|now))\b|右"),
        (r"\bconnect(?:s|ed|ing)?\b|连接", r"\bdisconnect(?:s|ed|ing)?\b|断开"),
        (r"\binstall(?:s|ed|ing)?\b|安装|装上", r"\bremov(?:e|es|ed|ing)\b|拆下|拆除|取下"),
    )
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence, or a place, as it is compared.

    Attributes:
        words: hashed stems of all its words and codes; content: of its words beside literals and frame.
    """

    text: str
    literals: Literals
    words: frozenset[int]
    content: frozenset[int]
    language: Language


class Reader:
    """Reads sentences and places into claims and compares them; safe to share between threads."""

    def __init__(self, sparse: SparseEncoder, wording: Wording) -> None:
        """Compares words as the search does, and across languages by the glossary."""
        self._sparse = sparse
        self._wording = wording
        self._frame = frozenset(sparse.query(_FRAME).indices)
        self._clauses = lru_cache(maxsize=16384)(self._read_clauses)
        self.sentence = lru_cache(maxsize=4096)(lambda text: self._read(text, said(text)))
        self.place = lru_cache(maxsize=16384)(lambda text: self._read(text, held_by(text)))

    def support(self, claim: Claim, place: Claim) -> float:
        """Share of a sentence's words that a place holds, 0..1; literals are not looked at."""
        if claim.language != place.language:
            return self._across(claim, place)
        named, found = claim.literals.identifiers, claim.literals.identifiers & place.literals.identifiers
        said = len(claim.content) + len(named)
        return (len(claim.content & place.content) + len(found)) / said if said else 0.0

    def enough(self, claim: Claim, place: Claim) -> float:
        """The support that is enough between these two."""
        return MIN_SUPPORT if claim.language == place.language else MIN_ACROSS

    def contradicts(self, claim: Claim, place: Claim, beside: Sequence[Claim] = ()) -> str:
        """How a place, or one beside it, denies a sentence whose words and literals it holds.

        Args:
            claim: the sentence.
            place: that may hold it.
            beside: the other places of the passage.

        Returns:
            'negation', 'opposite', 'figure' for one that belongs to something else, or '' for not at all.
        """
        if claim.language != place.language:
            return ""
        parts = [self.place(part) for part in _PART.split(place.text) if part and part.strip()]
        holding = [part for part in parts if claim.literals.quantities & part.literals.quantities]
        if _elsewhere(claim, [place], beside) or _elsewhere(claim, holding, parts):
            return "figure"
        theirs = self._clauses(place.text)
        for clause in self._clauses(claim.text):
            near = [other for other in theirs if _same_matter(clause, other)]
            if near and all(clause.denied not in (other.denied, other.in_denied) for other in near):
                return "negation"
            if near and all(_opposed(clause.text, other.text) for other in near):
                return "opposite"
        return ""

    def _across(self, claim: Claim, place: Claim) -> float:
        wanted = self._wording.wanted(without_literals(claim.text))
        named = claim.literals.identifiers or claim.literals.quantities
        if not wanted or (len(wanted) < FEW_TERMS and not named):
            return 0.0
        text = spelled(place.text)
        return sum(thing.held_in(text) > 0 for thing in wanted) / len(wanted)

    def _read(self, text: str, found: Literals) -> Claim:
        words = frozenset(self._sparse.query(text).indices)
        content = frozenset(self._sparse.query(without_literals(text)).indices) - self._frame
        return Claim(text, found, words, content, language_of(without_literals(text) or text))

    def _read_clauses(self, text: str) -> tuple["_Clause", ...]:
        clauses = []
        for sentence in _SENTENCE.split(text):
            denied_so_far = False
            for piece in filter(str.strip, _CLAUSE.split(sentence)):
                denied = bool(_DENIED.search(piece))
                denied_so_far = denied_so_far or denied
                clauses.append(_Clause(piece, self._read(piece, said(piece)).content, denied, denied_so_far))
        return tuple(clauses)


@dataclass(frozen=True, slots=True)
class _Clause:
    """A part of a sentence.

    Attributes:
        denied: it says 'not' itself.
        in_denied: it, or what stands before it in its sentence, does.
    """

    text: str
    words: frozenset[int]
    denied: bool
    in_denied: bool


def _same_matter(clause: _Clause, other: _Clause) -> bool:
    return bool(clause.words) and len(clause.words & other.words) / len(clause.words) >= SAME_MATTER


def _elsewhere(claim: Claim, holders: Sequence[Claim], beside: Sequence[Claim]) -> bool:
    """Whether something beside speaks of more of the claim than any place that holds its figure."""
    if not holders or not claim.literals:
        return False
    shared = [claim.content & holder.content for holder in holders]
    return any(
        _other_figure(claim.literals, rival.literals)
        and all((claim.content & rival.content) > words for words in shared)
        for rival in beside
    )


def _other_figure(ours: Literals, theirs: Literals) -> bool:
    """Whether a place gives another figure of the same kind."""
    if ours.quantities:
        units = {unit for _, unit in ours.quantities}
        return not ours.quantities & theirs.quantities and any(unit in units for _, unit in theirs.quantities)
    if ours.identifiers:
        return not ours.identifiers & theirs.identifiers and bool(theirs.identifiers)
    return not ours.numbers & theirs.numbers and bool(theirs.numbers)


def _opposed(one: str, other: str) -> bool:
    for first, second in _OPPOSITES:
        for ours, theirs in ((first, second), (second, first)):
            if (
                ours.search(one)
                and not theirs.search(one)
                and theirs.search(other)
                and not ours.search(other)
            ):
                return True
    return False
