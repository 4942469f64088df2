"""Signal words of safety notices: those of ANSI Z535.6 and their Chinese counterparts (GB 2894)."""

from typing import get_args

from assistant.schema import SignalWord

SIGNALS: dict[str, SignalWord] = {
    "DANGER": "DANGER",
    "WARNING": "WARNING",
    "CAUTION": "CAUTION",
    "NOTICE": "NOTICE",
    "危险": "DANGER",
    "警告": "WARNING",
    "小心": "CAUTION",
    "当心": "CAUTION",
    "注意": "NOTICE",
}
# Gravest first: death or serious injury will, then could follow; lesser injury; damage only.
GRAVITY: tuple[SignalWord, ...] = get_args(SignalWord)
