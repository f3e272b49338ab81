"""Whom a visitor of the demo may be: a few people of the sample company, each with something to try first."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """A person of the sample by address, what they are here, and first things to say."""

    email: str
    part: str
    introduction: str
    suggestions: tuple[str, ...]


PERSONAS = (
    Role(
        "gideon.arkwright@tarnwood.example.com",
        "Team lead, new",
        "You lead Legal and Compliance. Your team has never been asked how it works with AI.",
        ("Start the audit", "Who will see my answers?", "May we paste a contract into an AI tool?"),
    ),
    Role(
        "annika.brandvold@tarnwood.example.com",
        "Team lead, audit due",
        "You lead People and HR. Three months ago your team was asked; the next look is due this week.",
        ("Start the audit", "What did I answer last time?", "What is holding us back?"),
    ),
    Role(
        "oksana.hrytsenko@tarnwood.example.com",
        "Team lead, ahead",
        "You lead Engineering. Your team lets agents change systems, and a stage below was skipped.",
        ("Where do we stand?", "What is holding us back?", "Which code assistants are approved?"),
    ),
    Role(
        "devon.price@tarnwood.example.com",
        "Employee",
        "You are a support agent in New York and want to know what is allowed.",
        (
            "May I put a customer's e-mail into the AI assistant?",
            "How do I report an incident with AI?",
            "Can I take a sabbatical?",
        ),
    ),
    Role(
        "saoirse.quill@tarnwood.example.com",
        "Policy owner",
        "You look after policies. Questions that they don't answer come to you.",
        ("Open questions", "Which tools are approved for customer data?", "My policies"),
    ),
    Role(
        "mirela.castellan@tarnwood.example.com",
        "Executive",
        "You get one screen on Monday mornings. Move the clock to next Monday to see it arrive.",
        ("Show the latest digest", "Where does the company stand?", "Who approves a new AI tool?"),
    ),
    Role(
        "elena.marquardt@tarnwood.example.com",
        "Programme owner",
        "You run AI adoption: raw answers, approvals and blockers across departments come to you.",
        ("Where does the company stand?", "What should we do next?", "How do I report an incident with AI?"),
    ),
)
