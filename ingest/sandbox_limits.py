"""What a parser's process may use and do; set by the process itself before it opens the file."""

import ctypes
import os
import resource
import sys
from pathlib import Path

from assistant.errors import DocumentError
from assistant.schema import ParsedFile

# What may be reserved beyond the memory that may be used: the OCR engine reserves twice what it touches, and
# maps libraries and models besides.
RESERVED_MB, MAPPED_MB = 1536, 4096
# Text of one file, and of one paragraph of it: several times the longest manuals.
MAX_CHARACTERS = 30_000_000
MAX_PARAGRAPH = 500_000
_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000
# Audit events (PEP 578) of what a parser has no business with.
_REFUSED = frozenset(
    "socket.connect socket.bind socket.sendto socket.getaddrinfo subprocess.Popen os.system os.exec os.fork"
    " os.forkpty os.posix_spawn os.remove os.rename os.rmdir shutil.rmtree".split()
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def limit_process(memory_mb: int, cpu_s: int) -> None:
    """Limits this process and all it loads; there is no way back.

    Memory: what it reserves; beyond it allocations fail. What it uses is for the parent to watch.
    Files: none can be written. Network: none, by a network namespace of its own where the system permits,
    and for Python code in any case.
    """
    data, space = ((memory_mb + more) * 1024 * 1024 for more in (RESERVED_MB, MAPPED_MB))
    for limit, value in (
        (resource.RLIMIT_DATA, data),
        (resource.RLIMIT_AS, space),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))
    _leave_network()
    sys.addaudithook(_refuse)


def check_text(parsed: ParsedFile, name: str) -> None:
    """Refuses what no document holds, before it reaches the processes that cut and embed it.

    Raises:
        DocumentError: too much text, or a paragraph without end.
    """
    lengths = [len(block.text) for page in parsed.pages for block in page.blocks]
    if max(lengths, default=0) > MAX_PARAGRAPH:
        raise DocumentError(
            f"{name} has a paragraph of {max(lengths):,} characters, which no manual has", "Check the file."
        )
    if sum(lengths) > MAX_CHARACTERS:
        raise DocumentError(f"{name} holds more than {MAX_CHARACTERS:,} characters", "Split it.")


def _leave_network() -> None:
    """A network of its own has no way out. Root needs no new user; others do, where the system lets them."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "unshare"):
        return
    if libc.unshare(_NEW_NETWORK) != 0:
        # Without either, the audit hook below remains.
        libc.unshare(_NEW_NETWORK | _NEW_USER)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event in _REFUSED:
        raise PermissionError(f"A parser may not do this: {event}")
    if event == "open" and len(arguments) == 3 and isinstance(arguments[2], int) and arguments[2] & _WRITING:
        if str(arguments[0]) != os.devnull:
            raise PermissionError(f"A parser may not write {Path(str(arguments[0])).name}")
