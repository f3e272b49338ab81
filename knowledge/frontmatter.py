"""What a document says of itself, and what the person who adds it says; the latter counts more."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import date, datetime

import yaml

from knowledge.extract_text import Unreadable

_FRONT = re.compile(r"\A---[ \t]*\r?\n(.{0,20000}?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.S)

_PARTICULAR = re.compile(
    r"^(?:title|owner|audience|effective|review_by|reviewed|expires|supersedes)[ \t]*:", re.M
)


@dataclass(frozen=True)
class Details:
    """The particulars of a document. None means that nothing was said.

    `audience` holds `all`, ids of departments and `role:NAME`; `owner` is an e-mail address; `supersedes`
    the id or the front matter id of the document that this one replaces.
    """

    title: str | None = None
    owner: str | None = None
    audience: tuple[str, ...] | None = None
    effective: date | None = None
    review_by: date | None = None
    reviewed_on: date | None = None
    expires_on: date | None = None
    supersedes: str | None = None
    label: str | None = None
    stable_id: str | None = None

    def over(self, other: Details) -> Details:
        """These details, with gaps filled from `other`."""
        merged = {
            field.name: mine
            if (mine := getattr(self, field.name)) is not None
            else getattr(other, field.name)
            for field in fields(self)
        }
        return Details(**merged)


def split(text: str) -> tuple[Details, str]:
    """The details in YAML front matter and the text after it. Raises Unreadable where it is wrong.

    Only a block that is a YAML mapping counts; a text that merely begins with a line is left as it is. A
    block that is meant for one and is broken is refused: its audience would be lost.
    """
    found = _FRONT.match(text)
    if found is None:
        return Details(), text
    try:
        given = yaml.safe_load(found[1])
    except (yaml.YAMLError, ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        if _PARTICULAR.search(found[1]):
            raise Unreadable(
                "begins with particulars that can't be read as YAML, its audience among them. Look "
                "for a bracket or a quote that is not closed"
            )
        return Details(), text
    known = {str(name).replace("-", "_"): value for name, value in given.items()}
    return _details(known), text[found.end() :]


def _details(given: dict[str, object]) -> Details:
    return Details(
        title=_text(given.get("title")),
        owner=_text(given.get("owner")),
        audience=_audience(given.get("audience")),
        effective=_day(given, "effective"),
        review_by=_day(given, "review_by"),
        reviewed_on=_day(given, "reviewed"),
        expires_on=_day(given, "expires"),
        supersedes=_text(given.get("supersedes")),
        label=_text(given.get("version")),
        stable_id=_text(given.get("id")),
    )


def _text(value: object) -> str | None:
    return " ".join(str(value).split())[:300] or None if isinstance(value, str | int | float) else None


def _audience(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str | int) for part in parts):
        raise Unreadable(
            "names its audience in a form that can't be read. Write it like: audience: [hr, legal]"
        )
    return tuple(str(part).strip() for part in parts if str(part).strip())


def _day(given: dict[str, object], name: str) -> date | None:
    value = given.get(name)
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise Unreadable(f"has a date that can't be read ({name}). Write it like 2026-11-22") from None
