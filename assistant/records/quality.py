"""What a supervisor should know of a manual before it is published: one report per revision."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sqlalchemy import JSON, Engine, String, delete
from sqlalchemy.orm import Mapped, mapped_column

from assistant.records.database import Base, transaction

Verdict = Literal["good", "check", "empty"]
FindingKind = Literal["no_text", "low_confidence", "few_words", "undecodable", "remark"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a page should be looked at.

    Attributes:
        detail: the figure or the parser's own line behind it, empty when the kind says all.
    """

    page: int
    kind: FindingKind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OcrPage:
    """A page that was read from its picture; confidence 0..1, None when the reader gave none."""

    page: int
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Dropped:
    """Text that the parser read and no passage holds, shortened."""

    page: int
    text: str


@dataclass(frozen=True, slots=True)
class QualityReport:
    """How well a file was read.

    Attributes:
        verdict: 'empty' is not worth publishing, 'check' has suspicious pages, 'good' has none.
        words: words in all passages; of Chinese, two characters count as one.
        table_rows: rows of tables; table_pages: pages that hold any.
        codes: fault codes that open a row of a fault table or a heading, in normal form, each once.
        notices: signal word -> how many notices.
        dropped_blocks: how many blocks no passage holds; `dropped` shows the first of them.
        suspicious: pages to look at, in order.
    """

    revision: str
    document: str
    verdict: Verdict
    pages: int
    chunks: int
    words: int
    pages_without_text: tuple[int, ...] = ()
    ocr_pages: tuple[OcrPage, ...] = ()
    table_rows: int = 0
    table_pages: tuple[int, ...] = ()
    figures: int = 0
    codes: tuple[str, ...] = ()
    notices: dict[str, int] = field(default_factory=dict)
    dropped_blocks: int = 0
    dropped: tuple[Dropped, ...] = ()
    suspicious: tuple[Finding, ...] = ()

    @property
    def suspicious_pages(self) -> dict[int, tuple[Finding, ...]]:
        """Page -> why it should be looked at."""
        pages = dict.fromkeys(finding.page for finding in self.suspicious)
        return {page: tuple(f for f in self.suspicious if f.page == page) for page in pages}

    @property
    def confidence(self) -> float | None:
        """Mean confidence over the pages read by OCR."""
        told = [page.confidence for page in self.ocr_pages if page.confidence is not None]
        return sum(told) / len(told) if told else None


class QualityReportRow(Base):
    """Table of reports."""

    __tablename__ = "quality_reports"
    revision: Mapped[str] = mapped_column(String(16), primary_key=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)


class QualityReports:
    """Keeps the reports of the revisions on record."""

    def __init__(self, engine: Engine) -> None:
        """Works on an open database."""
        self._engine = engine

    def put(self, report: QualityReport) -> None:
        """Keeps a report in place of an earlier one on the same revision."""
        with transaction(self._engine) as session:
            session.merge(QualityReportRow(revision=report.revision, data=asdict(report)))

    def get(self, revision: str) -> QualityReport | None:
        """The report on a revision; None for those read before there were reports."""
        with transaction(self._engine) as session:
            row = session.get(QualityReportRow, revision)
            return _report(row.data) if row else None

    def drop(self, revision: str) -> None:
        """Removes a report."""
        with transaction(self._engine) as session:
            session.execute(delete(QualityReportRow).where(QualityReportRow.revision == revision))


def _report(data: dict[str, Any]) -> QualityReport:
    records = {
        "ocr_pages": tuple(OcrPage(**page) for page in data["ocr_pages"]),
        "dropped": tuple(Dropped(**dropped) for dropped in data["dropped"]),
        "suspicious": tuple(Finding(**finding) for finding in data["suspicious"]),
    }
    plain = {name: tuple(data[name]) for name in ("pages_without_text", "table_pages", "codes")}
    return QualityReport(**data | records | plain)
