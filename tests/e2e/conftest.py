"""A real Chromium for the tests of the page, and pages that fail a test when the browser complains."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from tests.support.browser import FLAGS, find_chromium

OpenPage = Callable[..., Awaitable[Page]]
"""Opens a tab: `await open_page(url, width=360, height=740, theme="dark", script=True)`."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def chromium() -> AsyncIterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip("NOTICE: no Chromium on this machine; the page was not tested in a browser")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained of. A test that provokes a complaint takes it out."""
    return []


@pytest_asyncio.fixture(loop_scope="module")
async def open_page(chromium: Browser, complaints: list[str]) -> AsyncIterator[OpenPage]:

    def console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    async with AsyncExitStack() as stack:

        async def open_it(
            url: str, *, width: int = 1280, height: int = 800, theme: str = "light", script: bool = True
        ) -> Page:
            context = await chromium.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if theme == "dark" else "light",
                reduced_motion="reduce",
                java_script_enabled=script,
            )
            stack.push_async_callback(context.close)
            page = await context.new_page()
            page.set_default_timeout(15_000)
            page.on("console", console)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            await page.goto(url)
            if script:
                await page.wait_for_selector("body[data-connected]")
            return page

        yield open_it
    assert not complaints, f"the browser complained: {complaints}"
