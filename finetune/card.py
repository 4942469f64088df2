"""The dataset card: what is in it, from where, under which licence, and what it shares with evaluation."""

from collections import Counter
from collections.abc import Iterable, Sequence

from finetune.dataset import Made, Plan
from finetune.example import Example
from finetune.overlap import PASSAGE_RUN, QUESTION_RUN
from finetune.sources import Source


def card_of(plan: Plan, made: Sequence[Made], unused: Sequence[Source]) -> str:
    """Markdown for README.md of the dataset; {digest} stands where the digest comes.

    Args:
        plan: that the dataset was made to.
        made: what the sources gave.
        unused: sources that were found and not used.
    """
    examples = [example for one in made for example in one.examples]
    return "\n".join(
        [
            "# Questions about maintenance manuals, with cited answers",
            "",
            "Made by `lineside finetune dataset`, without a larger model: questions are worded from what the",
            "manuals' own tables, procedures, entries and notices hold; answers are the manuals' own words",
            "with the number of the passage behind each statement, in the prompt of serving. The passages",
            "are what Lineside's search finds for the question, in an order of chance.",
            "",
            "- SHA-256 of both splits: `{digest}`",
            f"- seed {plan.seed}; noise on questions: rate {plan.noise.rate:g}, {', '.join(plan.noise.ways)}",
            f"- models held out: {', '.join(plan.held_out) or 'none'}",
            "",
            "## Sources",
            "",
            *_table(["source", "licence", "origin", "used"], _sources(made, unused)),
            "",
            "## Examples",
            "",
            *_table(["source", "split", "documents", "examples", "refusals", "en", "zh"], _by_source(made)),
            "",
            *_table(["kind", "examples", "refusals", "en", "zh"], _by_kind(examples)),
            "",
            *_table(["style", "examples", "refusals", "en", "zh"], _by_style(examples)),
            "",
            *_table(["question went through", "examples"], _by_change(examples)),
            "",
            "## Overlap with evaluation",
            "",
            f"No question shares {QUESTION_RUN} words in a row with a question of a suite, or all its words;",
            f"no gold passage shares {PASSAGE_RUN} words in a row with a document that is kept out.",
            "Left out were:",
            "",
            *_table(["source", "not taken because", "examples"], _dropped(made)),
            "",
            *_table(["suite", "questions", "its documents"], _suites(plan)),
            "",
            "## Documents kept out",
            "",
            *[f"- {one.source.name}: {', '.join(sorted(one.splits.kept_out)) or 'none'}" for one in made],
            "",
        ]
    )


def _sources(made: Sequence[Made], unused: Sequence[Source]) -> Iterable[Sequence[object]]:
    for one in made:
        yield one.source.name, one.source.licence, one.source.origin, "yes"
    for source in unused:
        yield source.name, source.licence, source.origin, f"no: {source.reason}"


def _by_source(made: Sequence[Made]) -> Iterable[Sequence[object]]:
    for one in made:
        for split in ("train", "validation"):
            own = [example for example in one.examples if example.split == split]
            documents = len({example.document for example in own})
            yield one.source.name, split, documents, *_counts(own)


def _by_kind(examples: Sequence[Example]) -> Iterable[Sequence[object]]:
    for kind in sorted({example.kind for example in examples}):
        yield kind, *_counts([example for example in examples if example.kind == kind])
    yield "all", *_counts(examples)


def _by_style(examples: Sequence[Example]) -> Iterable[Sequence[object]]:
    for style in sorted({example.style for example in examples}):
        yield style, *_counts([example for example in examples if example.style == style])


def _by_change(examples: Sequence[Example]) -> Iterable[Sequence[object]]:
    changes = Counter(change for example in examples for change in example.changes or ("nothing",))
    yield from sorted(changes.items())


def _dropped(made: Sequence[Made]) -> Iterable[Sequence[object]]:
    for one in made:
        for reason, count in sorted(one.dropped.items()):
            yield one.source.name, reason, count


def _suites(plan: Plan) -> Iterable[Sequence[object]]:
    for suite, count in sorted(Counter(question.suite for question in plan.questions).items()):
        yield suite, count, "kept out" if suite in plan.kept_out_suites else "kept out where held out"


def _counts(examples: Sequence[Example]) -> tuple[int, int, int, int]:
    refused = sum(example.refused for example in examples)
    english = sum(example.language == "en" for example in examples)
    return len(examples), refused, english, len(examples) - english


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    lines = [f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}"]
    return [*lines, *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows)]
