"""Reading a JSON document strictly: every fault is remembered with its place, and nothing is guessed.

A `Reading` goes over the whole document before it refuses, so that a person mends a file once and not
fault by fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite

from bot.errors import Fault, InputError

_LONGEST_SHOWN = 10**30


class Reading:
    """One pass over a document. Each method returns None where the value can't be used and notes why.

    `where` is the place as a path with 0-based indices, such as `tasks[3]`; `field` the name in there.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(self, where: str, field: str, problem: str) -> None:
        """Note that `field` at `where` can't be used; `problem` says what would be right."""
        self.faults.append(Fault(where, field, problem))

    def finish(self, summary: str) -> None:
        """Refuse the document with InputError if anything was noted."""
        if self.faults:
            raise InputError(summary, self.faults)

    def record(
        self, value: object, where: str, required: Iterable[str], optional: Iterable[str] = ()
    ) -> Mapping[str, object] | None:
        """A JSON object that has all `required` fields and no field that nobody reads."""
        if not isinstance(value, dict):
            self.fault(where, "", f"is {_kind(value)}; an object with named fields is needed")
            return None
        needed = list(required)
        known = list(dict.fromkeys([*needed, *optional]))
        for name in needed:
            if name not in value:
                self.fault(where, name, "is missing")
        for name in value:
            if name not in known:
                self.fault(where, str(name), f"is not a known field; known are {', '.join(known)}")
        return value

    def rows(self, value: object, field: str) -> list[object]:
        """A JSON list; anything else counts as an empty one."""
        if isinstance(value, list):
            return value
        self.fault("", field, f"is {_kind(value)}; a list is needed")
        return []

    def text(self, value: object, where: str, field: str) -> str | None:
        """A string with something in it."""
        if isinstance(value, str) and value.strip():
            return value
        self.fault(where, field, f"is {_kind(value)}; a text that is not empty is needed")
        return None

    def flag(self, value: object, where: str, field: str) -> bool | None:
        """true or false."""
        if isinstance(value, bool):
            return value
        self.fault(where, field, f"is {_kind(value)}; true or false is needed")
        return None

    def choice(self, value: object, where: str, field: str, allowed: Iterable[str]) -> str | None:
        """One of `allowed`, spelled exactly so."""
        known = list(allowed)
        if isinstance(value, str) and value in known:
            return value
        self.fault(where, field, f"is {_kind(value)}; allowed are {', '.join(known)}")
        return None

    def number(self, value: object, where: str, field: str, highest: float) -> float | None:
        """A finite number from 0 to `highest`."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.fault(where, field, f"is {_kind(value)}; a number is needed")
        elif not (isinstance(value, int) or isfinite(value)) or not 0 <= value <= highest:
            self.fault(where, field, f"is {_kind(value)}; a number from 0 to {highest:,.0f} is needed")
        else:
            return float(value)
        return None

    def whole(self, value: object, where: str, field: str, highest: int) -> int | None:
        """A whole number from 0 to `highest`; 7.0 is one, 7.5 and true are none."""
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value in range(highest + 1):
            return int(value)
        self.fault(where, field, f"is {_kind(value)}; a whole number from 0 to {highest} is needed")
        return None


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and abs(value) > _LONGEST_SHOWN:
        return "a number far too large"
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
