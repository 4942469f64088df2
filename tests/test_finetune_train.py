"""Twenty steps on a tiny model of the default's architecture: what is learned, saved and taken up again."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from assistant.errors import InputError
from finetune.answers import is_right
from finetune.example import Example, write_examples
from finetune.train import CHECKPOINTS, RUN, last_checkpoint

COMMAND = "from finetune.commands import app; app()"


def example(number: int, answer: str = "", style: str = "point") -> Example:
    messages = (
        {"role": "system", "content": "Reply with the number of the source."},
        {
            "role": "user",
            "content": f"Sources:\n[1] bolt {number}: 45 Nm\n[2] pump: 12 bar\n\nQuestion: pump?",
        },
    )
    return Example(
        f"e{number}",
        "part",
        style,
        "en",
        "train",
        "s",
        "d",
        "pump?",
        messages,
        answer or "2",
        False,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with random weights, its tokenizer, a dataset and a recipe."""
    pytest.importorskip("trl", reason="training needs trl and tensorboard")
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    made = tmp_path_factory.mktemp("tiny")
    rows = [example(number) for number in range(24)]
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel()
    marks = ["<|im_start|>", "<|im_end|>"]
    texts = [message["content"] for row in rows for message in row.messages]
    bpe.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=400, special_tokens=marks))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token=marks[1], pad_token=marks[1])
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    torch.manual_seed(0)
    shape: dict[str, Any] = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512}
    model = Qwen2ForCausalLM(Qwen2Config(vocab_size=len(tokenizer), **shape, **heads))
    model.save_pretrained(made / "model")
    tokenizer.save_pretrained(made / "model")
    (made / "data").mkdir()
    write_examples(made / "data" / "train.jsonl", rows[:20])
    write_examples(made / "data" / "validation.jsonl", rows[20:])
    fields = yaml.safe_load(Path("finetune/recipes/smoke.yaml").read_text(encoding="utf-8"))
    fields |= {"learning_rate": 0.01, "tokens": 256, "evaluate_every": 10}
    (made / "recipe.yaml").write_text(yaml.safe_dump(fields), encoding="utf-8")
    return made


def run(folder: Path, out: str, recipe: str = "recipe.yaml") -> subprocess.CompletedProcess[str]:
    options = ["--data", folder / "data", "--out", folder / out, "--recipe", folder / recipe]
    command = [sys.executable, "-c", COMMAND, "train", *map(str, options), "--model", str(folder / "model")]
    return subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_twenty_steps_teach_something_and_go_on_where_they_stopped(folder: Path) -> None:
    done = run(folder, "run")
    assert done.returncode == 0, done.stderr[-2000:]
    figures = json.loads(done.stdout)
    assert figures["steps"] == 20
    assert figures["loss_last"] < 0.8 * figures["loss_first"]
    assert figures["loss_held_out"] < figures["loss_first"]
    assert figures["tokens_per_second"] > 0
    adapter = folder / "run" / "adapter"
    assert (adapter / "adapter_model.safetensors").is_file()
    kept = json.loads((adapter / RUN).read_text(encoding="utf-8"))
    assert kept["recipe"]["name"] == "smoke" and kept["data"] and kept["base"]
    assert list((folder / "run" / "tensorboard").iterdir())

    # A kill cuts the newest checkpoint off; the one before it is taken up.
    newest = last_checkpoint(folder / "run" / CHECKPOINTS)
    assert newest is not None and newest.name == "checkpoint-20"
    (newest / "trainer_state.json").write_text("{", encoding="utf-8")
    again = run(folder, "run")
    assert again.returncode == 0, again.stderr[-2000:]
    assert "going on from checkpoint-10" in again.stderr
    assert json.loads(again.stdout)["steps"] == 20


def test_checkpoints_of_another_recipe_are_not_gone_on_from(folder: Path, tmp_path: Path) -> None:
    from finetune.train import _resumed

    checkpoint = tmp_path / CHECKPOINTS / "checkpoint-5"
    checkpoint.mkdir(parents=True)
    (checkpoint / "trainer_state.json").write_text("{}", encoding="utf-8")
    (tmp_path / RUN).write_text(
        json.dumps({"recipe": {"rank": 8}, "data": "d", "base": "b"}), encoding="utf-8"
    )
    same = {"recipe": {"rank": 8}, "data": "d", "base": "b"}
    assert _resumed(tmp_path, same, fresh=False) == checkpoint
    with pytest.raises(InputError, match="another recipe"):
        _resumed(tmp_path, same | {"recipe": {"rank": 16}}, fresh=False)
    assert _resumed(tmp_path, same | {"recipe": {"rank": 16}}, fresh=True) is None


@pytest.mark.parametrize(
    ("wanted", "said", "right"),
    [
        (example(1, "2"), "2", True),
        (example(1, "2"), "1, 2", False),
        (example(1, "none"), "none", True),
        (example(1, "none"), "1", False),
        (example(1, "Torque: 45 Nm [1].", "write"), "It is 45 Nm [1].", True),
        (example(1, "Torque: 45 Nm [1].", "write"), "It is 54 Nm [1].", False),
        (example(1, "Torque: 45 Nm [1].", "write"), "It is 45 Nm [2].", False),
        (example(1, "Torque: 45 Nm [1].", "write"), "The manuals held here do not answer this.", False),
    ],
)
def test_an_answer_is_right_by_its_sources_and_figures(wanted: Example, said: str, right: bool) -> None:
    assert is_right(wanted, said) is right
