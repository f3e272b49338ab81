"""`/stagecoach` and its subcommands: each stands for words that can be said as well."""

from __future__ import annotations

from dataclasses import dataclass

ON_ITS_WAY = "I'll answer you in our direct message."

_WORDS = {
    "audit": "start audit",
    "queue": "my queue",
    "questions": "my questions",
    "digest": "Show the latest digest",
    "coverage": "coverage",
    "steps": "next steps",
    "pause": "pause all",
    "resume": "resume nudges",
    "hello": "hello",
}

HELP = (
    "*What /stagecoach can do*\n"
    "`/stagecoach ask …` a question to the policies\n"
    "`/stagecoach audit` start or continue your team's audit\n"
    "`/stagecoach coverage` how much of the everyday work AI does\n"
    "`/stagecoach steps` your next steps\n"
    "`/stagecoach questions` what you sent to policy owners\n"
    "`/stagecoach queue` questions that wait for you\n"
    "`/stagecoach digest` the latest weekly digest\n"
    "`/stagecoach pause` no messages from me unless you ask\n"
    "Or just write to me: I understand plain sentences."
)


@dataclass(frozen=True)
class Said:
    """What a command stands for. `text` is None where `note` says everything there is to say."""

    note: str
    text: str | None = None


def command(text: str) -> Said:
    """The words that a subcommand stands for. What is no subcommand is a question."""
    name, _, rest = text.strip().partition(" ")
    name, rest = name.lower(), rest.strip()
    if name in ("", "help", "?"):
        return Said(HELP)
    if name == "ask":
        return Said(ON_ITS_WAY, rest) if rest else Said("What would you like to know? `/stagecoach ask …`")
    if name in _WORDS and not rest:
        return Said(ON_ITS_WAY, _WORDS[name])
    return Said(ON_ITS_WAY, text.strip())
