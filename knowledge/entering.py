"""Whether something may be given to an AI tool: what every employee asks first, each about other data and
another product. Policies hardly name either. They say which kinds of data may go into AI tools, and which
never; so that rule is looked for where the question by itself finds no answer.
"""

from __future__ import annotations

import re

from knowledge.product_names import NAMES

WHICH = "Which data may be entered into an AI tool?"
_NEVER = "Which data must never be entered into AI tools?"
_OF_KIND = "May {} be entered into an AI tool?"

_TOOL = re.compile(
    rf"(?:{NAMES.pattern}|\b(?:(?:generative )?ai|llms?|(?:large )?language models?|chat ?bots?|"
    r"assistants?|sprachmodelle?n?|ki(?:-?(?:tool|assistent|werkzeug|system|chatbot)\w*)?)\b)"
    r"(?: (?:tools?|assistants?|systems?|chat ?bots?|bots?|models?|services?|apps?|platforms?|prompts?)\b)?",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"(?:^|.*[,.;:!?] *|.*\b(?:and|but|so|if|whether) )(?:can|could|may|should|shall|might|must|am i|"
    r"are (?:we|they|you)|is|are|what|which|allowed to|"
    r"darf|dürfen|kann|können|soll|sollte|ist es|welche|was)\b"
    r"(?! (?:my|the|our) (?:boss|manager|lead|employer|company)\b)(?P<asked>.*)"
)
_ARTICLE = r"(?:(?:an?|the|any|some|our|my|own|public|free|online|private|personal|approved|external) )*"
_ENTER = (
    r"(?:put|paste|copy|enter|type|upload|feed|load|drop|input|submit|send|share|give|add|insert|process|use|"
    r"show|run)"
)
_ENTERED = (
    r"(?:put|pasted|copied|entered|typed|uploaded|fed|loaded|shared|given|added|processed|used|go|allowed|"
    r"permitted)"
)
_BEHIND = (
    r"(?= *(?:$|[?.,;:!)]|(?:to|for|so|when|if|and|or|at|that|without|as|please|here|now|during|under|from)"
    r"\b))"
)
_USED_ON = (
    r"(?:with|on|for|(?:to )?(?:read|summari[sz]e|translate|analy[sz]e|process|check|work with))\b"
    r"(?P<what>.+)"
)
_IN_GERMAN = (
    r"(?:ein(?:e|em|en|er)? |de[mnr] |die |das |unser\w* |extern\w* )*§.*\b"
    r"(?:ein(?:ge)?(?:geben|fügen|tippen)|eingefügt|hochladen|hochgeladen|kopier(?:en|t)|(?:ge)?laden|geben|teilen|schicken|stellen|packen|"
    r"(?:be)?nutzen|verwende[nt]|genutzt|verarbeite[nt]|zusammenfassen|übersetzen|auswerten|füttern)\b"
)
_GIVEN = tuple(
    re.compile(form)
    for form in (
        rf".*\b{_ENTER}\b(?P<what>.*?) (?:into|to|in|with|through|onto) {_ARTICLE}§{_BEHIND}",
        rf"(?P<what>.*) {_ENTERED} (?:into|to|in|with) {_ARTICLE}§{_BEHIND}",
        rf".*\b(?:give|feed|show|send) {_ARTICLE}§ (?P<what>.+)",
        rf"(?P<what>.*)\b(?:in|bei|an) {_IN_GERMAN}",
    )
)
_WORKED_ON = tuple(
    re.compile(form)
    for form in (
        rf".*\b(?:use|let|have|ask) {_ARTICLE}§ {_USED_ON}",
        rf".*§ be used {_USED_ON}",
        rf"(?P<what>.*\b(?:mit|von) {_IN_GERMAN}.*)",
    )
)
"""Forms that ask about data only where they name its kind: "let AI read an invoice" is about a task."""
_LONGEST = 500  # characters of a question that are looked at
_NO_DATA = re.compile(
    r"\b(?:access|licen[cs]es?|seats?|accounts?|feedback|permissions?|rights?|money|time|people|someone|somebody|"
    r"consent|approval|training|bots?|plug-?ins?|extensions?|phones?|laptops?|devices?)\b"
)
_KINDS = (
    (
        "customer data",
        re.compile(
            r"\b(?:customer|client|tenant|patient|guest|member|user|buyer|account|lead)s?\b|"
            r"\b(?:kunde|kundin|mandant|mieter|patient|klient)"
        ),
    ),
    (
        "personal data",
        re.compile(
            r"\b(?:names?|address(?:es)?|cvs?|r[eé]sum[eé]s?|applications?|applicants?|candidates?|employees?|"
            r"colleagues?|staff|team|salar(?:y|ies)|wages?|personal|people|person|persons|health|medical|photos?|"
            r"pictures?|birth\w*|passports?|reviews?|appraisals?|e-?mails?)\b|"
            r"person(?:al|en)|\b(?:name|mitarbeit|bewerb|lebensl|gehalt|gehält|kolleg|adress|foto)"
        ),
    ),
)


def readings(question: str) -> tuple[str, ...]:
    """The questions for the rule that `question` comes under: of its kind of data, which data may go into AI
    tools, and which never. Empty for a question that asks something else."""
    folded = " ".join(question.casefold().replace("’", "'").replace("'s", "").split())[:_LONGEST]
    asks = _ASKS.match(_TOOL.sub("§", folded))
    if asks is None:
        return ()
    for forms, otherwise in ((_GIVEN, "confidential information"), (_WORKED_ON, None)):
        for found in filter(None, (form.match(asks["asked"]) for form in forms)):
            kind = next((name for name, words in _KINDS if words.search(found["what"])), otherwise)
            if kind and not _NO_DATA.search(found["what"]):
                return _OF_KIND.format(kind), WHICH, _NEVER
    return ()
