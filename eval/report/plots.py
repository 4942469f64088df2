"""The plots of a report, each from its figures."""

import math

from markupsafe import Markup

from eval.metrics.aggregate import confident_answers
from eval.metrics.refusal import risk_coverage
from eval.metrics.score import RECALL_DEPTHS
from eval.report.contents import LABELS, Report, text_of
from eval.report.svg import Bar, Change, Line, Tick, bars, changes, lines
from eval.results import System

_SECONDS = (0.1, 0.3, 1, 3, 10, 30, 100, 300)


def retrieval(report: Report) -> Markup:
    """Recall of the gold pages by the number of passages."""
    drawn = [
        Line(
            LABELS[system],
            system,
            [
                (k, figure.value)
                for k in RECALL_DEPTHS
                if (figure := report.figure(system, f"recall@{k}")) is not None
            ],
        )
        for system in report.systems
    ]
    ticks = [Tick(k, str(k)) for k in RECALL_DEPTHS]
    return lines(drawn, ticks, "passages looked at", "gold pages found")


def confidence(report: Report) -> Markup | None:
    """Risk over coverage, surest answers first; None when no system says how sure it was."""
    drawn = []
    for system in report.systems:
        items = report.run.of(system)
        points = risk_coverage(confident_answers(items), len(items))
        if points:
            drawn.append(Line(LABELS[system], system, [(point.coverage, point.risk) for point in points]))
    ticks = [Tick(step / 5, f"{step * 20} %") for step in range(6)]
    return (
        lines(drawn, ticks, "questions answered, surest first", "of them wrong", dots=False)
        if drawn
        else None
    )


def latency(report: Report) -> Markup | None:
    """Share of answers that were complete after so many seconds; None when no times are known."""
    drawn = []
    slowest = 1.0
    for system in report.systems:
        known = sorted(
            value / 1000 for item in report.run.of(system) if (value := item.values["total_ms"]) is not None
        )
        if known:
            slowest = max(slowest, known[-1])
            points = [(math.log10(max(value, 0.1)), n / len(known)) for n, value in enumerate(known, start=1)]
            drawn.append(Line(LABELS[system], system, [(points[0][0], 0.0), *points]))
    shown = [*(second for second in _SECONDS if second < slowest), _next(slowest)]
    ticks = [Tick(math.log10(second), f"{second:g} s") for second in shown]
    return lines(drawn, ticks, "time to the checked answer", "of the answers", dots=False) if drawn else None


def by_kind(report: Report, metric: str, label: str) -> Markup:
    """A metric by kind of question, systems side by side, with intervals."""
    groups = [
        (kind, [_bar(report, system, metric, ("kind", kind)) for system in report.systems])
        for _, kind in report.values_of("kind")
    ]
    return bars([group for group in groups if any(bar.value is not None for bar in group[1])], label)


def before_after(report: Report) -> Markup:
    """What changed against the baseline run."""
    rows = [
        Change(
            f"{change.metric.label}{' ↓' if change.metric.better == 'lower' else ''}",
            change.difference.mean,
            change.difference.interval.low,
            change.difference.interval.high,
            change.verdict,
        )
        for change in report.changes
    ]
    return changes(rows, "change in points, with 95 % interval (↓ lower is better)")


def _bar(report: Report, system: System, metric: str, key: tuple[str, str]) -> Bar:
    figure = report.figure(system, metric, key)
    title = f"{LABELS[system]}, {key[1]}: {text_of(figure)}"
    if figure is None:
        return Bar(system, None)
    if figure.interval is None:
        return Bar(system, figure.value, title=title)
    return Bar(system, figure.value, figure.interval.low, figure.interval.high, title)


def _next(slowest: float) -> float:
    return next((second for second in _SECONDS if second >= slowest), math.ceil(slowest))
