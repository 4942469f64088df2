"""Are fault codes found exactly? Asks for every code that alarm lists hold, and for those next to them.

    python -m eval.codes --data ../shared/data [--home HOME]

The lists are read here by themselves, not by Lineside: headings of Markdown files that open with a number and
a colon, and records of JSON files with an `id`. A code is found when nothing but entries of that code stands
before its entry. A code that no list holds is answered rightly when Lineside says so and cites nothing.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langchain_core.messages import BaseMessage

from assistant.answer import Answerer
from assistant.app import open_lineside
from assistant.errors import InputError, LinesideError, LLMUnavailableError
from assistant.schema import Hit, Question
from assistant.settings import load_settings

QUESTIONS = ("报警 {code} 是什么意思，怎么处理？", "What does error {code} mean and what should I do?")
FOLDERS = ("zh-faq", "alarms")
MISSES_TOLD = 40
_HEADING = re.compile(r"^#{1,6}\s*(\d{1,10})\s*[:：]\s*(\S.*?)\s*$", re.MULTILINE)
_NAMED = re.compile(r"(?:报警|报错|错误|error|alarm)\D{0,4}(\d{1,10})(?!\s*[-\d])", re.IGNORECASE)
_ALARM_LIST = re.compile("报警|alarm", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One code of a list.

    Attributes:
        path: of the list.
        words: what stands in the entry's heading or record and tells it from others.
    """

    code: str
    path: Path
    words: str

    @property
    def document(self) -> str:
        """The list's file name."""
        return self.path.name

    def is_in(self, hit: Hit) -> bool:
        """Whether a passage is this entry's."""
        chunk = hit.chunk
        if Path(chunk.document).name != self.document:
            # Two lists may hold an entry in the same words, of which a search shows one.
            return self.path.suffix == ".json" and self._stands_in(chunk.text)
        if chunk.section and any(_opens_with(name, self.code) for name in chunk.section):
            return _bare(self.words) in _bare(chunk.heading)
        # An entry without a text of its own is kept as its heading.
        return self._stands_in(chunk.text)

    def _stands_in(self, text: str) -> bool:
        return _bare(self.words) in _bare(text) and bool(re.search(rf"(?<!\d){self.code}(?!\d)", text))


@dataclass(slots=True)
class Tally:
    """How many were right of how many, and which were not."""

    asked: int = 0
    right: int = 0
    misses: list[dict[str, Any]] = field(default_factory=list)

    def add(self, right: bool, miss: Mapping[str, Any]) -> None:
        """Counts one question."""
        self.asked += 1
        self.right += right
        if not right:
            self.misses.append(dict(miss))

    def document(self) -> dict[str, Any]:
        """As JSON; of many misses the first."""
        share = round(self.right / self.asked, 4) if self.asked else None
        return {"asked": self.asked, "right": self.right, "share": share, "misses": self.misses[:MISSES_TOLD]}


class NoModel:
    """Passages are quoted as they were found: writing them up is measured elsewhere."""

    def stream(self, messages: Sequence[BaseMessage], claims: Sequence[str] = ()) -> Iterator[str]:
        """Never answers."""
        raise LLMUnavailableError("No model takes part")

    def ready(self) -> bool:
        """Never."""
        return False


def read_entries(folder: Path) -> list[Entry]:
    """The codes of all alarm lists below a folder.

    Raises:
        InputError: there are none.
    """
    entries = []
    for path in sorted(folder.rglob("*.md")):
        if _ALARM_LIST.search(path.name):
            text = path.read_text(encoding="utf-8")
            entries += [Entry(code, path, words) for code, words in _HEADING.findall(text)]
    for path in sorted(folder.rglob("*.json")):
        if _ALARM_LIST.search(path.name):
            for record in json.loads(path.read_text(encoding="utf-8")):
                entries.append(Entry(str(record["id"]), path, record["en"]["description"]))
    if not entries:
        raise InputError(f"{folder} holds no alarm lists")
    return entries


def next_to(entries: Sequence[Entry], texts: str) -> list[str]:
    """Codes one above or below a held one that no list holds, and that no text calls an error or alarm."""
    held = {int(entry.code) for entry in entries}
    named = {int(code) for code in _NAMED.findall(texts)}
    near = {code + step for code in held for step in (-1, 1)} - held - named
    return [str(code) for code in sorted(near) if code > 0]


def measure(
    answerer: Answerer, entries: Sequence[Entry], missing_codes: Sequence[str], every: int = 1
) -> dict[str, Tally]:
    """Asks every question of every code, held and missing.

    Args:
        answerer: the pipeline, with the lists in reach.
        entries: of all lists.
        missing_codes: that no list holds.
        every: only each so-manieth code is asked for.

    Returns:
        'found': the entry comes before all that is not an entry of its code. 'first': the same, for codes of
        one entry only, where it is the very first passage cited. 'missing': said to be so, nothing cited.
    """
    by_code: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_code[entry.code].append(entry)
    found, first, missing = Tally(), Tally(), Tally()
    for code, same in list(by_code.items())[::every]:
        for pattern in QUESTIONS:
            question = pattern.format(code=code)
            answer = answerer.ask(Question(question))
            strangers = (n for n, h in enumerate(answer.hits) if not any(entry.is_in(h) for entry in same))
            before = answer.hits[: next(strangers, len(answer.hits))]
            top = answer.hits[0].chunk if answer.hits else None
            shown = {"question": question, "first": f"{top.document}: {top.heading}" if top else ""}
            for entry in same:
                hit = not answer.refused and any(entry.is_in(h) for h in before)
                found.add(hit, shown | {"document": entry.document, "refused": answer.refused})
            if len(same) == 1:
                first.add(not answer.refused and bool(before), shown | {"document": same[0].document})
    for code in missing_codes[::every]:
        for pattern in QUESTIONS:
            question = pattern.format(code=code)
            answer = answerer.ask(Question(question))
            right = answer.refused and not answer.citations and code in answer.text
            missing.add(right, {"question": question, "answer": answer.text[:200]})
    return {"found": found, "first": first, "missing": missing}


def ingest(folders: Sequence[Path], home: Path) -> None:
    """Ingests the lists as users do.

    Raises:
        LinesideError: the command failed; its last line says why.
    """
    command = [sys.executable, "-m", "assistant", "ingest", *map(str, folders), "--json"]
    done = subprocess.run(
        command, env=os.environ | {"LINESIDE_HOME": str(home)}, capture_output=True, text=True, check=False
    )
    if done.returncode not in {0, 1}:
        raise LinesideError(f"lineside ingest failed: {(done.stderr.strip().splitlines() or ['?'])[-1]}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures as JSON; exit code 1 when one is short of 1."""
    parser = argparse.ArgumentParser(prog="python -m eval.codes", description="Are codes found exactly?")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds zh-faq and alarms")
    parser.add_argument("--home", type=Path, help="a home that holds the lists already, or will")
    parser.add_argument("--every", type=int, default=1, help="ask for each so-manieth code only")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        home = options.home or Path(temporary)
        try:
            lists = [options.data / name for name in FOLDERS]
            entries = [entry for folder in lists for entry in read_entries(folder)]
            folders = sorted({entry.path.parent for entry in entries})
            if not (home / "vectors").exists():
                ingest(folders, home)
            settings = load_settings({**os.environ, "LINESIDE_HOME": str(home)})
            with open_lineside(settings, NoModel()) as lineside:
                missing = next_to(entries, _texts(folders))
                tallies = measure(lineside.answerer, entries, missing, max(1, options.every))
        except LinesideError as problem:
            sys.stderr.write(f"{problem}\n")
            return problem.exit_code
    figures = {name: tally.document() for name, tally in tallies.items()}
    json.dump({"entries": len(entries), **figures}, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")
    return int(any(tally.right < tally.asked for tally in tallies.values()))


def _texts(folders: Sequence[Path]) -> str:
    files = (path for folder in folders for path in sorted(folder.rglob("*.md")))
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)


def _opens_with(heading: str, code: str) -> bool:
    return bool(re.match(rf"\W*{code}(?!\d)", heading))


def _bare(text: str) -> str:
    """Text without what Markdown and typesetting change: marks, spaces, width."""
    return re.sub(r"[\W_]+", "", text).casefold()


if __name__ == "__main__":
    sys.exit(main())
