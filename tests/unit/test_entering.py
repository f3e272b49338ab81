"""Which questions ask whether something may be given to an AI tool."""

from __future__ import annotations

import pytest

from knowledge.entering import readings


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Can I put customer names into ChatGPT?", "customer data"),
        ("Can I paste client data into Copilot?", "customer data"),
        ("Is it ok to use Copilot for client emails?", "customer data"),
        ("Hi, am I allowed to copy an email from a customer into Microsoft Copilot?", "customer data"),
        ("Can ChatGPT be used with patient data?", "customer data"),
        ("Can I let AI summarise a customer's contract?", "customer data"),
        ("Is customer data allowed in AI tools?", "customer data"),
        ("May I paste personal data into an AI tool?", "personal data"),
        ("Can I upload a CV to an AI assistant to summarise it?", "personal data"),
        ("is it allowed to enter names in chat gpt", "personal data"),
        ("Darf ich Kundennamen in ChatGPT eingeben?", "customer data"),
        ("Kann ich personenbezogene Daten in ein KI-Tool hochladen?", "personal data"),
        ("Dürfen wir Lebensläufe von einer KI zusammenfassen lassen?", "personal data"),
        ("Welche Daten darf ich in Copilot verwenden?", "confidential information"),
        ("Can I give ChatGPT a contract to summarise?", "confidential information"),
        ("What am I not allowed to put into AI?", "confidential information"),
        ("can meeting transcripts be uploaded to an AI tool", "confidential information"),
        (
            "I have a contract here, can I upload it to Claude so that it sums it up?",
            "confidential information",
        ),
    ],
)
def test_what_may_be_given_to_an_ai_tool_is_asked_by_its_kind(question: str, kind: str) -> None:
    assert readings(question)[0] == f"May {kind} be entered into an AI tool?"


@pytest.mark.parametrize(
    "question",
    [
        "Can I use AI to write source code?",
        "Can I let an AI bot join my calls?",
        "Am I allowed to use my own ChatGPT account for work?",
        "Which AI tools can I use?",
        "Do I have to tell customers that I used AI?",
        "Can I use AI on my private phone?",
        "Can I give access to the AI tool to a contractor?",
        "I pasted a door code into an assistant by mistake, what now?",
        "Can the AI answer customers by itself?",
        "Can I let AI read an invoice?",
        "Can I use AI generated pictures on our website?",
        "Can I add a plug-in to ChatGPT?",
        "Is ChatGPT allowed?",
        "Ist ChatGPT erlaubt?",
        "Darf ich mit ChatGPT Texte übersetzen?",
        "Kann ich in der Kantine mit Karte zahlen?",
        "Can my boss read what I type into ChatGPT?",
        "Who is responsible for results of AI?",
        "Can I put my bicycle into the hall?",
    ],
)
def test_other_questions_about_ai_are_read_as_they_are(question: str) -> None:
    assert readings(question) == ()
