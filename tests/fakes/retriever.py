"""An index without a model: passages are sections, and a passage fits as well as it shares words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.store.tables import Band
from knowledge.bands import Calibration
from knowledge.confirmed import Confirmed
from knowledge.passages import PassageDraft
from knowledge.port import Indexed, Likeness, Ranked

_COMMON = frozenset(
    re.findall(
        r"\w+", "a an and are can do does for how i in is it may of on or the to we what when which who"
    )
)


def _words(text: str) -> set[str]:
    return {word.rstrip("s") for word in re.findall(r"\w+", text.casefold())} - _COMMON


class WordRetriever:
    """A retriever (knowledge.port) that needs no model: half of a question's words in a passage answer it."""

    model = "words"

    def __init__(self) -> None:
        self.held: dict[int, Indexed] = {}
        self.prepared = 0
        self.asked: list[tuple[str, frozenset[int], tuple[str, ...]]] = []

    def prepare(self, title: str, text: str) -> list[PassageDraft]:
        self.prepared += 1
        drafts = []
        for found in re.finditer(r"(?:^#+ (.+)\n+)?((?:(?!^#).*\n?)+)", text, re.M):
            if found[2].strip():
                start = found.start(2)
                path = (found[1],) if found[1] else ()
                drafts.append(PassageDraft(path, found[2].strip("\n"), start, found.end(2), b"\x00" * 4, 1))
        return drafts

    def vectors(self, title: str, heading_path: Sequence[str], text: str) -> tuple[bytes, int]:
        return b"\x00" * 4, 1

    def update(self, added: Sequence[Indexed], removed: Sequence[int]) -> None:
        for number in removed:
            self.held.pop(number, None)
        self.held |= {passage.passage_id: passage for passage in added}

    def search(
        self,
        question: str,
        documents: frozenset[int],
        limit: int,
        earlier: Sequence[str] = (),
        likeness: Likeness | None = None,
    ) -> Ranked:
        self.asked.append((question, documents, tuple(earlier)))
        wanted = _words(" ".join([question, *earlier[-1:]]))
        scores = {
            number: len(wanted & _words(f"{passage.title} {' '.join(passage.heading_path)} {passage.text}"))
            / max(1, len(wanted))
            for number, passage in self.held.items()
            if passage.document_id in documents
        }
        best = sorted(((n, s) for n, s in scores.items() if s > 0), key=lambda hit: (-hit[1], hit[0]))[:limit]
        top = best[0][1] if best else 0.0
        band = Band.ANSWER if top >= 0.6 else Band.CLOSEST if top >= 0.3 else Band.SILENT
        return Ranked(tuple(best), band)

    def settle(self, kept: Calibration | None, pairs: Sequence[Confirmed]) -> Calibration | None:
        return None

    def decisive(self, question: str, passage: str, earlier: Sequence[str] = ()) -> list[str]:
        sentences = [found[0] for found in re.finditer(r"[^\s#][^.!?\n]*[.!?]?", passage)]
        return sorted(sentences, key=lambda sentence: -len(_words(sentence) & _words(question)))
