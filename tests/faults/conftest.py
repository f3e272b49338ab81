"""Databases and processes of tests in which a process of its own is killed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from tests.support.databases import PostgresFactory
from tests.support.processes import Serving

BOTH = ["sqlite", "postgresql"] if os.environ.get("STAGECOACH_LONG") else ["sqlite"]


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_factory").url())
    factory: PostgresFactory = request.getfixturevalue("postgres_factory")
    return asyncio.run(factory.url())


@pytest.fixture
def processes() -> Iterator[list[Serving]]:
    """Whatever a test leaves running is killed."""
    started: list[Serving] = []
    yield started
    for one in started:
        one.end()
