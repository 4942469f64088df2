"""GGUF file -> Hugging Face folder in bf16, which vLLM serves and peft trains.

Runs in a process of its own: de-quantising takes several times the model's size in memory, all of which is
given back when that process ends.
"""

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from assistant.errors import ModelError


def convert_gguf(gguf: Path, target: Path, log: Path) -> dict[str, str]:
    """Writes weights, tokenizer and chat template to a new folder.

    Args:
        gguf: the file.
        target: folder to make.
        log: file that takes everything the converter prints.

    Returns:
        The versions of the packages that did it.

    Raises:
        ModelError: the file is not a model that can be converted; names the log.
    """
    command = [sys.executable, "-m", "assistant.models.convert", str(gguf), str(target)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    with log.open("wb") as out:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False
        )
    if done.returncode:
        shutil.rmtree(target, ignore_errors=True)
        lines = ["no message", *log.read_text(encoding="utf-8", errors="replace").splitlines()]
        reason = next(line.strip() for line in reversed(lines) if line.strip())
        raise ModelError(f"{gguf.name} cannot be converted: {reason}", f"The whole story is in {log}.")
    return {name: version(name) for name in ("transformers", "torch", "gguf")}


def _convert(gguf: Path, target: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
    if not tokenizer.chat_template:
        raise SystemExit("it has no chat template")
    model = AutoModelForCausalLM.from_pretrained(
        str(gguf.parent),
        gguf_file=gguf.name,
        dtype=torch.bfloat16,
        quantization_config=GgufConfig(dequantize=True),
    )
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)


if __name__ == "__main__":
    _convert(Path(sys.argv[1]), Path(sys.argv[2]))
