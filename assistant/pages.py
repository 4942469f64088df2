"""Pictures of a manual's pages, with a cited passage marked."""

import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from assistant.errors import DocumentError, StorageError
from assistant.page_words import narrowed
from assistant.schema import Box

WIDTH_PX = 1400
LONGEST_PX = 4000
CACHED_PICTURES = 2000
# Highlighter yellow, multiplied onto the page: the text below stays as dark as it was printed.
MARK_RGB = (255, 224, 77)
EDGE_RGB = (191, 120, 0)

# PDFium keeps global state: one caller at a time in the whole process.
_PDFIUM = threading.Lock()


class PagePictures:
    """Renders pages of originals to PNG and keeps the pictures on disk by what they show."""

    def __init__(self, cache: Path) -> None:
        """Keeps pictures in a folder that is made when first needed and may be deleted at any time."""
        self._cache = cache

    def picture(
        self,
        original: Path,
        digest: str,
        page: int,
        boxes: Sequence[Box] = (),
        texts: Sequence[str] = (),
    ) -> bytes:
        """The page as PNG bytes, 1400 pixels wide (less for very long pages).

        Args:
            original: a PDF file.
            digest: hash of the file's bytes, the key in the cache.
            page: 1-based page of the file.
            boxes: what to mark; boxes of other pages are left out.
            texts: what is quoted from there; the marks shrink to it where the page's text shows it.

        Raises:
            DocumentError: the file has no such page, or it cannot be drawn.
            StorageError: the picture cannot be kept.
        """
        passage = [box for box in boxes if box.page == page]
        key = hashlib.sha256(repr((page, WIDTH_PX, passage, *texts)).encode()).hexdigest()
        kept = self._cache / digest / f"{key}.png"
        with suppress(FileNotFoundError):
            return kept.read_bytes()
        image, marks = _render(original, page, passage, texts)
        for box in marks:
            _mark(image, box)
        return self._keep(image, kept)

    def forget(self, digest: str) -> None:
        """Removes every picture of a file.

        Raises:
            StorageError: the disk refuses.
        """
        try:
            shutil.rmtree(self._cache / digest)
        except FileNotFoundError:
            return
        except OSError as problem:
            raise StorageError(f"Page pictures cannot be removed: {problem}") from problem

    def _keep(self, image: Any, target: Path) -> bytes:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, partial = tempfile.mkstemp(dir=target.parent, suffix=".part")
            with os.fdopen(handle, "wb") as stream:
                image.save(stream, format="PNG", compress_level=4)
            Path(partial).replace(target)
            self._forget_oldest()
            return target.read_bytes()
        except OSError as problem:
            raise StorageError(f"A page picture cannot be kept: {problem}", "Free disk space.") from problem

    def _forget_oldest(self) -> None:
        pictures = list(self._cache.glob("*/*.png"))
        if len(pictures) > CACHED_PICTURES:
            pictures.sort(key=lambda path: path.stat().st_mtime)
            for path in pictures[: CACHED_PICTURES // 10]:
                path.unlink(missing_ok=True)


def _render(original: Path, page: int, passage: Sequence[Box], texts: Sequence[str]) -> tuple[Any, list[Box]]:
    """The page's picture, and what is to be marked on it."""
    import pypdfium2

    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(original)
        except pypdfium2.PdfiumError as problem:
            raise DocumentError(f"{original.name} cannot be drawn: {problem}") from problem
        try:
            if not 1 <= page <= len(document):
                raise DocumentError(f"There is no page {page}", f"The file has pages 1 to {len(document)}.")
            sheet = document[page - 1]
            width, height = sheet.get_size()
            scale = min(WIDTH_PX / max(width, 1), LONGEST_PX / max(height, 1))
            picture = sheet.render(scale=scale).to_pil().convert("RGB")
            return picture, narrowed(sheet, page, passage, texts)
        except pypdfium2.PdfiumError as problem:
            raise DocumentError(f"Page {page} cannot be drawn: {problem}") from problem
        finally:
            document.close()


def _mark(image: Any, box: Box) -> None:
    from PIL import Image, ImageChops, ImageDraw

    pad = 6
    left, top = int(box.x0 * image.width) - pad, int(box.y0 * image.height) - pad
    right, bottom = int(box.x1 * image.width) + pad, int(box.y1 * image.height) + pad
    area = (max(left, 0), max(top, 0), min(right, image.width), min(bottom, image.height))
    if area[0] >= area[2] or area[1] >= area[3]:
        return
    part = image.crop(area)
    image.paste(ImageChops.multiply(part, Image.new("RGB", part.size, MARK_RGB)), area)
    # An edge bar besides the colour, for those who cannot tell the yellow apart.
    ImageDraw.Draw(image).rectangle((area[0], area[1], area[0] + 5, area[3]), fill=EDGE_RGB)
