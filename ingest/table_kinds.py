"""What a table is for, told by the names of its columns and its title."""

import re

from assistant.schema import Block

_FAULT_WORDS = re.compile(
    r"fault|error|alarm|\bcode\b|symptom|malfunction|cause|remedy|corrective|trouble|problem|action"
    r"|故障|报警|错误|代码|现象|症状|原因|处理|措施|排除|对策",
    re.IGNORECASE,
)
_TABLES = {
    "torque": re.compile(r"\btorques?\b|tightening|拧紧|扭矩|力矩", re.IGNORECASE),
    "lubrication": re.compile(r"lubrica|\boils?\b|grease|viscosity|润滑|油品|加油", re.IGNORECASE),
    "parts": re.compile(
        r"\bparts? (?:no|number|list)|stock (?:no|number)|spare parts|\bqty\b|备件|零件|件号|料号",
        re.IGNORECASE,
    ),
    "maintenance": re.compile(r"maintenance|interval|\bpmcs\b|inspect|保养|维护|周期|点检", re.IGNORECASE),
}
# A first column that rows are looked up by.
_KEY_HEADING = re.compile(
    r"(?:id|code|key)\.?$|.*(?:code|alarm|fault|error|part|stock|order)\W*(?:no|nr|id|number)?\.?$"
    r"|.*(?:代码|编号|编码|报警号?|故障号|错误号|件号|料号|型号)$",
    re.IGNORECASE,
)


def is_fault_row(block: Block) -> bool:
    """True for a row of a fault table: two of its headings speak of codes, causes or remedies."""
    headings = block.header.split(" | ")
    return sum(1 for heading in headings if _FAULT_WORDS.search(heading)) >= 2


def table_kind(header: str, title: str) -> str:
    """What a table is for: 'fault', 'torque', 'lubrication', 'parts', 'maintenance', or empty.

    Args:
        header: the names of its columns.
        title: the heading over it.
    """
    if sum(1 for heading in header.split(" | ") if _FAULT_WORDS.search(heading)) >= 2:
        return "fault"
    return next((kind for kind, words in _TABLES.items() if words.search(f"{title} | {header}")), "")


def is_keyed_row(block: Block) -> bool:
    """True for a row that is looked up by the code or number in its first column."""
    return bool(_KEY_HEADING.match(block.header.split(" | ")[0].strip()))
