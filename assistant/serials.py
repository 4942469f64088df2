"""Serial-number ranges: a manual 'for serials 1000-1999' does not hold for machine 2100."""

import re
from dataclasses import dataclass

from assistant.errors import InputError
from assistant.identifiers import fold

_LAST_NUMBER = re.compile(r"^(.*?)(\d+)\D*$")


@dataclass(frozen=True, slots=True)
class SerialRange:
    """Serial numbers from the first to the last, both included; an empty end is open.

    Attributes:
        first: as written on the nameplate, or empty.
        last: likewise.
    """

    first: str = ""
    last: str = ""

    def __str__(self) -> str:
        return f"{self.first}-{self.last}" if self.first or self.last else ""

    def holds(self, serial: str) -> bool:
        """Whether a machine's serial number lies in the range; an unknown serial is never shut out.

        The last run of digits is compared as a number ('SC-0950' lies before 'SC-1000'); what stands before
        it must agree where both carry something there.
        """
        number = _key(serial)
        if number is None:
            return True
        for end, beyond in ((_key(self.first), -1), (_key(self.last), 1)):
            if end is None:
                continue
            if end[0] and number[0] and end[0] != number[0]:
                return False
            if (number[1] - end[1]) * beyond > 0:
                return False
        return True

    def overlaps(self, other: "SerialRange") -> bool:
        """Whether some machine may lie in both ranges."""
        ends = [end for end in (self.first, self.last) if end]
        theirs = [end for end in (other.first, other.last) if end]
        if not ends or not theirs:
            return True
        return any(map(other.holds, ends)) or any(map(self.holds, theirs))


def parse_range(text: str) -> SerialRange:
    """Reads 'FROM-TO', 'FROM-' or '-TO'; serials that hold hyphens themselves are cut in the middle.

    Raises:
        InputError: neither end holds a digit, or the range runs backwards.
    """
    written = fold(text).strip()
    pieces = re.split(r"\s*(?:-|–|—|\.\.|~|至|到)\s*", written)
    if len(pieces) % 2:
        raise _unreadable(text)
    middle = len(pieces) // 2
    found = SerialRange("-".join(pieces[:middle]), "-".join(pieces[middle:]))
    first, last = _key(found.first), _key(found.last)
    if (first is None) != (not found.first) or (last is None) != (not found.last) or not (first or last):
        raise _unreadable(text)
    if first and last and (first[0] != last[0] or first[1] > last[1]):
        raise _unreadable(text)
    return found


def read_range(text: str) -> SerialRange:
    """A range as it was recorded; empty text holds for every serial."""
    return parse_range(text) if text else SerialRange()


def _unreadable(text: str) -> InputError:
    return InputError(
        f"'{text[:60]}' is no range of serial numbers", "Write FROM-TO, such as 1000-1999, FROM- or -TO."
    )


def _key(serial: str) -> tuple[str, int] | None:
    """What stands before the last number, letters and digits only, and that number; None without a number."""
    match = _LAST_NUMBER.match(fold(serial).casefold().strip())
    if not match:
        return None
    return re.sub(r"\W+", "", match.group(1)), int(match.group(2))
