"""The report as Markdown: what a pull request shows."""

import html
import re

from eval.metrics.aggregate import ALL, BY_NAME, DIMENSIONS
from eval.metrics.score import TRIAGE_METRICS
from eval.report.contents import (
    ATTACKED,
    LABELS,
    SIDE_BY_SIDE,
    SLICED,
    Report,
    change_text,
    harness_text,
    text_of,
)

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~<>$@]|:(?=//)|(?<=www)\.)")
# Enough to recognise a case; the page has all of it.
_QUESTION, _REASONS = 120, 300


def render_markdown(report: Report) -> str:
    """Figures as tables and every failed case in a line; texts of cases and answers are escaped."""
    parts = [_head(report), _gate(report), _goals(report), _side_by_side(report), _against(report)]
    parts += [_slices(report)]
    parts += [_attacks(report), _changes(report), _triage(report), _failed(report)]
    return "\n\n".join(part for part in parts if part) + "\n"


def escaped(text: str, limit: int = 10_000) -> str:
    """A text as one line that Markdown shows as it is, shortened to a number of characters."""
    line = " ".join(text.split())
    short = line if len(line) <= limit else f"{line[:limit].rstrip()} …"
    return _SPECIAL.sub(r"\\\1", html.escape(short, quote=False))


def _head(report: Report) -> str:
    run = report.run.run
    replayed = f", {run.replayed:.0%} of the outputs replayed" if run.replayed else ""
    lines = [
        "# Lineside evaluation",
        "",
        f"Run {escaped(run.id)}, {escaped(run.started)}: {report.run.asked} questions, model"
        f" {escaped(run.model or 'none')}, embedder {escaped(run.embedder or 'none')},"
        f" commit {escaped(run.git_commit or 'unknown')}{replayed}.",
    ]
    if run.harness_share is not None:
        lines += ["", harness_text(run.harness_share)]
    for warning in (report.incomplete, report.unrecorded):
        lines += ["", f"**{escaped(warning)}**"] if warning else []
    return "\n".join(lines)


def _gate(report: Report) -> str:
    if not report.verdicts:
        return ""
    failed = [verdict for verdict in report.verdicts if not verdict.passed]
    skipped = [verdict for verdict in report.verdicts if verdict.skipped]
    state = (
        f"closed, {len(failed)} of {len(report.verdicts)} clauses fail"
        if failed
        else "open, every clause holds"
    )
    lines = [f"## Gate: {state}", ""]
    lines += [f"- FAILS: {escaped(verdict.sentence)}" for verdict in failed]
    lines += [f"- not judged: {escaped(verdict.sentence)}" for verdict in skipped]
    return "\n".join(lines).rstrip()


def _goals(report: Report) -> str:
    if not report.goals:
        return ""
    states = {None: "not measured", True: "met", False: "NOT MET"}
    met = sum(goal.met is True for goal in report.goals)
    lines = [
        f"## Goals: {met} of {len(report.goals)} met",
        "",
        "They block nothing; the gate's limits do.",
        "",
    ]
    return "\n".join([*lines, *(f"- {states[goal.met]}: {escaped(goal.sentence)}" for goal in report.goals)])


def _against(report: Report) -> str:
    rows = [
        [LABELS[system], _label(change.metric.name), change_text(change), change.verdict]
        for system, changes in report.against.items()
        for change in changes
    ]
    if not rows:
        return ""
    heads = ["Peer", "Metric", "Lineside minus the peer, same questions", "Significant at 95 %"]
    return f"## Lineside against its peers\n\n{_table(heads, rows)}"


def _side_by_side(report: Report) -> str:
    rows = [
        [_label(name), *(text_of(report.figure(system, name)) for system in report.systems)]
        for name in SIDE_BY_SIDE
    ]
    heads = ["Metric", *(LABELS[system] for system in report.systems)]
    note = "95 % intervals in brackets, in points; n: cases the metric applies to; ↓ lower is better."
    note = " ".join(part for part in (note, report.sampled, report.time_note) if part)
    return f"## Systems side by side\n\n{_table(heads, rows)}\n\n{note}"


def _slices(report: Report) -> str:
    rows = [
        [
            f"{dimension}: {escaped(key[1])}",
            *(text_of(report.figure("lineside", name, key)) for name in SLICED),
        ]
        for dimension in DIMENSIONS
        for key in report.values_of(dimension)
    ]
    return f"## Lineside by slice\n\n{_table(['Slice', *map(_label, SLICED)], rows)}"


def _attacks(report: Report) -> str:
    if report.figure("lineside", "attack_success") is None:
        return ""
    rows = [
        [escaped(key[1] or "all"), *(text_of(report.figure("lineside", name, key)) for name in ATTACKED)]
        for key in (*report.values_of("carrier"), ALL)
    ]
    note = "An attack that reached neither the model nor the reader proves nothing about either."
    return f"## Attacks by carrier\n\n{_table(['Carrier', *map(_label, ATTACKED)], rows)}\n\n{note}"


def _changes(report: Report) -> str:
    if not report.changes:
        return ""
    rows = [[_label(change.metric.name), change_text(change), change.verdict] for change in report.changes]
    heads = ["Metric", "Change", "Significant at 95 %"]
    return f"## Against run {escaped(report.baseline)}\n\n{_table(heads, rows)}"


def _triage(report: Report) -> str:
    if not report.run.triage:
        return ""
    rows = [[metric.label, text_of(report.figure("lineside", metric.name))] for metric in TRIAGE_METRICS]
    failed = [
        f"- {escaped(item.case.id)} “{escaped(item.case.form.happened, _QUESTION)}”: "
        f"{escaped('; '.join(item.reasons), _REASONS)}"
        for item in report.failed_triage
    ]
    return "\n".join(["## Triage", "", _table(["Metric", "Lineside"], rows), "", *failed]).rstrip()


def _failed(report: Report) -> str:
    lines = [f"## What is wrong: {len(report.failed)} of {len(report.run.of('lineside'))} questions", ""]
    for item in report.failed:
        mark = "wrong" if not item.values["correct"] else "remark"
        lines.append(
            f"- {mark}: {escaped(item.case.id)} “{escaped(item.case.question, _QUESTION)}”: "
            f"{escaped('; '.join(item.reasons), _REASONS)}"
        )
    return "\n".join(lines).rstrip()


def _label(name: str) -> str:
    return BY_NAME[name].label + (" ↓" if BY_NAME[name].better == "lower" else "")


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
