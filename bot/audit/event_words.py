"""What people say when something has changed that ends answers early. Statements only: a question about a
withdrawn tool is one for the policies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.audit.expiry import INCIDENT, REORGANISATION, TOOL_WITHDRAWN

MENU = "something changed"
MOST_CHARACTERS = 60

_GONE = r"(?:withdrawn|switched off|taken (?:away|from us)|blocked|no longer (?:allowed|approved|available))"
_TOOL = re.compile(
    r"(?:(?:a |the )?tool (?:was )?withdrawn:? |we (?:no longer have|lost access to|lost|can no longer use"
    r"|may no longer use) )(?P<after>.{2,60})"
    rf"|(?P<before>.{{2,60}}?) (?:was|is|has been|got|were) {_GONE}"
    r"|(?:a|the) tool (?:was|has been) (?:withdrawn|switched off)",
    re.IGNORECASE,
)
_INCIDENT = re.compile(
    r"(?:we had|we have had|we've had|there was|there has been) an? (?:\w+ )?incident"
    r"(?: (?:with|in|about|on|at) (?P<note>.{2,60}))?|incident: (?P<other>.{2,60})",
    re.IGNORECASE,
)
_OURS = r"(?:we|our team|my team|the team|our department|my department|the department)"
_REORGANISED = re.compile(
    rf"{_OURS} (?:were|was|have been|has been|got|are being|is being) "
    r"(?:reorgani[sz]ed|restructured|split(?: up)?|merged)(?: .{1,60})?"
    r"|(?:there was |we had )?(?:a |an )?(?:reorgani[sz]ation|restructuring|reorg)",
    re.IGNORECASE,
)
_CHANGED = re.compile(
    rf"something (?:has |big )?(?:just )?changed(?: (?:here|for us|with us|in {_OURS}))?"
    r"|(?:our|my) answers? (?:no longer holds?|(?:is|are) out of date|(?:is|are) no longer true)"
    r"|what (?:we|i) said (?:no longer holds|is no longer true)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Event:
    """One of the instrument's events, or `MENU` where the words do not say which. `note` names the tool, or
    what the incident was about.
    """

    kind: str
    note: str = ""


def hear_event(text: str) -> Event | None:
    """The event that the whole of `text` tells of."""
    said = " ".join(text.replace("’", "'").split()).strip(" .!")
    if not said or text.strip().endswith("?") or len(said) > 120:
        return None
    if _CHANGED.fullmatch(said):
        return Event(MENU)
    if _REORGANISED.fullmatch(said):
        return Event(REORGANISATION)
    if found := _INCIDENT.fullmatch(said):
        return Event(INCIDENT, (found["note"] or found["other"] or "")[:MOST_CHARACTERS])
    if found := _TOOL.fullmatch(said):
        tool = (found["after"] or found["before"] or "").strip(" .\"'“”")
        return Event(TOOL_WITHDRAWN, "" if tool.lower() in _NO_NAMES else tool)
    return None


_NO_NAMES = frozenset({"it", "a tool", "the tool", "this", "that", "our tool", "one tool"})
