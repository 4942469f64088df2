"""What rows of tables say: faults with causes and remedies, spare parts, values."""

from collections.abc import Iterator

from assistant.language import language_of
from assistant.schema import Chunk, Language
from finetune.fact import Fact
from finetune.rows import ORDINARY, Row, rows_of, without_number

MAX_VALUE = 120


def table_facts(chunk: Chunk) -> Iterator[Fact]:
    """Facts of a table chunk, row by row; a row that describes in both languages answers in both."""
    for row in rows_of(chunk):
        for language in _languages(row):
            yield from _of_row(chunk, _in_language(row, language), language)


def _languages(row: Row) -> tuple[Language, ...]:
    """A row whose descriptions are given in both languages answers in both."""
    spoken = {language_of(cell.text) for cell in row.cells if any(map(str.isalpha, cell.text))}
    headers = language_of(" ".join(cell.header for cell in row.cells))
    if spoken != {"en", "zh"}:
        return ("zh",) if "zh" in spoken or headers == "zh" else ("en",)
    described = {language_of(cell.text) for cell in row.cells if cell.role in {"name", "message", "remedy"}}
    return ("en", "zh") if described == {"en", "zh"} and headers == "en" else (headers,)


def _in_language(row: Row, language: Language) -> Row:
    if len(_languages(row)) == 1:
        return row
    return Row(
        tuple(
            cell
            for cell in row.cells
            if language_of(cell.text) == language or not any(map(str.isalpha, cell.text))
        )
    )


def _of_row(chunk: Chunk, row: Row, language: Language) -> Iterator[Fact]:
    if row.cell("remedy", "cause") and row.cell("code", "symptom", "message"):
        yield from _of_fault(chunk, row, language)
    elif row.cell("part") and row.cell("name"):
        yield from _of_part(chunk, row, language)
    else:
        yield from _of_specification(chunk, row, language)


def _of_fault(chunk: Chunk, row: Row, language: Language) -> Iterator[Fact]:
    code, message = row.cell("code"), row.cell("message", "name", "symptom")
    seen = without_number(message.text if message else "").rstrip(".。")
    names = {"code": code.text if code else "", "message": seen}
    cause, remedy = row.cell("cause"), row.cell("remedy")
    causes, remedies = (cause.items if cause else ()), (remedy.items if remedy else ())
    spoken = "fault" if code else "symptom"
    mend = Fact("fault", f"{spoken}.remedy", language, chunk, names, remedies) if remedies else None
    if causes:
        yield Fact("fault", f"{spoken}.cause", language, chunk, names, _listed(causes, language), mend)
    if mend:
        yield mend
    lines = (*_listed(causes, language), *remedies)
    if lines and seen:
        opening = (_means(code.text, seen, language),) if code else ()
        yield Fact("fault", f"{spoken}.all", language, chunk, names, (*opening, *lines), mend)
        if len(causes) > 1:
            numbered = tuple(f"{n}. {text}" for n, text in enumerate(causes, start=1))
            yield Fact("triage", "triage.all", language, chunk, names, (*numbered, *remedies))
    if code and seen:
        yield Fact(
            "fault", "fault.meaning", language, chunk, names, (_means(code.text, seen, language),), mend
        )


def _of_part(chunk: Chunk, row: Row, language: Language) -> Iterator[Fact]:
    part, name = row.cell("part"), row.cell("name")
    if not part or not name or len(name.text) > MAX_VALUE:
        return
    names = {"key": name.text, "part": part.text}
    number = f"{name.text}：{part.text}" if language == "zh" else f"{name.text}: part number {part.text}"
    yield Fact("part", "part.number", language, chunk, names, (number,))
    named = f"{part.text} 是{name.text}" if language == "zh" else f"{part.text} is {name.text}"
    yield Fact("part", "part.name", language, chunk, names, (named,))


def _of_specification(chunk: Chunk, row: Row, language: Language) -> Iterator[Fact]:
    key = row.cell("name", "symptom", "message") or next(
        (
            cell
            for cell in row.cells
            if cell.role in {ORDINARY, "ordinal", "code"} and not cell.text[:1].isdigit()
        ),
        None,
    )
    if key is None or len(key.text) > MAX_VALUE:
        return
    label = row.cell("ordinal", "code")
    for cell in row.cells:
        if (
            cell is key
            or cell.role not in {ORDINARY, "plain", "quantity", "name"}
            or len(cell.text) > MAX_VALUE
        ):
            continue
        names = {"key": key.text, "column": _spoken(cell.header), "label": label.text if label else ""}
        plain = cell.role == "plain"
        said = _value(key.text, names["column"], cell.text, language, plain)
        group = "specification.plain" if plain else "specification.value"
        yield Fact("specification", group, language, chunk, names, (said,))


def _listed(items: tuple[str, ...], language: Language) -> tuple[str, ...]:
    """Causes as one sentence each, the first saying what they are."""
    if not items:
        return ()
    if language == "zh":
        return (f"可能原因：{'；'.join(items)}",)
    return (f"Possible cause{'s' if len(items) > 1 else ''}: {'; '.join(items)}",)


def _means(code: str, message: str, language: Language) -> str:
    return f"{code}：{message}" if language == "zh" else f"{code}: {message}"


def _value(key: str, column: str, value: str, language: Language, plain: bool) -> str:
    if plain:
        return f"{key}：{value}" if language == "zh" else f"{key}: {value}"
    if language == "zh":
        return f"{key}的{column}：{value}"
    return f"{column[:1].upper()}{column[1:]} for {key}: {value}"


def _spoken(header: str) -> str:
    """A header as it is said: 'Torque', not 'TORQUE'; a unit in brackets stays."""
    return header.casefold() if header.isupper() or header.istitle() or header[:1].isupper() else header
