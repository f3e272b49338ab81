"""The whole product as a newcomer meets it: the demo in a process of its own, in a real Chromium."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Callable
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.e2e.conftest import OpenPage
from tests.support.axe import violations
from tests.support.command import COMMAND, environment

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

THURSDAY = "2026-11-19T09:30:00+01:00"
START_SECONDS = 240
"""Far more than a first start takes; a slow machine is no failure here."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def demo(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a fresh demo. Asks for Chromium first, so that nothing is started in vain."""
    home = tmp_path_factory.mktemp("demo")
    port = _free_port()
    with (home / "said.txt").open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            str(COMMAND),
            "demo",
            # Several threads of matrix products get in each other's way where other tests run beside.
            env=environment(home, PORT=str(port), STAGECOACH_NOW=THURSDAY, OPENBLAS_NUM_THREADS="1"),
            cwd=home,
            stdout=said,
            stderr=said,
        )
    try:
        await _wait_for(process, (home / "said.txt").read_text)
        yield f"http://127.0.0.1:{port}/"
    finally:
        if process.returncode is None:
            process.terminate()
        assert await asyncio.wait_for(process.wait(), 30) == 0, (home / "said.txt").read_text()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


async def _wait_for(process: asyncio.subprocess.Process, said: Callable[[], str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while "http://127.0.0.1" not in said():
        assert process.returncode is None, said()
        assert time.monotonic() < deadline, said()
        await asyncio.sleep(0.1)


async def become(page: Page, part: str) -> None:
    await page.get_by_role("navigation").get_by_role("link", name=re.compile(f"^{part}")).first.click()
    await page.wait_for_selector("body[data-connected]")


async def heard(page: Page, count: int) -> None:
    """Wait until there are more than `count` messages and nothing is under way."""
    await expect(page.locator(".heard").nth(count)).to_be_visible(timeout=30_000)
    await expect(page.locator(".busy[data-idle]")).to_be_attached(timeout=30_000)


async def press(page: Page, name: str) -> None:
    """Walk back from the message box to the last button of that name, and press it; no mouse."""
    before = await page.locator(".heard").count()
    await page.locator("#words").focus()
    for _ in range(40):
        await page.keyboard.press("Shift+Tab")
        if (await page.evaluate("document.activeElement.innerText || ''")).startswith(name):
            await page.keyboard.press("Enter")
            await heard(page, before)
            return
    raise AssertionError(f"{name} can't be reached by keyboard")


async def type_in(page: Page, words: str) -> None:
    before = await page.locator(".heard").count()
    await page.locator("#words").focus()
    await page.keyboard.type(words)
    await page.keyboard.press("Enter")
    await heard(page, before)


async def test_a_lead_is_audited_by_keyboard_alone(open_page: OpenPage, demo: str) -> None:
    page = await open_page(demo)
    await type_in(page, "Start the audit")
    await press(page, "Start")
    for number in range(4):
        await expect(page.get_by_text(f"Question {number + 1} of 4").last).to_be_visible()
        await type_in(page, "Last week two of our counsels summarised a supplier contract, five in all.")
        picks = page.locator(".heard").last.locator(".option")
        await expect(picks.first).to_be_visible()
        await press(page, "Not sure")
    await expect(page.locator(".heard.result").first).to_contain_text("provisional")
    assert await violations(page) == []
    await page.reload()
    await expect(page.locator(".heard.result").first).to_contain_text("provisional")


async def test_an_employee_asks_and_opens_the_passage(open_page: OpenPage, demo: str) -> None:
    page = await open_page(demo)
    await become(page, "Employee")
    await page.get_by_role("button", name="How do I report an incident with AI?").click()
    await heard(page, 0)
    await page.locator(".citation").first.click()
    sheet = page.get_by_role("dialog")
    await expect(sheet.locator("mark").first).to_be_in_viewport()
    quoted = " ".join((await page.locator(".heard blockquote").first.inner_text()).split())
    marked = "".join(await sheet.locator("mark").all_inner_texts())
    letters = re.compile(r"\W+")
    assert letters.sub("", marked)[:30] in letters.sub("", quoted)
    for fact in ("Version", "Owner", "In force from"):
        await expect(sheet.get_by_text(fact, exact=True)).to_be_visible()
    assert await violations(page) == []
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="This helped").click()
    await heard(page, 1)


async def test_tuesday_brings_a_nudge_and_monday_the_digest(open_page: OpenPage, demo: str) -> None:
    page = await open_page(demo)
    await become(page, "Team lead, audit due")
    before = await page.locator(".heard.nudge").count()
    await page.get_by_role("button", name="Next Tuesday").click()
    await expect(page.get_by_text("Tuesday 24 November 2026")).to_be_visible(timeout=60_000)
    await expect(page.locator(".heard.nudge").nth(before)).to_be_visible(timeout=60_000)
    await page.get_by_role("button", name="Next Monday").click()
    await expect(page.get_by_text("Monday 30 November 2026")).to_be_visible(timeout=60_000)
    executive = page.get_by_role("navigation").get_by_role("link", name=re.compile("^Executive"))
    await expect(executive).to_contain_text("new message")
    await become(page, "Executive")
    # Two Mondays have passed, and the later digest may still be on its way.
    await expect(page.locator(".heard.digest")).to_have_count(2, timeout=60_000)
    digest = page.locator(".heard.digest").last
    await expect(digest.locator("figure svg, figure table").first).to_be_visible()
    assert len((await digest.locator(".text").first.inner_text()).split()) <= 150
    await digest.get_by_text("The figures behind it").click()
    await expect(digest.locator("details table")).to_be_visible()
    assert await violations(page) == []


async def test_the_page_fits_a_phone(open_page: OpenPage, demo: str) -> None:
    page = await open_page(demo, width=360, height=740, theme="dark")
    people = await page.locator(".people a").count()
    for number in range(people):
        await page.locator(".people a").nth(number).click()
        await page.wait_for_selector("body[data-connected]")
        over = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(over) <= 0
        assert await violations(page) == []
    await page.get_by_role("button", name="Inside the demo").click()
    assert await page.evaluate(over) <= 0
    assert await violations(page) == []


async def test_it_says_that_it_is_healthy_and_a_demo(open_page: OpenPage, demo: str) -> None:
    page = await open_page(demo)
    await expect(page.get_by_text("are made up")).to_be_visible()
    for path in ("healthz", "readyz", "metrics"):
        try:
            with await asyncio.to_thread(urlopen, demo + path) as answer:
                assert answer.status == 200
        except URLError as error:
            raise AssertionError(f"{path}: {error}") from error
