"""Training: a dataset and a recipe become an adapter, on a CPU or a GPU, resumed where it was stopped."""

import errno
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from assistant.errors import InputError, MissingExtraError, ModelError, StorageError
from assistant.models.fetch import read_manifest
from finetune.dataset import dataset_digest
from finetune.example import Example, read_examples
from finetune.recipe import Recipe

CHECKPOINTS, ADAPTER, LOGS, RUN = "checkpoints", "adapter", "tensorboard", "run.json"
# What a run must share with the checkpoints that it goes on from.
_SAME = ("recipe", "data", "base")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished run.

    Attributes:
        adapter: folder with adapter_config.json and adapter_model.safetensors.
        steps: that were made, those before a resume counted in.
        loss_first: training loss of the first logged step of this process.
        loss_last: of the last.
        loss_held_out: of validation at the end; None without validation examples.
        tokens_per_second: read in training, without padding.
        peak_mib: largest memory, of the GPU where there is one, else of the process.
        seconds: of this process.
    """

    adapter: Path
    steps: int
    loss_first: float
    loss_last: float
    loss_held_out: float | None
    tokens_per_second: float
    peak_mib: int
    seconds: float


def train(recipe: Recipe, data: Path, out: Path, model: Path, say: Say, fresh: bool = False) -> Trained:
    """Trains an adapter.

    Args:
        recipe: how.
        data: folder that `lineside finetune dataset` made.
        out: takes checkpoints, logs, run.json and the adapter; a run that was stopped goes on from there.
        model: folder of the base model.
        say: prints one line for the user.
        fresh: begins anew although checkpoints are there.

    Raises:
        InputError: the data is missing, or the checkpoints are of another run.
        MissingExtraError: trl, peft or bitsandbytes is not installed.
        ModelError: the model cannot be loaded, or memory does not suffice.
        StorageError: the disk is full.
    """
    _check_parts(recipe)
    examples = list(read_examples(data / "train.jsonl"))
    spared = list(read_examples(data / "validation.jsonl"))
    run = {
        "recipe": recipe.model_dump(mode="json"),
        "data": dataset_digest(data),
        "base": str(read_manifest(model).get("sha256", "")) or _config_digest(model),
    }
    checkpoint = _resumed(out, run, fresh)
    out.mkdir(parents=True, exist_ok=True)
    (out / RUN).write_text(json.dumps(run, indent=1), encoding="utf-8")
    with _translated(out):
        from finetune.trainer import fit

        began = time.monotonic()
        fitted = fit(recipe, examples, spared, model, out, checkpoint, say)
    trained = Trained(adapter=out / ADAPTER, seconds=round(time.monotonic() - began, 1), **fitted)
    figures = {name: value for name, value in asdict(trained).items() if name != "adapter"}
    (out / ADAPTER / RUN).write_text(json.dumps(run | {"figures": figures}, indent=1), encoding="utf-8")
    return trained


def last_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that was written to its end; None when there is none."""
    found = sorted(
        folder.glob("checkpoint-*"), key=lambda path: int(path.name.rsplit("-", 1)[1]), reverse=True
    )
    # The state is written last: a checkpoint without it was cut off.
    return next((path for path in found if _is_json(path / "trainer_state.json")), None)


def columns(examples: Sequence[Example]) -> list[dict[str, Any]]:
    """Rows for trl: the messages of serving, and the answer as the completion."""
    return [
        {"prompt": list(e.messages), "completion": [{"role": "assistant", "content": e.answer}]}
        for e in examples
    ]


def _resumed(out: Path, run: dict[str, Any], fresh: bool) -> Path | None:
    checkpoint = None if fresh else last_checkpoint(out / CHECKPOINTS)
    if checkpoint is None:
        return None
    try:
        before = json.loads((out / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise InputError(
            f"{out} has checkpoints but no {RUN}", "Add --fresh, or choose another."
        ) from problem
    changed = [name for name in _SAME if before.get(name) != run[name]]
    if changed:
        raise InputError(
            f"{out} holds a run with another {' and '.join(changed)}",
            "Add --fresh, or choose another folder.",
        )
    return checkpoint


def _check_parts(recipe: Recipe) -> None:
    needed = ["peft", "trl", "tensorboard", *(["bitsandbytes"] if recipe.quantize == "4bit" else [])]
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"Training needs {', '.join(missing)}", f"Run `pip install {' '.join(missing)}`."
        )


def _config_digest(model: Path) -> str:
    try:
        return hashlib.sha256((model / "config.json").read_bytes()).hexdigest()
    except OSError as problem:
        raise ModelError(f"{model} holds no model", "Run `lineside models fetch`.") from problem


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True


@contextmanager
def _translated(out: Path) -> Iterator[None]:
    """Errors of torch and the disk as one line that says what to do."""
    smaller = "Make batch or tokens of the recipe smaller, or turn gradient_checkpointing on."
    try:
        yield
    except MemoryError as problem:
        raise ModelError("Memory does not suffice for this recipe", smaller) from problem
    except OSError as problem:
        if problem.errno != errno.ENOSPC:
            raise
        raise StorageError(
            f"The disk of {out} is full", "Make room; the run goes on where it stopped."
        ) from problem
    except RuntimeError as problem:
        if "out of memory" in str(problem) or "can't allocate memory" in str(problem):
            raise ModelError("Memory does not suffice for this recipe", smaller) from problem
        if "No space left" in str(problem):
            raise StorageError(f"The disk of {out} is full", "Make room; the run goes on.") from problem
        raise
