"""Statements that many turns make, given straight to the driver.

What SQLAlchemy does each time around a statement costs several times what the driver and the database take.
Here a statement is put into words once for each kind of database, and kept with how its values go in and come
out. Connections, transactions and the errors that callers know are SQLAlchemy's as ever.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn, Protocol

import asyncpg
from sqlalchemy import Dialect, Executable
from sqlalchemy.exc import DBAPIError
from sqlmodel.ext.asyncio.session import AsyncSession

Given = Mapping[str, Any]
"""Values by the names of parameters or, in INSERT and UPDATE, of columns. A tuple stands for several
values, as after IN."""
_Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class Ready:
    """A statement as a driver takes it."""

    words: str
    parameters: tuple[tuple[str | None, Any], ...]
    """In the driver's order: a name and how its value goes in, or None and a value of the statement's own."""
    columns: tuple[tuple[int, _Convert], ...]
    """Those of the answer that are not taken as they come."""
    row: Callable[[Sequence[Any]], Any]
    """Makes a tuple whose values have names."""

    def values(self, given: Given) -> list[Any]:
        """What the driver is given for the parameters."""
        return [
            way if name is None else given[name] if way is None else way(given[name])
            for name, way in self.parameters
        ]

    def rows(self, answer: Sequence[Sequence[Any]]) -> list[Any]:
        """The driver's answer as named tuples of Python's values."""
        if not self.columns:
            return [self.row(each) for each in answer]
        found = []
        for each in answer:
            values = list(each)
            for number, way in self.columns:
                values[number] = way(values[number])
            found.append(self.row(values))
        return found


@lru_cache(maxsize=1024)
def _ready(
    statement: Any, dialect: Dialect, names: tuple[str, ...], lists: tuple[tuple[str, Any], ...]
) -> Ready:
    """The statement with values for `names`, of which `lists` are part of its words."""
    compiled = statement.compile(dialect=dialect, column_keys=names)
    whole = compiled.construct_expanded_state(dict.fromkeys(names) | dict(lists))
    ways_in = {name: _way_in(bind.type, dialect) for bind, name in compiled.bind_names.items()}
    parts = {part: name for name, several in whole.parameter_expansion.items() for part in several}

    def parameter(name: str) -> tuple[str | None, Any]:
        way = ways_in[parts.get(name, name)]
        if name in names:
            return name, way
        constant = whole.parameters[name]
        return None, constant if way is None else way(constant)

    columns = list(statement.exported_columns)
    ways_out = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    row: Any = namedtuple("Row", [column.key for column in columns], rename=True)  # type: ignore[misc]
    return Ready(
        words=whole.statement,
        parameters=tuple(map(parameter, whole.positiontup or ())),
        columns=tuple((number, way) for number, way in enumerate(ways_out) if way is not None),
        row=row._make,
    )


def _way_in(kind: Any, dialect: Dialect) -> _Convert | None:
    way: _Convert | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return way


class Line:
    """A connection, to be asked ready statements: objects made once, since each is kept."""

    def __init__(self, dialect: Dialect, adapted: Any) -> None:
        """`adapted`: the connection as SQLAlchemy holds it."""
        self._dialect, self._adapted = dialect, adapted
        self._driver = adapted.driver_connection

    async def begin(self) -> None:
        """Begin PostgreSQL's transaction where SQLAlchemy, which waits for its first statement, has not."""
        if self._dialect.name == "postgresql" and self._adapted._transaction is None:
            await self._adapted._start_transaction()

    async def ask(self, statement: Executable, *given: Given) -> list[Any]:
        """The rows of a statement with these values; of several, one answer after the other.

        Raises SQLAlchemy's errors.
        """
        lists = tuple((name, value) for name, value in given[0].items() if value.__class__ is tuple)
        known = _ready(statement, self._dialect, tuple(given[0]), lists)
        try:
            return known.rows(await self._answers(known.words, [known.values(each) for each in given]))
        except (asyncpg.PostgresError, asyncpg.InterfaceError, sqlite3.Error) as error:
            self._tell(known.words, error)

    async def _answers(self, words: str, values: list[list[Any]]) -> list[Any]:
        if self._dialect.name == "postgresql":
            if len(values) == 1:
                return await self._driver.fetch(words, *values[0])  # type: ignore[no-any-return]
            return await self._driver.fetchmany(words, values)  # type: ignore[no-any-return]
        found = []
        for each in values:
            found += await (await self._driver.cursor().execute(words, each)).fetchall()
        return found

    def _tell(self, words: str, error: Exception) -> NoReturn:
        """Raise what SQLAlchemy makes of a driver's error, without the values: these may be private words."""
        dbapi: Any = self._dialect.dbapi
        try:
            self._adapted._handle_exception(error)
        except dbapi.Error as known:
            raise DBAPIError.instance(words, None, known, dbapi.Error, dialect=self._dialect) from error
        raise error


class Asks(Protocol):
    """Whatever takes a ready statement."""

    async def ask(self, statement: Executable, *given: Given) -> list[Any]:
        """The rows, as of a Line."""
        ...


LINE = "line"
"""Where a session keeps what takes its ready statements."""


async def line_of(tx: AsyncSession) -> Asks:
    """What takes a transaction's ready statements; what its objects have become is stored by now."""
    session = tx.sync_session
    if session.identity_map.check_modified() or session.new or session.deleted:
        await tx.flush()
    line: Asks | None = tx.info.get(LINE)
    return await _line(tx) if line is None else line


async def _line(tx: AsyncSession) -> Line:
    connection = await tx.connection()
    adapted = (await connection.get_raw_connection()).dbapi_connection
    line = tx.info[LINE] = Line(connection.dialect, adapted)
    await line.begin()
    return line
