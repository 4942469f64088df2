"""Which of the two languages a text is in, and where its sentences end."""

import re

from assistant.schema import Language

_CHINESE = re.compile(r"[\u3400-\u9fff]")
# Hiragana and katakana without the marks that Chinese borrows (・ and ー).
_KANA = re.compile(r"[\u3041-\u309f\u30a1-\u30fa]")
_MARKS = r"(?:\s*[\[【]\d{1,2}[\]】])*"
# Where a sentence ends, together with the markers [n] that follow it; Chinese needs no blank after its stop.
_END = re.compile(rf"[。！？；]{_MARKS}|[.!?][\"')]*{_MARKS}(?=\s+[A-Z\u3400-\u9fff(\"'*\-•\d])|\n+")
# A sentence does not end after these, nor after a step number such as '2.'.
_ABBREVIATION = re.compile(
    r"(?:\b(?:no|nos|fig|approx|e\.g|i\.e|max|min|ref|para|vs|dia|qty)|(?:^|\s)\d{1,2})\.$", re.IGNORECASE
)


def language_of(text: str) -> Language:
    """'zh' when a text holds Chinese characters worth a sixth of its letters, else 'en'.

    Japanese writes with Chinese characters too, between its own letters; its readers are answered in English.
    """
    chinese = len(_CHINESE.findall(text))
    if len(_KANA.findall(text)) * 3 > chinese:
        return "en"
    letters = sum(character.isalpha() for character in text)
    return "zh" if chinese and chinese * 6 >= letters else "en"


def sentences(text: str) -> list[str]:
    """A text cut into sentences and lines, without empty ones; a marker [n] stays with what it follows."""
    return [text[start:end] for start, end in sentence_spans(text)]


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Where the sentences of a text begin and end, as offsets in it, without the blanks around them."""
    spans: list[tuple[int, int]] = []
    start = 0
    for end in [*(match.end() for match in _END.finditer(text)), len(text)]:
        raw = text[start:end]
        piece = raw.strip()
        if piece and _ABBREVIATION.search(piece) and "\n" not in raw and end < len(text):
            continue
        if piece:
            begin = start + len(raw) - len(raw.lstrip())
            spans.append((begin, begin + len(piece)))
        start = end
    return spans
