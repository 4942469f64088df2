"""Which column of a work-order file holds what: presets of common systems, a file, or a guess."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from assistant.errors import InputError

FIELDS = (
    "order",
    "asset",
    "model",
    "date",
    "status",
    "type",
    "description",
    "problem",
    "cause",
    "remedy",
    "parts",
)
TEXT_FIELDS = ("description", "problem", "cause", "remedy", "parts")

PRESETS: dict[str, dict[str, str]] = {
    "maximo": {
        "order": "WONUM",
        "description": "DESCRIPTION",
        "asset": "ASSETNUM",
        "status": "STATUS",
        "type": "WORKTYPE",
        "date": "REPORTDATE",
        "problem": "PROBLEMCODE",
        "cause": "CAUSE",
        "remedy": "REMEDY",
    },
    "sap-pm": {
        "order": "AUFNR",
        "description": "QMTXT",
        "asset": "EQUNR",
        "type": "QMART",
        "date": "QMDAT",
        "problem": "FECOD",
        "cause": "URCOD",
        "parts": "OTEIL",
    },
    "upkeep": {
        "order": "id",
        "description": "title",
        "problem": "description",
        "asset": "assetId",
        "status": "status",
        "type": "category",
        "date": "createdAt",
    },
    "maintainx": {
        "order": "id",
        "description": "title",
        "problem": "description",
        "asset": "assetId",
        "status": "status",
        "type": "categories",
        "date": "dueDate",
        "remedy": "completionNotes",
    },
    "fiix": {
        "order": "code",
        "description": "description",
        "asset": "asset",
        "status": "status",
        "date": "dates",
    },
}
# Without these a preset does not fit; its other columns may be missing from an export.
PRESET_NEEDS = ("order", "description")

# Our field -> headings met in exports and spreadsheets, squeezed to letters and digits, best first.
_HEADINGS: dict[str, tuple[str, ...]] = {
    "order": (
        *("wonum", "aufnr", "woid", "workorder", "workorderno", "workordernumber", "workorderid", "wono"),
        *("order", "orderno", "ordernumber", "orderid", "ticket", "ticketno", "ticketid", "jobno", "qmnum"),
        *("工单号", "工单编号", "维修单号", "工单", "单号", "编号", "id", "code"),
    ),
    "asset": (
        *("assetnum", "assettag", "assetid", "asset", "equipmentid", "equipmentno", "equipment", "equnr"),
        *(
            "machineid",
            "machine",
            "machineno",
            "tag",
            "unit",
            "设备编号",
            "设备号",
            "设备",
            "机台",
            "资产编号",
            "资产",
        ),
    ),
    "model": ("model", "assetmodel", "machinemodel", "equipmentmodel", "型号", "设备型号"),
    "date": (
        *("reportdate", "date", "reported", "reportedon", "created", "createdat", "opened", "startdate"),
        *(
            "bscstartdate",
            "actstart",
            "actualfinish",
            "actfinish",
            "qmdat",
            "日期",
            "报修日期",
            "报修时间",
            "时间",
        ),
        *("completedat", "closed", "duedate"),
    ),
    "status": ("status", "state", "wostatus", "状态", "工单状态"),
    "type": ("worktype", "type", "wotype", "pmtype", "qmart", "category", "类型", "工单类型", "维修类型"),
    "description": (
        *("description", "shorttext", "originalshorttext", "wodescription", "qmtxt", "title", "summary"),
        *("text", "subject", "工单描述", "描述", "故障描述", "简述", "标题", "内容"),
    ),
    "problem": (
        *("problem", "problemcode", "symptom", "symptoms", "failure", "failuremode", "fault", "faultcode"),
        *("failurecode", "fecod", "complaint", "observed", "故障现象", "现象", "问题", "故障", "故障代码"),
    ),
    "cause": ("cause", "rootcause", "causecode", "urcod", "reason", "原因", "故障原因", "根本原因"),
    "remedy": (
        *("remedy", "action", "actiontaken", "actions", "resolution", "solution", "workdone", "fix"),
        *(
            "completionnotes",
            "correctiveaction",
            "notes",
            "处理",
            "处理方法",
            "处理措施",
            "维修措施",
            "解决方法",
        ),
    ),
    "parts": (
        "parts",
        "partsused",
        "part",
        "material",
        "materials",
        "spares",
        "oteil",
        "备件",
        "更换备件",
        "零件",
    ),
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Our fields and the columns that hold them; fields without a column are absent."""

    of: Mapping[str, str]


def choose_columns(mapping: str | None, headings: Sequence[str], name: str) -> Columns:
    """Settles the columns of a file before anything is read from it.

    Args:
        mapping: name of a preset, path of a YAML or JSON file {our field: column}, or None to guess.
        headings: the file's column names.
        name: of the file, for messages.

    Raises:
        InputError: the mapping is unknown or faulty, or the columns it needs are not in the file; one line
            names the missing and the found.
    """
    if mapping is None:
        return _guessed(headings, name)
    if mapping.casefold() in PRESETS:
        wanted = PRESETS[mapping.casefold()]
        needed = {wanted[field] for field in PRESET_NEEDS}
    else:
        wanted = _from_file(Path(mapping))
        needed = set(wanted.values())
    by_name = {heading.strip().casefold(): heading for heading in headings}
    missing = sorted(column for column in needed if column.strip().casefold() not in by_name)
    if missing:
        raise InputError(
            f"{name} lacks the mapped column{'s' if len(missing) > 1 else ''} {', '.join(missing)}",
            f"It has: {', '.join(headings)}. Correct --mapping.",
        )
    pairs = ((field, by_name.get(column.strip().casefold())) for field, column in wanted.items())
    return Columns({field: column for field, column in pairs if column is not None})


def _from_file(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise InputError(
            f"--mapping {path} is neither a preset nor a file",
            f"Presets: {', '.join(PRESETS)}; or a YAML or JSON file {{our field: column}}.",
        )
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text) if path.suffix.lower() == ".json" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as problem:
        raise InputError(f"{path} is not valid YAML or JSON: {str(problem).splitlines()[0]}") from problem
    if not isinstance(data, dict) or not data:
        raise InputError(f"{path} holds no mapping", "It needs lines such as 'order: WONUM'.")
    unknown = sorted(set(map(str, data)) - set(FIELDS))
    if unknown:
        raise InputError(
            f"{path} maps unknown field{'s' if len(unknown) > 1 else ''} {', '.join(unknown)}",
            f"Known: {', '.join(FIELDS)}.",
        )
    wanted = {str(field): str(column) for field, column in data.items() if column is not None}
    if not any(field in wanted for field in ("description", "problem")):
        raise InputError(f"{path} maps no text", "Map 'description' or 'problem' to a column.")
    return wanted


def _guessed(headings: Sequence[str], name: str) -> Columns:
    free = {_squeezed(heading): heading for heading in reversed(headings)}
    chosen: dict[str, str] = {}
    for field, names in _HEADINGS.items():
        found = next((n for n in names if n in free), None)
        if found is not None:
            chosen[field] = free.pop(found)
    if "description" not in chosen and "problem" in chosen:
        chosen["description"] = chosen.pop("problem")
    told = [f for f in ("order", "asset", "date") if f in chosen]
    if "description" not in chosen or not told:
        lacking = "description" if "description" not in chosen else "order, asset or date"
        raise InputError(
            f"{name} has no column that looks like {lacking}",
            f"It has: {', '.join(headings)}. Name them with --mapping (presets: {', '.join(PRESETS)}).",
        )
    return Columns(chosen)


def _squeezed(heading: str) -> str:
    return re.sub(r"[\W_]+", "", heading.casefold())
