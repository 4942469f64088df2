"""How an adapter is trained: one YAML file, every field checked before anything is loaded.

Recipes lie in finetune/recipes; a plant may write its own. The same recipe runs on a CPU and on a GPU.
"""

from importlib.resources import files
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from assistant.errors import InputError

Method = Literal["lora", "dora", "adalora"]


class Recipe(BaseModel):
    """All that decides what a run learns; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, description="of the adapter's folder and of the run in TensorBoard")
    model: str = Field("qwen2.5-coder-0.5b-instruct", description="below LINESIDE_HOME/models, or a folder")
    method: Method = Field(
        "lora", description="lora: Hu et al. 2021; dora: Liu et al. 2024; adalora: Zhang et al. 2023"
    )
    rank: int = Field(16, ge=1, le=256)
    first_rank: int = Field(24, ge=1, le=256, description="adalora: before ranks are taken away")
    alpha: int = Field(32, ge=1, le=1024)
    dropout: float = Field(0.05, ge=0, lt=1)
    targets: tuple[str, ...] | Literal["all-linear"] = "all-linear"
    learning_rate: float = Field(2e-4, gt=0, le=1e-2)
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = Field(0.05, ge=0, lt=1, description="share of the steps")
    weight_decay: float = Field(0.01, ge=0, le=1)
    clip: float = Field(1.0, gt=0, description="largest norm of a gradient")
    epochs: float = Field(2.0, gt=0, le=100)
    steps: int = Field(0, ge=0, description="ends the run earlier; 0: after the epochs")
    batch: int = Field(1, ge=1, le=256, description="sequences at once on one device")
    accumulate: int = Field(8, ge=1, le=1024, description="batches before a step")
    tokens: int = Field(2048, ge=128, le=32768, description="longest sequence; longer examples are left out")
    packing: bool = Field(True, description="several examples in one sequence, none of which sees another")
    by_length: bool = Field(True, description="without packing: examples of like length in one batch")
    completion_only: bool = Field(True, description="loss on the answer alone, not on the prompt")
    precision: Literal["bf16", "fp32"] = "bf16"
    quantize: Literal["none", "4bit"] = Field("none", description="4bit: QLoRA, on a GPU")
    gradient_checkpointing: bool = True
    evaluate_every: int = Field(50, ge=1, description="steps")
    patience: int = Field(3, ge=0, description="evaluations without a better one before the end; 0: never")
    best_by: Literal["loss", "answers"] = "loss"
    answers: int = Field(0, ge=0, le=1000, description="validation questions answered at each evaluation")
    keep: int = Field(2, ge=1, le=20, description="checkpoints kept, the best among them")
    seed: int = 7

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.method == "adalora" and self.first_rank <= self.rank:
            raise ValueError("adalora begins with a first_rank above rank, and takes ranks away")
        if self.method == "adalora" and self.quantize != "none":
            raise ValueError("adalora cannot be combined with 4bit")
        if self.best_by == "answers" and not self.answers:
            raise ValueError("best_by answers needs a number of answers")
        return self


def read_recipe(name: str) -> Recipe:
    """A recipe by the name of a file in finetune/recipes, or by a path.

    Raises:
        InputError: it is missing, no YAML, or a field is unknown or impossible.
    """
    folder = files("finetune").joinpath("recipes")
    known = sorted(
        entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")
    )
    path = folder.joinpath(f"{name}.yaml") if name in known else Path(name)
    try:
        fields = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise InputError(
            f"There is no recipe {name}", f"Known: {', '.join(known)}; or give a file."
        ) from problem
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise InputError(f"Recipe {name} is no YAML", "Correct the file.") from problem
    try:
        return Recipe.model_validate(fields)
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the recipe"
        raise InputError(f"Recipe {name}: {where}: {first['msg']}", "Correct the file.") from problem
