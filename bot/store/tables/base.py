"""What all tables share: names of constraints, enums kept by value, JSON on both databases."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Enum
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import SQLModel

# Set before the first table is defined, so that migrations can name what they change.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


NEVER_AGAIN = {"sqlite_autoincrement": True}
"""For tables whose rows may be erased: buttons and keys that still name an id never mean another row.
PostgreSQL gives no number twice; SQLite has to be asked.
"""


class Row(SQLModel):
    """What every table builds on."""

    # SQLModel sets a value twice: for SQLAlchemy, and for checks that the columns of a table do not have.
    __setattr__ = object.__setattr__  # type: ignore[assignment]


def by_value(members: type[StrEnum]) -> Enum:
    """A column type that stores an enum's value as text, with a CHECK that names the members."""
    name = "".join("_" + c.lower() if c.isupper() else c for c in members.__name__).lstrip("_")
    return Enum(
        members,
        native_enum=False,
        create_constraint=True,
        length=32,
        name=name,
        values_callable=lambda enum: [member.value for member in enum],
    )


def json_type() -> Any:
    """JSON on SQLite, JSONB on PostgreSQL. Change a value by assigning a new one, never in place."""
    return JSON().with_variant(JSONB(), "postgresql")


# Pydantic looks at a factory's signature each time a row is made. Of the built-in `list` and `dict` it has to
# be parsed from text, which costs more than all the rest of a row.
def no_list() -> list[Any]:
    """An empty list, as a column's default."""
    return []


def no_dict() -> dict[str, Any]:
    """An empty object, as a column's default."""
    return {}
