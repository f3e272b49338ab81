"""Messages made of what people might type to mention, link or break something; the same for the same seed.

Made without hypothesis, for the long form: hypothesis keeps every choice of every example in memory, and a
message holds thousands of them.
"""

from __future__ import annotations

import random

from bot.messages import Chart, Choice, Citation, Message, Progress, Series, Table

PIECES = (
    "<@U0BOT>", "<!channel>", "<!here|here>", "<#C1|general>", "<https://evil.example|our policy>",
    "@channel", "@here", "https://evil.example/x", "[text](https://evil.example)", "![](https://evil.example/i)",
    "*bold*", "_it_", "~no~", "`code`", "```", "> quote", "- item", "1. one", "**", "__", "\\", ":tada:",
    "&amp;", "&lt;@U1&gt;", "<script>", "\u202e", "\u200b", "\x00", "\ud800", "\r\n", "\n\n", "\t",
    "😀", "عربي",
    "mailto:a@b.example", "<mailto:a@b.example|x>", "<!date^1^{date}^https://evil.example|x>",
    "<img src=x onerror=alert(1)>", '" onmouseover="x', "</td></table>", "&#60;b&#62;", "javascript:x()",
)  # fmt: skip
_LETTERS = "abc xyzÄß 0123.,;:!?'\"()[]{}<>&|/\\#*_~`-=+\n\t\x1f\u2028\ufeff漢字🧭"
_KINDS = ("text", "question", "result", "answer", "nudge", "digest", "notice")
_NAMED = ("skip", "later", "hand", "edit", "pause", "na", "why", "b0", "not_sure")


class Nasty:
    """Draws texts and messages, one after the other."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311

    def text(self, most: int = 12) -> str:
        """Up to `most` pieces and scraps of letters, which may be nothing at all."""
        chance = self._chance
        return " ".join(
            chance.choice(PIECES) if chance.random() < 0.6 else self._scrap()
            for _ in range(chance.randint(0, most))
        )

    def _scrap(self) -> str:
        return "".join(self._chance.choices(_LETTERS, k=self._chance.randint(0, 40)))

    def message(self) -> Message:
        """A whole message, with whatever a message may hold; one in fifty is far too long."""
        chance = self._chance
        text = self.text() * (chance.randint(2, 400) if chance.random() < 0.02 else 1)
        choices = tuple(self._choice(number) for number in range(self._few(60)))
        return Message(
            kind=chance.choice(_KINDS),
            text=text,
            choices=choices,
            citations=tuple(self._citation() for _ in range(self._few(8))),
            table=self._table() if chance.random() < 0.3 else None,
            chart=self._chart() if chance.random() < 0.3 else None,
            progress=Progress(done=1, total=4, minutes=2) if chance.random() < 0.3 else None,
            answer_id=7 if chance.random() < 0.3 else None,
            written_by_model=chance.random() < 0.5,
            input_hint=self.text(3) if chance.random() < 0.3 else None,
        )

    def _few(self, most: int) -> int:
        """Most often a handful, now and then as many as there may be."""
        chance = self._chance
        return chance.randint(0, most) if chance.random() < 0.2 else chance.randint(0, min(most, 6))

    def _choice(self, number: int) -> Choice:
        chance = self._chance
        what = chance.choice(_NAMED) if chance.random() < 0.5 else "".join(self._scrap().split())
        return Choice(
            id=f"audit:1:{number}:WE-1.{what}"[:255] + ("x" * 150 if chance.random() < 0.05 else ""),
            label=self.text(4) or "…",
            style=chance.choice(("default", "default", "primary", "danger")),
        )

    def _citation(self) -> Citation:
        return Citation(
            document=self.text(3), section=self.text(3), version=self._chance.randint(1, 9),
            quote=self.text(), passage_id=1, owner=self.text(2),
        )  # fmt: skip

    def _table(self) -> Table:
        width, height = self._chance.randint(1, 24), self._few(120)
        row = tuple(self.text(3) for _ in range(width))
        return Table(
            caption=self.text(4),
            columns=row,
            rows=tuple(row if one else tuple(self.text(3) for _ in range(width)) for one in range(height)),
        )

    def _chart(self) -> Chart:
        labels = tuple(self.text(2) for _ in range(self._few(25)))
        return Chart(
            kind=self._chance.choice(("line", "bar", "map")), title=self.text(4), alt=self.text(),
            labels=labels,
            series=tuple(self._series(len(labels)) for _ in range(self._few(8))),
            unit=self._chance.choice(("%", "")),
        )  # fmt: skip

    def _series(self, length: int) -> Series:
        def column() -> tuple[float | None, ...]:
            return tuple(self._chance.choice((None, self._chance.random())) for _ in range(length))

        return Series(name=self.text(2), values=column(), low=column(), high=column())
