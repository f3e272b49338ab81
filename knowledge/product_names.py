"""Names of AI products in a question, said as what they are where the documents never name them.

Policies mostly speak of "AI tools", people of the product in front of them, and the embedding model is older
than these products: it reads "ChatGPT" as something about chatting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

MEANING = "AI tool"
_NAMES = re.compile(
    r"\b(?:(?:open\s?ai'?s?|microsoft'?s?|google'?s?|anthropic'?s?|github|ms)\s+)?"
    r"(?P<name>chat\s?gpt|copilot|gemini|claude|perplexity|deepseek|grok|le chat|notebooklm|midjourney|"
    r"dall[- ]?e|bard|gpt)(?:[- ]?\d+(?:\.\d+)?[a-z]?)?(?=\W|$)",
    re.IGNORECASE,
)


def explained(question: str, used: Mapping[str, int]) -> str:
    """`question` with names of AI products replaced by "AI tool". `used` counts the documents' words in lower
    case: a name that stands there is kept, since its passages are the ones that are asked for."""

    def say(match: re.Match[str]) -> str:
        words = match.group("name").lower().replace("-", " ").split()
        if all(word in used for word in words) or "".join(words) in used:
            return match.group()
        return MEANING

    return _NAMES.sub(say, question)


def unnamed(question: str, texts: Sequence[str]) -> list[str]:
    """The AI products that a question names and none of `texts` does, as they are written there."""
    folded = " ".join(texts).casefold()
    names = dict.fromkeys(match.group("name") for match in _NAMES.finditer(question))
    return [name for name in names if name.casefold() not in folded]
