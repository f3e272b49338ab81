"""Names of AI products in a question, said as what they are where the documents never name them.

Policies mostly speak of "AI tools", people of the product in front of them, and the embedding model is older
than these products: it reads "ChatGPT" as something about chatting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

MEANING = "AI tool"
WHETHER = "Is an AI tool approved that is not on the list?"
"""What is meant by "is DeepSeek allowed?" where no document names it."""
NAMES = re.compile(
    r"\b(?:(?:open\s?ai'?s?|microsoft'?s?|google'?s?|anthropic'?s?|github|ms)\s+)?"
    r"(?P<name>chat\s?gpt|copilot|gemini|claude|perplexity|deepseek|grok|le chat|mistral|qwen|notebooklm|"
    r"midjourney|stable diffusion|elevenlabs|character\.ai|hugging ?face|notion ai|meta ai|otter\.ai|"
    r"fireflies\.ai|grammarly|quillbot|deepl|sora|dall[- ]?e|bard|gpt)"
    r"(?:[- ]?\d+(?:\.\d+)?[a-z]?)?(?=\W|$)",
    re.IGNORECASE,
)
_WHETHER_ONLY = frozenset(
    """
    a about ai allowed also am an any anybody anyone approved are at banned be can company could do does doing
    employees ever fine for forbidden get good have here i if in install is it laptop like may my new not now
    ok okay on or our people permission permitted please policy prohibited rule rules safe say should still
    team that the there think this to tool try use used using want we what what's with work yet you your
    arbeit bei benutzen dürfen darf der die das einsetzen erlaubt hier ich ist kann können man mit nutzen
    sind uns verwenden wir zugelassen
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""Words that, beside the name of a product, only ask whether it may be used."""
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")


def explained(question: str, used: Mapping[str, int]) -> str:
    """`question` with names of AI products replaced by "AI tool", and WHETHER where it only asks whether
    they may be used. `used` counts the documents' words in lower case: a name that stands there is
    kept, since its passages are the ones that are asked for."""

    def say(match: re.Match[str]) -> str:
        words = match.group("name").lower().replace("-", " ").split()
        if all(word in used for word in words) or "".join(words) in used:
            return match.group()
        return MEANING

    said = NAMES.sub(say, question)
    only = said != question and _WHETHER_ONLY.issuperset(_WORD.findall(said.casefold()))
    return WHETHER if only else said


def unnamed(question: str, texts: Sequence[str]) -> list[str]:
    """The AI products that a question names and none of `texts` does, as they are written there."""
    folded = " ".join(texts).casefold()
    names = dict.fromkeys(match.group("name") for match in NAMES.finditer(question))
    return [name for name in names if name.casefold() not in folded]
