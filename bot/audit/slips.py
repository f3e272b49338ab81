"""Slips of the finger in the few words that steer a sitting: "pasue", "resum", "the scond one"."""

from __future__ import annotations

_STEERING = (
    "pause",
    "resume",
    "continue",
    "neither",
    "cancel",
    "previous",
    "first",
    "second",
    "third",
    "fourth",
)
_SHORTEST = 5
"""Shorter words are too easily another word."""


def mended(words: str) -> str:
    """`words`, in small letters, with every word that is one slip away from a steering word put right."""
    return " ".join(_mend(word) for word in words.split())


def _mend(word: str) -> str:
    if len(word) < _SHORTEST or word in _STEERING:
        return word
    return next((known for known in _STEERING if _one_slip(word, known)), word)


def _one_slip(word: str, known: str) -> bool:
    """Whether one letter after the first is missing, added or wrong, or two neighbours are swapped."""
    if word[0] != known[0] or abs(len(word) - len(known)) > 1:
        return False
    if len(word) > len(known):
        word, known = known, word
    at = next((n for n, letter in enumerate(word) if letter != known[n]), len(word))
    if len(word) < len(known):
        return word[at:] == known[at + 1 :]
    swapped = known[at : at + 2][::-1] + known[at + 2 :]
    return word[at + 1 :] == known[at + 1 :] or word[at:] == swapped
