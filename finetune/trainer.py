"""The run itself, on trl and peft; everything heavy is imported here and nowhere else."""

import resource
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import AdaLoraConfig, LoraConfig, PeftConfig, TaskType
from torch.utils.tensorboard import SummaryWriter
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    EarlyStoppingCallback,
    PreTrainedTokenizerBase,
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.integrations.integration_utils import TensorBoardCallback
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from assistant.errors import InputError, ModelError
from finetune.answers import share_right
from finetune.example import Example
from finetune.recipe import Recipe
from finetune.train import ADAPTER, CHECKPOINTS, LOGS, columns

Say = Callable[[str], None]
SAY_EVERY = 15.0


def fit(
    recipe: Recipe,
    examples: Sequence[Example],
    spared: Sequence[Example],
    model: Path,
    out: Path,
    checkpoint: Path | None,
    say: Say,
) -> dict[str, Any]:
    """Trains and saves the adapter; returns the figures of finetune.train.Trained.

    Args:
        recipe: how.
        examples: of the training split.
        spared: of validation; without any the run goes to its end.
        model: folder of the base model.
        out: folder of the run.
        checkpoint: where to go on, if anywhere.
        say: prints one line for the user.
    """
    set_seed(recipe.seed)
    tokenizer = AutoTokenizer.from_pretrained(model)
    kept = _fitting(examples, tokenizer, recipe, say)
    held = _fitting(spared, tokenizer, recipe, say)
    progress = Progress(say)
    trainer = _Trainer(
        model=_base(model, recipe),
        args=_arguments(recipe, out, bool(held)),
        train_dataset=Dataset.from_list(columns(kept)),
        eval_dataset=Dataset.from_list(columns(held)) if held else None,
        processing_class=tokenizer,
        peft_config=_adapter(recipe, len(kept)),
        callbacks=[progress, Interrupted(say), _curves(out / LOGS), *_stopping(recipe, bool(held))],
    )
    # It writes to standard output, which belongs to --json.
    trainer.remove_callback(PrinterCallback)
    trainer.asked = held[: recipe.answers]
    if checkpoint:
        say(f"going on from {checkpoint.name}")
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    metrics = trainer.evaluate() if held else {}
    trainer.save_model(str(out / ADAPTER))
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    read = trainer.state.num_input_tokens_seen - progress.tokens_before
    return {
        "steps": trainer.state.global_step,
        "loss_first": float(losses[0]) if losses else float("nan"),
        "loss_last": float(losses[-1]) if losses else float("nan"),
        "loss_held_out": float(metrics["eval_loss"]) if held else None,
        "tokens_per_second": round(read / max(progress.seconds, 1e-9), 1),
        "peak_mib": _peak_mib(),
    }


class Progress(TrainerCallback):
    """Says how far the run is and how long it still takes.

    Attributes:
        seconds: spent in steps of this process.
        tokens_before: read before this process.
    """

    def __init__(self, say: Say) -> None:
        self._say = say
        self._began = self._said = 0.0
        self._first = 0
        self.seconds = 0.0
        self.tokens_before = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Starts the clock."""
        self._began, self._first = time.monotonic(), state.global_step
        self.tokens_before = int(state.num_input_tokens_seen)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Says something every few seconds."""
        now = time.monotonic()
        self.seconds = now - self._began
        done = state.global_step - self._first
        if now - self._said < SAY_EVERY and state.global_step < state.max_steps:
            return
        self._said = now
        left = self.seconds / done * (state.max_steps - state.global_step)
        rate = (state.num_input_tokens_seen - self.tokens_before) / self.seconds
        self._say(
            f"step {state.global_step} of {state.max_steps}, {rate:,.0f} tokens/s, {_minutes(left)} left"
        )

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:
        """Says what held-out examples cost."""
        metrics = given.get("metrics", {})
        if "eval_loss" in metrics:
            answers = f", answers right {metrics['eval_answers']:.0%}" if "eval_answers" in metrics else ""
            self._say(f"step {state.global_step}: held-out loss {metrics['eval_loss']:.4f}{answers}")


class Interrupted(TrainerCallback):
    """Ctrl-C and a polite kill end the run after the step, with a checkpoint to go on from."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._asked = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Listens to both signals."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Saves and ends when it was asked to."""
        if self._asked:
            control.should_save = control.should_training_stop = True

    def _note(self, _number: int, _frame: object) -> None:
        self._asked = True
        self._say("ending after this step; the same command goes on from there")


class _Trainer(SFTTrainer):
    """Adds to each evaluation what share of some validation questions is answered right."""

    asked: Sequence[Example] = ()

    def evaluate(self, *arguments: Any, **named: Any) -> dict[str, float]:
        """Held-out loss, and the answer metric where the recipe wants it."""
        metrics: dict[str, float] = super().evaluate(*arguments, **named)
        if self.asked:
            metrics["eval_answers"] = share_right(self.model, self.processing_class, self.asked)
            self.log({"eval_answers": metrics["eval_answers"]})
        return metrics


def _base(model: Path, recipe: Recipe) -> Any:
    dtype = torch.bfloat16 if recipe.precision == "bf16" else torch.float32
    given: dict[str, Any] = {"dtype": dtype, "attn_implementation": "sdpa"}
    if recipe.quantize == "4bit":
        from transformers import BitsAndBytesConfig

        if not torch.cuda.is_available():
            raise InputError("4bit needs a GPU", "Take the recipe lora.")
        given["quantization_config"] = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True, bnb_4bit_compute_dtype=dtype
        )
    try:
        return AutoModelForCausalLM.from_pretrained(model, **given)
    except (OSError, ValueError) as problem:
        raise ModelError(f"{model} cannot be loaded: {problem}", "Run `lineside models fetch`.") from problem


def _adapter(recipe: Recipe, examples: int) -> PeftConfig:
    targets = recipe.targets if isinstance(recipe.targets, str) else list(recipe.targets)
    shared: dict[str, Any] = {
        "lora_alpha": recipe.alpha,
        "lora_dropout": recipe.dropout,
        "target_modules": targets,
        "task_type": TaskType.CAUSAL_LM,
    }
    if recipe.method == "adalora":
        steps = recipe.steps or max(1, int(examples * recipe.epochs / (recipe.batch * recipe.accumulate)))
        warm, last = steps // 10, steps // 5
        return AdaLoraConfig(
            init_r=recipe.first_rank,
            target_r=recipe.rank,
            total_step=steps,
            tinit=warm,
            tfinal=last,
            **shared,
        )
    return LoraConfig(r=recipe.rank, use_dora=recipe.method == "dora", **shared)


def _arguments(recipe: Recipe, out: Path, held: bool) -> SFTConfig:
    gpu = torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(out / CHECKPOINTS),
        report_to=[],
        per_device_train_batch_size=recipe.batch,
        per_device_eval_batch_size=recipe.batch,
        gradient_accumulation_steps=recipe.accumulate,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.schedule,
        warmup_steps=recipe.warmup,
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.clip,
        num_train_epochs=recipe.epochs,
        max_steps=recipe.steps or -1,
        max_length=recipe.tokens,
        packing=recipe.packing,
        eval_packing=False,
        train_sampling_strategy="group_by_length" if recipe.by_length and not recipe.packing else "random",
        completion_only_loss=recipe.completion_only,
        bf16=recipe.precision == "bf16",
        use_cpu=not gpu,
        dataloader_pin_memory=gpu,
        gradient_checkpointing=recipe.gradient_checkpointing,
        include_num_input_tokens_seen="non_padding",
        logging_steps=1 if recipe.steps and recipe.steps <= 50 else 5,
        eval_strategy="steps" if held else "no",
        eval_steps=recipe.evaluate_every,
        save_strategy="steps",
        save_steps=recipe.evaluate_every,
        save_total_limit=recipe.keep,
        load_best_model_at_end=held and recipe.patience > 0,
        metric_for_best_model=f"eval_{recipe.best_by}",
        greater_is_better=recipe.best_by == "answers",
        disable_tqdm=True,
        seed=recipe.seed,
        data_seed=recipe.seed,
    )


def _curves(folder: Path) -> TrainerCallback:
    return TensorBoardCallback(SummaryWriter(log_dir=str(folder)))  # type: ignore[no-untyped-call]


def _stopping(recipe: Recipe, held: bool) -> list[TrainerCallback]:
    return [EarlyStoppingCallback(recipe.patience)] if held and recipe.patience else []


def _fitting(
    examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, recipe: Recipe, say: Say
) -> list[Example]:
    """Examples that fit whole: a cut prompt would be one that serving never sends."""
    lengths = [_tokens(tokenizer, example) for example in examples]
    kept = [e for e, length in zip(examples, lengths, strict=True) if length <= recipe.tokens]
    if len(kept) < len(examples):
        say(f"{len(examples) - len(kept)} of {len(examples)} examples are longer than {recipe.tokens} tokens")
    if examples and not kept:
        raise InputError("No example fits into the recipe's tokens", "Raise tokens.")
    return kept


def _tokens(tokenizer: PreTrainedTokenizerBase, example: Example) -> int:
    messages = [*example.messages, {"role": "assistant", "content": example.answer}]
    text = str(tokenizer.apply_chat_template(messages, tokenize=False))
    return len(tokenizer(text, add_special_tokens=False)["input_ids"])


def _peak_mib() -> int:
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated() // 2**20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _minutes(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 5400 else f"{seconds / 60:.0f} min"
