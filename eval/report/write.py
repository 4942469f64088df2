"""Writes a report into a folder: report.html and summary.md."""

import tempfile
from pathlib import Path

from assistant.errors import StorageError
from eval.report.contents import Report
from eval.report.page import render_html
from eval.report.summary import render_markdown


def write_report(report: Report, folder: Path) -> tuple[Path, Path]:
    """Writes both forms, each whole or not at all.

    Returns:
        Paths of the page and the summary.

    Raises:
        StorageError: the folder cannot be made or written to.
    """
    page, summary = folder / "report.html", folder / "summary.md"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(page, render_html(report))
        _replace(summary, render_markdown(report))
    except OSError as problem:
        raise StorageError(
            f"The report cannot be written to {folder}: {problem}",
            "Give another folder with --report; the results are kept.",
        ) from problem
    return page, summary


def _replace(path: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as partial:
        partial.write(text)
    Path(partial.name).chmod(0o644)
    Path(partial.name).replace(path)
