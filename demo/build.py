"""Builds the demonstration plant: its manuals (Typst to PDF) and its records.

    python demo/build.py            build everything into demo/built/
    python demo/build.py --check    verify that the committed files match their sources

The same sources, fonts and versions give the same bytes. `--check` needs neither Typst nor fonts.
"""

import argparse
import hashlib
import importlib.util
import io
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path

DEMO = Path(__file__).resolve().parent
MANUALS = DEMO / "manuals"
BUILT = DEMO / "built"
DIGESTS = BUILT / "SOURCES.sha256"
SOURCE_PATTERNS = ("**/*.py", "**/*.yaml", "manuals/*.typ")
BUILT_PATTERNS = ("manuals/*.pdf", "*.csv")
FONT_PACKAGES = {"font_source_sans_pro": "font-source-sans-pro", "manimgx_fonts_cjk": "manimgx-fonts-cjk"}
SCAN_DPI = 150
EPOCH = 1_577_836_800  # 2020-01-01, so that no build time enters a PDF


@dataclass(frozen=True)
class Manual:
    """One PDF to build: its file name, its Typst source and the inputs given to it."""

    file: str
    source: str
    inputs: dict[str, str] = field(default_factory=dict)


CATALOGUE = (
    Manual("HP-250_hydraulic-press_rev-B.pdf", "press.typ", {"revision": "B"}),
    Manual("HP-250_hydraulic-press_rev-C.pdf", "press.typ", {"revision": "C"}),
    Manual("TL-42_cnc-lathe_rev-A.pdf", "lathe.typ"),
    Manual("SC-75_screw-compressor_rev-A.pdf", "compressor.typ"),
    Manual("BC-800_belt-conveyor_rev-A.pdf", "conveyor.typ"),
    Manual("ZS-160_注塑机_rev-A.pdf", "imm.typ"),
)
SCANS = {"press-certificate": "press-certificate.typ", "lathe-geometry": "lathe-geometry.typ"}


class BuildError(Exception):
    """The build cannot go on; the message says what to do."""


def font_folders() -> list[str]:
    """Returns the folders of the two font packages.

    Raises:
        BuildError: when one of them is not installed.
    """
    folders = []
    for module, package in FONT_PACKAGES.items():
        spec = importlib.util.find_spec(module)
        if spec is None or not spec.submodule_search_locations:
            raise BuildError(f"font package missing: pip install {package}")
        folders.extend(spec.submodule_search_locations)
    return folders


def make_compiler():
    """Returns a Typst compiler that sees the packaged fonts only, never the system's."""
    try:
        import typst
    except ImportError as exc:
        raise BuildError("the Typst compiler is missing: pip install typst") from exc
    fonts = typst.Fonts(include_system_fonts=False, font_paths=font_folders())
    return typst.Compiler(root=DEMO, font_paths=fonts, ignore_system_fonts=True)


def compiled(compiler, source: str, **options):
    """Returns what Typst makes of a file below `manuals/`: PDF bytes, or PNG bytes per page.

    Raises:
        BuildError: when Typst rejects the source; carries its diagnostic.
    """
    import typst

    try:
        return compiler.compile(MANUALS / source, timestamp=EPOCH, **options)
    except typst.TypstError as exc:
        raise BuildError(f"{source}: {exc.diagnostic or exc.message}") from exc


def build_scan(compiler, prefix: str, source: str) -> int:
    """Prints a section to pictures as an office scanner would deliver it: skewed, grey, speckled.

    Args:
        compiler: the Typst compiler.
        prefix: the stem of the files written, `built/scans/<prefix>-<n>.jpg`.
        source: the Typst file of the section, below `manuals/`.

    Returns:
        The number of pages written.
    """
    from PIL import Image, ImageFilter

    pages = compiled(compiler, source, format="png", ppi=SCAN_DPI)
    pages = pages if isinstance(pages, list) else [pages]
    noise = random.Random(prefix)
    for number, data in enumerate(pages, start=1):
        sheet = Image.open(io.BytesIO(data)).convert("L")
        sheet = sheet.rotate(
            noise.uniform(0.2, 0.6) * (-1) ** number, Image.Resampling.BICUBIC, fillcolor=252
        )
        sheet = sheet.filter(ImageFilter.GaussianBlur(0.5)).point(lambda level: 22 + level * 222 // 255)
        for _ in range(350):
            at = noise.randrange(sheet.width), noise.randrange(sheet.height)
            sheet.putpixel(at, noise.randrange(90, 190))
        target = BUILT / "scans" / f"{prefix}-{number}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(target, quality=62)
    return len(pages)


def build_manual(compiler, manual: Manual) -> int:
    """Compiles one manual to `built/manuals/` and returns its page count."""
    import pypdfium2

    target = BUILT / "manuals" / manual.file
    target.parent.mkdir(parents=True, exist_ok=True)
    data = compiled(compiler, manual.source, format="pdf", sys_inputs=manual.inputs)
    target.write_bytes(data)
    return len(pypdfium2.PdfDocument(data))


def digests() -> str:
    """Returns the digest file's text: one `sha256  path` line for each source and built file."""
    sources = {path for pattern in SOURCE_PATTERNS for path in DEMO.glob(pattern)}
    products = {path for pattern in BUILT_PATTERNS for path in BUILT.glob(pattern)}
    lines = []
    for path in [*sorted(sources), *sorted(products)]:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        lines.append(f"{digest}  {path.relative_to(DEMO).as_posix()}\n")
    return "".join(lines)


def check() -> None:
    """Verifies that sources and built files are those of the last build.

    Raises:
        BuildError: naming the files that differ.
    """
    recorded = DIGESTS.read_text(encoding="utf-8") if DIGESTS.exists() else ""
    changed = {
        line.split("  ", 1)[1].strip() for line in set(recorded.splitlines()) ^ set(digests().splitlines())
    }
    if changed:
        raise BuildError(
            f"not built from these sources: {', '.join(sorted(changed))}; run python demo/build.py"
        )


def build_records() -> None:
    """Writes the work orders and the stock list."""
    from stock import write_stock
    from work_orders import write_work_orders

    print(f"{write_work_orders(BUILT):4} work orders")
    print(f"{write_stock(BUILT):4} spare parts in stock")


def build() -> None:
    """Builds scans, manuals and records, and writes the digest file last."""
    compiler = make_compiler()
    for prefix, source in SCANS.items():
        print(f"{build_scan(compiler, prefix, source):4} scanned pages  {prefix}")
    total = 0
    for manual in CATALOGUE:
        pages = build_manual(compiler, manual)
        total += pages
        print(f"{pages:4} pages  {manual.file}")
    print(f"{total:4} pages together")
    build_records()
    DIGESTS.write_text(digests(), encoding="utf-8")


def main() -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Build the demonstration plant into demo/built/.")
    parser.add_argument(
        "--check", action="store_true", help="only verify that the built files match the sources"
    )
    arguments = parser.parse_args()
    try:
        check() if arguments.check else build()
    except BuildError as exc:
        print(exc, file=sys.stderr)
        return 1 if arguments.check else 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
