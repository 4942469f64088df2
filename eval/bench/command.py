"""`lineside bench`: this machine's figures, Lineside beside its peers in one run."""

import json
import platform
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer

from assistant.app import open_lineside
from assistant.settings import Settings, load_settings
from eval.bench.bulk import measure_bulk
from eval.bench.generation import measure_generation, model_server
from eval.bench.ingesting import measure_ingest
from eval.bench.memory import measure_memory
from eval.bench.plant import QUESTIONS, environment_for, ingest_plant, plant_manuals
from eval.bench.retrieval import measure_retrieval

SIZES = (20_000, 100_000)
SEED_PASSAGES = 600
# Enough to time decoding; longer answers only take longer.
MAX_TOKENS = 96
# What we set out to reach, beside each figure: (key, wanted, whether lower is better).
GOALS = (
    ("retrieval_p95_ms_20k", 30.0, True),
    ("retrieval_p95_ms_100k", 30.0, True),
    ("parse_speed_ratio", 3.0, False),
    ("ingest_speed_ratio", 3.0, False),
    ("ingest_rss_mb", 1500.0, True),
    ("parser_rss_mb", 1500.0, True),
    ("bulk_lost", 0.0, True),
    ("bulk_p95_ms", 30.0, True),
    ("first_token_ratio", 1.15, True),
    ("token_rate_ratio", 0.95, False),
    ("four_at_once_answered", 4.0, False),
    ("app_rss_mb", 1500.0, True),
)


class Section(StrEnum):
    """What can be measured by itself."""

    INGEST = "ingest"
    RETRIEVAL = "retrieval"
    GENERATION = "generation"
    MEMORY = "memory"
    BULK = "bulk"


def bench(
    sections: Annotated[list[Section] | None, typer.Argument(help="By default all but bulk.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    skip_model: Annotated[bool, typer.Option(help="Leave out what needs the model server.")] = False,
    manuals: Annotated[
        list[Path] | None, typer.Option(help="PDFs for the ingest section, besides the demonstration's.")
    ] = None,
    chunks: Annotated[int, typer.Option(min=1000, help="Size of the bulk section's library.")] = 100_000,
) -> int:
    """Measure ingesting, retrieval, generation and memory on this machine; takes about ten minutes."""
    settings = load_settings()
    chosen = set(sections or set(Section) - {Section.BULK}) - ({Section.GENERATION} if skip_model else set())
    figures: dict[str, Any] = {"machine": _machine()}
    with tempfile.TemporaryDirectory(prefix="lineside-bench-") as name:
        folder, home = Path(name), Path(name) / "home"
        if Section.INGEST in chosen:
            _say("ingesting pages with text, Lineside and the stock script in turn")
            figures |= _ingest([*plant_manuals(), *(manuals or [])], folder / "ingest")
        if chosen & {Section.RETRIEVAL, Section.GENERATION, Section.MEMORY}:
            _say("ingesting the demonstration plant")
            home.mkdir()
            ingest_plant(home)
        if Section.RETRIEVAL in chosen:
            _say(f"retrieval with {' and '.join(f'{size:,}' for size in SIZES)} chunks")
            figures |= _retrieval(home)
        if Section.GENERATION in chosen:
            _say("starting vLLM, then first token and rate through Lineside and straight")
            figures |= _generation(settings, home)
        if Section.MEMORY in chosen:
            _say("memory of the application")
            figures["app_rss_mb"] = round(measure_memory(home, free_port(), QUESTIONS[:6]), 1)
        if Section.BULK in chosen:
            _say(f"a library of {chunks:,} chunks, killed midway and taken up again")
            figures |= _bulk(folder, chunks)
    if as_json:
        print(json.dumps(figures))
    else:
        _print(figures)
    return 0


def _ingest(manuals: Sequence[Path], folder: Path) -> dict[str, Any]:
    measured = measure_ingest(manuals, folder)
    pages = measured.pages
    return {
        "ingest_pages": pages,
        "parse_pages_per_s": round(pages / measured.parse_s, 1),
        "stock_parse_pages_per_s": round(pages / measured.stock_parse_s, 1),
        "parse_speed_ratio": round(measured.stock_parse_s / measured.parse_s, 2),
        "ingest_pages_per_s": round(pages / measured.work_s, 2),
        "stock_ingest_pages_per_s": round(pages / measured.stock_work_s, 2),
        "ingest_speed_ratio": round(measured.stock_work_s / measured.work_s, 2),
        "ingest_with_start_ratio": round(measured.stock_total_s / measured.total_s, 2),
        "ingest_rss_mb": round(measured.rss_mb, 1),
        "parser_rss_mb": round(measured.child_rss_mb, 1),
    }


def _bulk(folder: Path, chunks: int) -> dict[str, Any]:
    measured = measure_bulk(folder, chunks)
    return {
        "bulk_chunks": measured.held,
        "bulk_lost": measured.expected - measured.held + measured.unfinished,
        "bulk_files": measured.files,
        "bulk_published_before_kill": measured.published_before_kill,
        "bulk_unchanged_after": measured.unchanged_after,
        "bulk_chunks_per_s": round(measured.held / measured.seconds),
        "bulk_p50_ms": round(measured.p50_ms, 2),
        "bulk_p95_ms": round(measured.p95_ms, 2),
        "bulk_rss_mb": round(measured.rss_mb, 1),
    }


def _retrieval(home: Path) -> dict[str, Any]:
    with open_lineside(load_settings(environment_for(home))) as lineside:
        revisions = lineside.catalogue.revisions("visible")
        chunks = [c for r in revisions for c in lineside.store.section(r.id, 0, r.chunks)]
        passages = [chunk.text for chunk in chunks[:: max(len(chunks) // SEED_PASSAGES, 1)]]
        measured = measure_retrieval(lineside.embedder, passages, QUESTIONS, SIZES)
    figures: dict[str, Any] = {}
    for size in measured:
        name = f"{size.chunks // 1000}k"
        figures[f"retrieval_p50_ms_{name}"] = round(size.p50_ms, 2)
        figures[f"retrieval_p95_ms_{name}"] = round(size.p95_ms, 2)
    return figures


def _generation(settings: Settings, home: Path) -> dict[str, Any]:
    port = free_port()
    server = settings.vllm.model_copy(update={"port": port})
    changes = {
        "LINESIDE_LLM_URL": f"http://127.0.0.1:{port}/v1",
        "LINESIDE_LLM_MODEL": server.served_name,
        "LINESIDE_LLM_MAX_TOKENS": str(MAX_TOKENS),
        "LINESIDE_LLM_FIRST_TOKEN_TIMEOUT_S": "120",
    }
    own = load_settings(environment_for(home, **changes))
    with model_server(server, settings.store.root) as address, open_lineside(own) as lineside:
        measured = measure_generation(lineside, address, QUESTIONS)
    return {
        "first_token_s": round(measured.lineside_first_s, 3),
        "raw_first_token_s": round(measured.raw_first_s, 3),
        "first_token_ratio": round(measured.first_token_ratio, 3),
        "tokens_per_s": round(measured.lineside_rate, 2),
        "raw_tokens_per_s": round(measured.raw_rate, 2),
        "token_rate_ratio": round(measured.token_rate_ratio, 3),
        "four_at_once_answered": measured.four_at_once_answered,
        "four_at_once_s": round(measured.four_at_once_s, 1),
    }


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _machine() -> dict[str, Any]:
    load = round(psutil.getloadavg()[0], 2)
    return {"cores": psutil.cpu_count(), "python": platform.python_version(), "load_at_start": load}


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def _print(figures: dict[str, Any]) -> None:
    goals = {key: (wanted, lower) for key, wanted, lower in GOALS}
    for key, value in figures.items():
        wanted, lower = goals.get(key, (None, False))
        met = (
            "" if wanted is None else ("met" if (value <= wanted if lower else value >= wanted) else "short")
        )
        goal = "" if wanted is None else f"{'≤' if lower else '≥'} {wanted:g}"
        print(f"{key:28} {value!s:>12}  {goal:10} {met}")
