"""Slips of the pen in a question, mended where one letter makes a word that the documents use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

_SHORTEST = 4  # letters; shorter words have too many neighbours
_WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
_ENDINGS = ("s", "es", "ed", "d", "er", "ers", "ing", "ings", "ly", "able")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def mended(text: str, used: Mapping[str, int], is_word: Callable[[str], bool]) -> str:
    """`text` with unknown words replaced by the documents' most frequent word that is one slip away.

    `used` counts the documents' words in lower case, `is_word` knows words of the language in general. A
    word with a capital inside a sentence is taken for a name and left alone.
    """

    def mend(match: re.Match[str]) -> str:
        word = match.group()
        plain = word.lower()
        is_name = match.start() > 0 and word != plain
        if len(word) < _SHORTEST or is_name or not word.isalpha() or _known(plain, used, is_word):
            return word
        # Slips hardly ever hit the first letter; the commonest ones double, halve or swap letters.
        near = {other for other in _one_slip(plain) if other[:1] == plain[0]}
        near = {other for other in near if other in used or is_word(other)}
        return max(near, key=lambda o: (set(o) == set(plain), used.get(o, 0), o), default=word)

    return _WORD.sub(mend, text)


def _known(word: str, used: Mapping[str, int], is_word: Callable[[str], bool]) -> bool:
    """Whether a word, or what is left of it without an ending, is one."""
    stems = [word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending)]
    stems += [stem + "e" for stem in stems]
    return any(w in used or is_word(w) for w in (word, *(s for s in stems if len(s) >= _SHORTEST)))


def _one_slip(word: str) -> Iterator[str]:
    """Every string that one deletion, swap, replacement or insertion of a letter makes of `word`."""
    for n in range(len(word) + 1):
        head, tail = word[:n], word[n:]
        if tail:
            yield head + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        for letter in _LETTERS:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]
