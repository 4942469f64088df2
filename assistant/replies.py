"""What Lineside itself says beside the manuals' and the model's words, in both languages."""

from collections.abc import Mapping, Sequence

from assistant.schema import Language

NO_PASSAGES: dict[Language, str] = {
    "en": "No manual held for this machine has a passage on this.",
    "zh": "这台设备的手册中没有相关内容。",
}
NO_CODE: dict[Language, str] = {
    "en": "{codes} is not in the manuals held for {machine}. Nearest codes that are: {nearest}.",
    "zh": "{machine}的现有手册中没有{codes}。手册中最接近的代码：{nearest}。",
}
NO_SUCH_CODE: dict[Language, str] = {
    "en": "{codes} is not in the manuals held for {machine}.",
    "zh": "{machine}的现有手册中没有{codes}。",
}
THIS_MACHINE: dict[Language, str] = {"en": "this plant", "zh": "本厂设备"}
QUOTED_BECAUSE: dict[Language, str] = {
    "en": "These are quotes from the manuals, not a written answer: {reason}.",
    "zh": "以下为手册原文摘录，不是撰写的回答：{reason}。",
}
NOTHING_STOOD: dict[Language, str] = {
    "en": "nothing that the model wrote could be shown in a passage",
    "zh": "模型所写的内容无法在原文中得到证实",
}
MODEL_REFUSED: dict[Language, str] = {
    "en": "the model found no answer in these passages",
    "zh": "模型未能在这些段落中找到答案",
}
OTHER_LANGUAGE: dict[Language, str] = {
    "en": "the model wrote in another language",
    "zh": "模型没有用提问的语言作答",
}
POINTED: dict[Language, str] = {
    "en": "The model chose what comes first; every word is the manuals'.",
    "zh": "由模型选定先后，文字均为手册原文。",
}
POINTED_ELSEWHERE: dict[Language, str] = {
    "en": "the model pointed at less fitting passages",
    "zh": "模型选择了不太相关的段落",
}
MODEL_ABSENT: dict[Language, str] = {"en": "{problem}", "zh": "语言模型暂时不可用"}
REPLACED: dict[Language, str] = {
    "en": "{count} sentence(s) replaced by the manual's own words.",
    "zh": "{count}句已换成手册原文。",
}
WITHHELD: dict[Language, str] = {
    "en": "{count} sentence(s) withheld: no passage shows them.",
    "zh": "已隐去{count}句：原文中没有依据。",
}


def no_code(missing: Mapping[str, Sequence[str]], machine: str | None, language: Language) -> str:
    """That codes are not held, with the nearest that are.

    Args:
        missing: code as typed -> nearest held codes, as written; none where no such code is held.
        machine: as the technician named it; None for the whole plant.
        language: of the question.
    """
    nearest = ", ".join(dict.fromkeys(code for near in missing.values() for code in near))
    held_for = machine or THIS_MACHINE[language]
    said = NO_CODE if nearest else NO_SUCH_CODE
    return said[language].format(codes=", ".join(missing), machine=held_for, nearest=nearest)
