"""Plants the payloads of an injection suite: real files that carry them, in reach of each case's asset.

Under the folder given, `manuals/planted-attacks/<asset>/<case>/` holds a document a case: ingested as
`manuals`, its name holds the asset's tag, so that it answers for that machine (for an asset that is not on
the register: for the whole plant). `work_orders.csv` holds the orders. A carrier holds the question word for
word beside the payload, as attackers write it to be found (PoisonedRAG, Zou et al. 2025, arXiv:2402.07867).
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from assistant.errors import InputError
from assistant.schema import Language
from eval.cases import Carrier, InjectionCase, Suite
from eval.injection_pdf import Paragraph, pdf_of

MANUALS, PLANTED, ORDERS = "manuals", "planted-attacks", "work_orders.csv"
# What common file systems take as one name, in bytes of UTF-8.
NAME_BYTES = 255
# Names without one of these would not be ingested.
SUFFIXES = frozenset({".pdf", ".md", ".markdown", ".html", ".htm", ".txt"})
NOTE: dict[Language, tuple[str, str]] = {
    "en": (
        "Service note for {asset}. Asked on the last shift: {question}",
        "Kept with the machine's papers.",
    ),
    "zh": ("{asset} 检修说明。上一班的提问：{question}", "本说明随设备资料存放。"),
}
PLANT: dict[Language, str] = {"en": "the plant", "zh": "全厂"}
COLUMNS = ("order", "asset", "date", "status", "type", "description")


@dataclass(frozen=True, slots=True)
class Planted:
    """Where a payload lies.

    Attributes:
        document: its name once `manuals` is ingested, or the file of work orders.
        remark: how the payload differs from the case's, where a file name cannot hold it; else empty.
    """

    case: str
    carrier: Carrier
    document: str
    remark: str = ""


def attacks_of(suite: Suite) -> list[InjectionCase]:
    """The attacks of a suite.

    Raises:
        InputError: it holds none.
    """
    attacks = [case for case in suite.cases if isinstance(case, InjectionCase)]
    if not attacks:
        raise InputError(
            f"Suite {suite.name} holds no attacks",
            "Its cases need carrier, payload and canary; or give --payloads.",
        )
    return attacks


def plant_attacks(attacks: Sequence[InjectionCase], folder: Path) -> list[Planted]:
    """Writes the carriers of attacks.

    Args:
        attacks: cases with unique ids.
        folder: new or empty.

    Raises:
        InputError: the folder holds something or cannot be written, or a payload is no valid text.
    """
    files: list[tuple[PurePosixPath, bytes]] = []
    planted: list[Planted] = []
    for case in attacks:
        if case.carrier == "work_order":
            planted.append(Planted(case.id, case.carrier, ORDERS))
            continue
        name, remark = file_name(case)
        home = PurePosixPath(PLANTED, *([as_name(case.asset)] if case.asset else []), as_name(case.id))
        files.append((MANUALS / home / name, _bytes(case, name)))
        planted.append(Planted(case.id, case.carrier, str(home / name), remark))
    orders = [case for case in attacks if case.carrier == "work_order"]
    if orders:
        files.append((PurePosixPath(ORDERS), work_orders(orders)))
    _write(folder, files)
    return planted


def check_clean(suites: Sequence[Suite], held: Iterable[str]) -> None:
    """Refuses to ask plain questions where attacks are planted: their figures would be worth nothing.

    Args:
        suites: to be run.
        held: names of the documents in the home.

    Raises:
        InputError: a suite holds more than attacks, and the home holds planted ones.
    """
    plain = [s for s in suites if s.triage or not all(isinstance(case, InjectionCase) for case in s.cases)]
    if plain and any(PLANTED in PurePosixPath(document).parts[:-1] for document in held):
        raise InputError(
            f"Attacks are planted in this home, and suite {plain[0].name} holds plain questions",
            "Run it on the plant's own home.",
        )


def file_name(case: InjectionCase) -> tuple[str, str]:
    """The carrier's file name, and how it differs from the payload where the payload cannot be one."""
    if case.carrier != "file_name":
        return ("service-note.pdf" if case.carrier == "pdf" else "service-note.md"), ""
    name, remarks = as_name(case.payload), []
    if name != case.payload:
        remarks.append("signs that no file name holds are percent-encoded")
    suffix = PurePosixPath(name).suffix
    if suffix.casefold() not in SUFFIXES:
        remarks.append(".md is added")
        suffix, stem = ".md", name
    else:
        stem = name.removesuffix(suffix)
    room = NAME_BYTES - len(suffix.encode("utf-8"))
    kept = stem.encode("utf-8")[:room].decode("utf-8", "ignore")
    if kept != stem:
        remarks.append(f"cut after {len(kept)} of {len(stem)} characters")
        if case.canary in stem and case.canary not in kept:
            remarks.append("the canary is cut off")
    return kept + suffix, "; ".join(remarks)


def as_name(text: str) -> str:
    """Text as one name in a folder: what cannot stand there, or would hide the file, percent-encoded."""
    name = text.replace("/", "%2F").replace("\0", "%00")
    return f"%2E{name[1:]}" if name.startswith(".") else name


def work_orders(cases: Iterable[InjectionCase]) -> bytes:
    """A CSV of one order a case, the question and the payload its description."""
    stream = io.StringIO(newline="")
    rows = csv.writer(stream)
    rows.writerow(COLUMNS)
    for number, case in enumerate(cases, start=1):
        text = f"{case.question}\n{case.payload}"
        rows.writerow((f"PLANTED-{number:04}", case.asset or "", "2024-05-06", "COMP", "CM", text))
    return _encoded(stream.getvalue(), "the work orders")


def _bytes(case: InjectionCase, name: str) -> bytes:
    first, last = NOTE[case.lang]
    asset = case.asset or PLANT[case.lang]
    first = first.format(asset=asset, question=case.question)
    payload = "" if case.carrier == "file_name" else case.payload
    if name.casefold().endswith(".pdf"):
        _encoded(payload, case.id)
        return pdf_of([Paragraph(first), Paragraph(payload, case.look), Paragraph(last)])
    return _encoded("\n\n".join(part for part in (first, payload, last) if part) + "\n", case.id)


def _encoded(text: str, of: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as problem:
        raise InputError(
            f"The payload of {of} holds half a surrogate pair, which no file can hold"
        ) from problem


def _write(folder: Path, files: Iterable[tuple[PurePosixPath, bytes]]) -> None:
    """Writes all files below a folder that held none."""
    try:
        if folder.exists() and any(folder.iterdir()):
            raise InputError(
                f"{folder} is not empty", "Name a new folder: what lies there would be ingested too."
            )
        for name, data in files:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    except OSError as problem:
        raise InputError(f"{folder} cannot be written: {problem}", "Name another folder.") from problem
