"""A small metric of answers for early stopping: what the model says by itself, without serving's checks."""

import re
from collections.abc import Sequence
from typing import Any

from assistant.literals import literals
from assistant.prompt import is_refusal
from finetune.example import Example

MAX_NEW_TOKENS = 200
_NUMBER = re.compile(r"\d+")
_MARK = re.compile(r"[\[【](\d{1,2})[\]】]")


def is_right(wanted: Example, said: str) -> bool:
    """Whether it refuses when it should, or cites the right passages with the right figures and codes."""
    if wanted.style == "point":
        return set(_NUMBER.findall(said)) == set(_NUMBER.findall(wanted.answer))
    if wanted.refused or is_refusal(said):
        return wanted.refused and is_refusal(said)
    marks = set(_MARK.findall(said))
    figures = literals(_MARK.sub("", wanted.answer))
    own = literals(_MARK.sub("", said))
    return marks == set(_MARK.findall(wanted.answer)) and figures[0] <= own[0] and figures[1] <= own[1]


def share_right(model: Any, tokenizer: Any, examples: Sequence[Example]) -> float:
    """Share, 0..1, of examples that a model answers right, decoding greedily.

    Args:
        model: of transformers, with or without an adapter.
        tokenizer: that belongs to it.
        examples: at least one.
    """
    import torch

    was_training, right = model.training, 0
    model.eval()
    with torch.inference_mode():
        for example in examples:
            given = tokenizer.apply_chat_template(
                list(example.messages), add_generation_prompt=True, return_tensors="pt", return_dict=True
            ).to(model.device)
            made = model.generate(**given, max_new_tokens=MAX_NEW_TOKENS, do_sample=False)
            said = tokenizer.decode(made[0, given["input_ids"].shape[1] :], skip_special_tokens=True)
            right += is_right(example, said)
    model.train(was_training)
    return right / len(examples)
