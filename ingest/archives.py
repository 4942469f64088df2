"""Files that are ZIP archives (DOCX, XLSX): what kind they are, and a check before anything is unpacked."""

import zipfile
from pathlib import Path

from assistant.errors import DocumentError

MAX_PARTS = 10_000
# Unpacked, without the pictures, which are never read.
MAX_UNPACKED_MB = 200
# XML packs about 20 times, in extreme tables 100 times; bombs pack 1,000 times.
MAX_RATIO = 250
SMALL = 1_000_000


def check_archive(path: Path) -> frozenset[str]:
    """Refuses archives that would unpack to more than a document can be.

    The sizes come from the archive's directory; zipfile never unpacks more of a part than stands there.

    Returns:
        The names of its parts.

    Raises:
        DocumentError: damaged, encrypted, or a bomb.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as problem:
        raise DocumentError(
            f"{path.name} is damaged: its archive cannot be opened", "Save it anew."
        ) from problem
    if len(parts) > MAX_PARTS:
        raise DocumentError(f"{path.name} holds {len(parts):,} parts, more than a document has")
    if any(part.flag_bits & 1 for part in parts):
        raise DocumentError(f"{path.name} is protected by a password", "Save a copy without it.")
    size = sum(part.file_size for part in parts if "media/" not in part.filename)
    if size > MAX_UNPACKED_MB * 1_000_000:
        raise DocumentError(
            f"{path.name} unpacks to {size // 1_000_000:,} MB, more than {MAX_UNPACKED_MB} MB", "Split it."
        )
    for part in parts:
        if part.file_size > SMALL and part.file_size > MAX_RATIO * max(1, part.compress_size):
            raise DocumentError(f"{path.name} is packed like a bomb: {part.filename} grows too much")
    return frozenset(part.filename for part in parts)
