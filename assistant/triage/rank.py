"""From a fault as a technician describes it to the manual's causes and this fleet's history, apart."""

import re

from assistant.admission import admitted
from assistant.assets import AssetResolver
from assistant.clean import visible
from assistant.errors import QuestionError
from assistant.grounding import cite
from assistant.identifiers import candidate_identifiers, normal_form
from assistant.language import language_of, sentences
from assistant.records.plant import Plant, StockItem
from assistant.retrieve import Retriever
from assistant.safety import SafetyCarrier
from assistant.schema import (
    Chunk,
    Hit,
    Language,
    PastOrder,
    Question,
    TriageCause,
    TriageForm,
    TriagePart,
    TriageResult,
)
from assistant.sparse import SparseEncoder
from assistant.store.base import ChunkStore

CAUSES = 5
ORDERS = 5
SEARCHED = 24

NOT_HELD: dict[Language, str] = {
    "en": "Code {code} is not in the manuals held for {asset}. What follows goes by the description alone.",
    "zh": "{asset} 的现有手册中没有代码 {code}。以下仅按现象描述查找。",
}
NOTHING: dict[Language, str] = {
    "en": "The manuals held for {asset} name no cause for this.",
    "zh": "{asset} 的现有手册没有给出相应原因。",
}

# Column heads of troubleshooting tables, casefolded; a head counts when it contains one of these.
_CAUSE_HEADS = ("cause", "malfunction", "reason", "原因")
_REMEDY_HEADS = (
    "remedy",
    "action",
    "check",
    "correct",
    "solution",
    "measure",
    "test",
    "措施",
    "处理",
    "排除",
    "对策",
    "解决",
    "检查",
)
_CELL = re.compile(r"\s+\|\s+|\n+")


class Triage:
    """Ranks causes for a filled form; safe to share between threads."""

    def __init__(
        self,
        resolver: AssetResolver,
        retriever: Retriever,
        plant: Plant,
        store: ChunkStore,
        sparse: SparseEncoder,
    ) -> None:
        """Works on the same retrieval as answers do."""
        self._resolver = resolver
        self._retriever = retriever
        self._plant = plant
        self._safety = SafetyCarrier(store)
        self._sparse = sparse

    def rank(self, form: TriageForm) -> TriageResult:
        """The manual's causes, best first, and similar past work orders.

        Raises:
            QuestionError: no asset, an unknown one, or nothing about the fault.
        """
        if not form.asset.strip():
            raise QuestionError("No asset is chosen", "Choose the machine first.")
        code = visible(form.code).strip()
        question = admitted(Question(f"{code} {form.happened} {form.tried}", form.asset))
        selection = self._resolver.resolve(question.asset or form.asset)
        language = language_of(form.happened or form.code)
        retriever = self._retriever.pinned(selection.serial)
        hits = retriever.retrieve(question, selection.applies_to, limit=SEARCHED)
        wanted = set(candidate_identifiers(code)) | {normal_form(code)} if code else set()
        rows = [hit for hit in hits if _cause_of(hit.chunk)]
        exact = [hit for hit in rows if wanted & set(hit.chunk.identifiers)]
        # A code that the manual knows decides; otherwise the description does.
        ranked = (exact or rows or list(hits))[:CAUSES]
        note = ""
        if code and not any(wanted & set(hit.chunk.identifiers) for hit in hits):
            note = NOT_HELD[language].format(code=code, asset=form.asset)
        elif not hits:
            note = NOTHING[language].format(asset=form.asset)
        causes = tuple(self._cause(rank, hit) for rank, hit in enumerate(ranked, start=1))
        orders = retriever.retrieve(question, selection.applies_to, "work_order", ORDERS)
        safety = self._safety.notices([hit.chunk for hit in ranked])
        return TriageResult(form, language, causes, tuple(_order(hit.chunk) for hit in orders), safety, note)

    def _cause(self, rank: int, hit: Hit) -> TriageCause:
        chunk = hit.chunk
        remedy = _column(chunk, _REMEDY_HEADS)
        checks = tuple(sentences(remedy) if remedy else sentences(chunk.text)[:4])
        return TriageCause(
            rank=rank,
            cause=_cause_of(chunk) or chunk.heading or chunk.title,
            checks=checks,
            parts=tuple(self._parts(chunk, " ".join(checks))),
            citation=cite(rank, hit),
        )

    def _parts(self, chunk: Chunk, remedy: str) -> list[TriagePart]:
        """Stocked parts that the row names, by number or by their whole description."""
        words = set(self._sparse.query(remedy).indices)
        found: list[StockItem] = []
        for item in self._plant.stock():
            named = set(self._sparse.query(item.description).indices)
            if normal_form(item.part) in chunk.identifiers or (named and named <= words):
                found.append(item)
        return [TriagePart(item.part, item.description, item.on_hand, item.location) for item in found]


def row_cells(text: str) -> dict[str, str]:
    """Cells of a table row as ingested ('Cause: worn seal | Remedy: replace it'), by casefolded head."""
    cells: dict[str, str] = {}
    for cell in _CELL.split(text):
        head, colon, value = cell.partition(": ") if ": " in cell else cell.partition("：")
        if colon and len(head) <= 40 and value.strip():
            cells.setdefault(head.strip().casefold(), value.strip())
    return cells


def _column(chunk: Chunk, heads: tuple[str, ...]) -> str:
    cells = row_cells(chunk.text)
    found = [value for head, value in cells.items() if any(name in head for name in heads)]
    return " ".join(found)


def _cause_of(chunk: Chunk) -> str:
    return _column(chunk, _CAUSE_HEADS) if chunk.kind == "table" else ""


def _order(chunk: Chunk) -> PastOrder:
    extra = chunk.extra
    return PastOrder(
        number=extra.get("order", ""),
        asset=extra.get("asset", ""),
        date=extra.get("date", ""),
        text=extra.get("problem", "") or chunk.text,
        remedy=extra.get("remedy", ""),
        status=extra.get("status", ""),
    )
