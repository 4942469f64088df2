"""`lineside finetune`: from a plant's documents to a dataset, and from a dataset to an adapter."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from assistant.app import open_lineside
from assistant.errors import InputError
from assistant.settings import Settings, load_settings
from finetune.card import card_of
from finetune.dataset import Made, Plan, make_examples, write_dataset
from finetune.noise import WAYS, Noise
from finetune.overlap import read_questions
from finetune.recipe import read_recipe
from finetune.sources import Source, prepare_sources, source_of_home

app = typer.Typer(help="Train an adapter on a plant's own documents.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Train an adapter on a plant's own documents."""


@app.command()
def dataset(
    out: Annotated[Path, typer.Option(help="Folder for train.jsonl, validation.jsonl and README.md.")],
    home: Annotated[
        list[Path] | None,
        typer.Option(help="Home to take manuals from; again for more. Default LINESIDE_HOME."),
    ] = None,
    sources: Annotated[
        Path | None, typer.Option(help="Folder with other material, see finetune/sources.yaml.")
    ] = None,
    examples: Annotated[int, typer.Option(min=1, help="At most so many of each source.")] = 3000,
    suite: Annotated[
        list[Path] | None, typer.Option(help="Suite whose questions no example may repeat.")
    ] = None,
    keep_out: Annotated[
        list[Path] | None, typer.Option(help="Suite whose documents are kept out altogether.")
    ] = None,
    hold_out: Annotated[
        list[str] | None, typer.Option(help="Model whose manuals are kept out, for evaluation.")
    ] = None,
    style: Annotated[
        Literal["point", "write", "both"],
        typer.Option(help="What the model is to do, see LINESIDE_LLM_STYLE."),
    ] = "both",
    noise: Annotated[
        float, typer.Option(min=0, max=1, help="Chance of each change of a question; 0 for none.")
    ] = 0.25,
    way: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(WAYS)}; default all.")] = None,
    seed: Annotated[int, typer.Option(help="Of every choice that is left to chance.")] = 7,
) -> int:
    """Make training data from visible manuals, without a larger model."""
    settings = load_settings()
    unknown = set(way or ()) - set(WAYS)
    if unknown:
        raise InputError(f"Unknown way {', '.join(sorted(unknown))}", f"Known: {', '.join(WAYS)}.")
    questions = read_questions([*(suite or ()), *(keep_out or ())])
    plan = Plan(
        examples=examples,
        seed=seed,
        noise=Noise(noise, tuple(way or WAYS)),
        styles=("point", "write") if style == "both" else (style,),
        held_out=tuple(name.casefold() for name in hold_out or ()),
        questions=questions,
        kept_out_suites=frozenset(path.name for path in keep_out or ()),
    )
    found = [source_of_home(path) for path in home or ([] if sources else [settings.store.root])]
    if sources:
        found += prepare_sources(sources, out / "homes", settings.store.root / "models", _say)
    made = [_made(source, settings, plan) for source in found if source.home]
    digest = write_dataset(out, made, card_of(plan, made, [source for source in found if not source.home]))
    _say(f"{out}: {sum(len(one.examples) for one in made):,} examples, digest {digest[:12]}")
    return 0


@app.command()
def train(
    data: Annotated[Path, typer.Option(help="Folder that `lineside finetune dataset` made.")],
    out: Annotated[Path, typer.Option(help="Folder of the run; a run that was stopped goes on there.")],
    recipe: Annotated[str, typer.Option(help="Name in finetune/recipes, or a file.")] = "lora",
    model: Annotated[
        Path | None, typer.Option(help="Folder of the base model; default as the recipe says.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew although checkpoints are there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> int:
    """Train an adapter; progress goes to standard error, curves to OUT/tensorboard."""
    from finetune.train import train as run

    read = read_recipe(recipe)
    folder = model or load_settings().store.root / "models" / read.model
    trained = run(read, data, out, folder, _say, fresh)
    if as_json:
        typer.echo(json.dumps(asdict(trained) | {"adapter": str(trained.adapter)}))
    else:
        losses = f"loss {trained.loss_first:.3f} to {trained.loss_last:.3f}"
        typer.echo(f"{trained.adapter}: {trained.steps} steps, {losses}, {trained.peak_mib:,} MiB")
    return 0


def _made(source: Source, settings: Settings, plan: Plan) -> Made:
    assert source.home is not None
    own = replace(settings, store=settings.store.model_copy(update={"home": source.home}))
    with open_lineside(own) as lineside:
        return make_examples(lineside, source, plan, _say)


def _say(line: str) -> None:
    typer.echo(line, err=True)
