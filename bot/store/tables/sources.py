"""Folders that the policy library follows, and the files that it has seen there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from bot.store.tables.base import Row, json_type, no_list


class WatchedFolder(Row, table=True):
    """A folder that is looked through again and again. `claimed_until` is set while a process does so.

    `owner_id` and `audience` count more than what its documents say of themselves. With `pull`, the folder is
    a Git checkout that is brought up to date first. `problem` says why the last look came to nothing.
    """

    id: int | None = Field(default=None, primary_key=True)
    place: str = Field(unique=True, max_length=1_000)
    owner_id: int | None = Field(default=None, foreign_key="person.id")
    audience: list[str] = Field(default_factory=no_list, sa_type=json_type())
    pull: bool = False
    added_at: datetime
    due_at: datetime = Field(index=True)
    claimed_until: datetime | None = None
    scanned_at: datetime | None = None
    problem: str = ""


class WatchedFile(Row, table=True):
    """A file of a watched folder as it was last read, and the document that came of it.

    `refused` says why its present content could not be taken in; an earlier version then still answers.
    """

    __table_args__ = (UniqueConstraint("folder_id", "source"),)

    id: int | None = Field(default=None, primary_key=True)
    folder_id: int = Field(foreign_key="watchedfolder.id", ondelete="CASCADE")
    source: str = Field(max_length=500)
    label: str
    sha256: str = Field(default="", max_length=64)
    document_id: int | None = Field(default=None, foreign_key="document.id")
    refused: str = ""
