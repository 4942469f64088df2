"""The one rule of the house: ingest, finetune and eval may import assistant; nothing else crosses."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("assistant", "ingest", "finetune", "eval")


def imported_rooms(room: str) -> set[tuple[str, str]]:
    found = set()
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            found |= {(name.split(".")[0], str(path)) for name in names if name.split(".")[0] in ROOMS}
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_itself_and_assistant(room: str) -> None:
    crossing = {(name, path) for name, path in imported_rooms(room) if name not in {room, "assistant"}}
    assert crossing == set()


def test_assistant_never_imports_vllm() -> None:
    for path in (ROOT / "assistant").rglob("*.py"):
        assert "import vllm" not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize("room", ROOMS)
def test_top_level_names_are_this_repository(room: str) -> None:
    module = importlib.import_module(room)
    assert module.__file__ is not None
    assert Path(module.__file__).resolve().parent == ROOT / room


def test_the_composition_root_loads_neither_gradio_nor_torch() -> None:
    code = (
        "import sys, assistant.app; print([n for n in ('gradio', 'torch', 'rapidocr') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
