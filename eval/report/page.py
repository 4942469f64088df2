"""The report as one HTML page that needs nothing else: styles and plots are in it, and no script."""

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from eval.metrics.aggregate import ALL, BY_NAME, DIMENSIONS
from eval.metrics.score import TRIAGE_METRICS
from eval.report import plots
from eval.report.contents import (
    ATTACKED,
    HEADLINES,
    LABELS,
    SIDE_BY_SIDE,
    SLICED,
    Report,
    change_text,
    harness_text,
    text_of,
)
from eval.results import record_json

_TEMPLATES = PackageLoader("eval.report")
_ENVIRONMENT = Environment(
    loader=_TEMPLATES, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def render_html(report: Report) -> str:
    """The page; every text of cases, answers and documents is escaped."""
    style, _, _ = _TEMPLATES.get_source(_ENVIRONMENT, "report.css")
    return _ENVIRONMENT.get_template("report.html").render(
        report=report,
        style=Markup(style),
        plots=plots,
        labels=LABELS,
        metrics=BY_NAME,
        headlines=HEADLINES,
        side_by_side=SIDE_BY_SIDE,
        sliced=SLICED,
        dimensions=DIMENSIONS,
        attacked=ATTACKED,
        triage_metrics=TRIAGE_METRICS,
        all=ALL,
        text_of=text_of,
        change_text=change_text,
        harness_text=harness_text,
        record=record_json(report.run.run),
    )
