"""The page in a real Chromium, with a small world behind it that answers at once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect

from handlers.web.app import Page as Served
from tests.e2e.conftest import OpenPage
from tests.fakes.page import ANSWER, BARS, DIGEST, EMPLOYEE, EXECUTIVE, LEAD, MAP, NUDGE, FakePage, question
from tests.support.axe import violations

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture
def world() -> FakePage:
    return FakePage()


@pytest_asyncio.fixture(loop_scope="module")
async def base(world: FakePage) -> AsyncIterator[str]:
    app = web.Application()
    Served(world).add_to(app)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("/"))


async def say(page: Page, words: str) -> None:
    await page.get_by_label("Your message").fill(words)
    await page.keyboard.press("Enter")


async def tab_to(page: Page, name: str, back: bool = False) -> None:
    """Press Tab until the button or link called `name` has the focus."""
    for _ in range(60):
        await page.keyboard.press("Shift+Tab" if back else "Tab")
        if name in await page.evaluate("document.activeElement.innerText || ''"):
            return
    raise AssertionError(f"{name} can't be reached by keyboard")


async def test_an_audit_by_keyboard_alone(open_page: OpenPage, base: str) -> None:
    page = await open_page(f"{base}?as={LEAD}")
    await page.keyboard.press("Tab")
    await expect(page.get_by_text("Skip to the message box")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Your message")).to_be_focused()
    await page.keyboard.type("Start the audit")
    await page.keyboard.press("Enter")
    for number in range(4):
        await expect(page.get_by_text(f"Question {number + 1} of 4")).to_be_visible()
        await tab_to(page, "Not sure", back=number == 0)
        await page.keyboard.press("Enter")
    await expect(page.get_by_text("Where Customer Support stands", exact=True)).to_be_visible()
    await expect(page.locator(".said .words")).to_have_text(["Start the audit"] + ["Not sure"] * 4)


async def test_a_line_break_and_a_waiting_sign(open_page: OpenPage, base: str, world: FakePage) -> None:
    world.delay = 0.6
    page = await open_page(f"{base}?as={EMPLOYEE}")
    await page.get_by_label("Your message").type("one")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Stagecoach is writing")).to_be_visible()
    await expect(page.get_by_text("I heard you.")).to_be_visible()
    await expect(page.get_by_text("Stagecoach is writing")).to_be_hidden()
    assert await page.locator(".said .words").inner_text() == "one\ntwo"


async def test_an_answer_is_shown_while_it_is_made(open_page: OpenPage, base: str, world: FakePage) -> None:
    world.delay = 1.5
    page = await open_page(f"{base}?as={EMPLOYEE}")
    await say(page, "May I paste a customer's e-mail?")
    world.begin(EMPLOYEE, "Searching the policies")
    await expect(page.get_by_role("status").get_by_text("Searching the policies")).to_be_visible()
    world.begin(EMPLOYEE, "Reading what I found", "You may not.\n> Never <b>paste</b> it.")
    await expect(page.locator(".begun blockquote")).to_have_text("Never <b>paste</b> it.")
    await expect(page.locator(".heard .citation")).to_be_visible()
    await expect(page.locator(".begun")).to_be_hidden()
    await expect(page.get_by_text("You may not.", exact=True)).to_be_hidden()


async def test_a_citation_opens_the_passage_and_gives_the_focus_back(open_page: OpenPage, base: str) -> None:
    page = await open_page(f"{base}?as={EMPLOYEE}")
    await page.get_by_role("button", name="May I paste a customer's e-mail").click()
    citation = page.get_by_role("link", name="Acceptable Use of AI")
    await expect(citation).to_contain_text("version 3 · owner Saoirse Quill · in force from 15 August 2026")
    await citation.focus()
    await page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="Acceptable Use of AI")
    await expect(sheet.locator("mark")).to_contain_text("Customer data of class C2 or C3 must not be entered")
    await expect(sheet.locator("mark")).to_be_in_viewport()
    for _ in range(6):
        await page.keyboard.press("Tab")
        outside = "document.activeElement !== document.body && !document.activeElement.closest('dialog')"
        assert not await page.evaluate(outside), "the focus left the sheet"
    assert await violations(page) == []
    await page.keyboard.press("Escape")
    await expect(sheet).to_be_hidden()
    await expect(citation).to_be_focused()


async def test_the_clock_brings_a_nudge_and_a_digest(open_page: OpenPage, base: str) -> None:
    page = await open_page(f"{base}?as={LEAD}")
    await page.get_by_role("button", name="Next Tuesday").click()
    await expect(page.get_by_text("A nudge", exact=True)).to_be_visible()
    await expect(page.get_by_text("Tuesday 24 November 2026")).to_be_visible()
    await page.get_by_role("button", name="Next Monday").click()
    await expect(
        page.get_by_role("link", name=re.compile("^Executive Henrik Dalgaard ?, 2 new messages"))
    ).to_be_visible()
    await page.get_by_role("link", name=re.compile("^Executive")).click()
    await expect(page.get_by_role("img", name="Coverage over twelve weeks")).to_have_count(2)
    await page.get_by_text("The figures behind it").last.click()
    await expect(page.get_by_role("cell", name="23% and 32%").last).to_be_visible()


async def test_an_old_button_still_reaches_the_bot(open_page: OpenPage, base: str, world: FakePage) -> None:
    world.hear(LEAD, question(0))
    page = await open_page(f"{base}?as={LEAD}")
    await page.get_by_role("button", name="Not sure").click()
    await expect(page.get_by_text("Question 2 of 4")).to_be_visible()
    await expect(page.locator(".entry.past")).to_have_count(1)
    await page.locator(".past").get_by_role("button", name="Neither").click()
    await expect(page.locator(".said .words")).to_have_text(["Not sure", "Neither"])


async def test_two_tabs_see_the_same_conversation(open_page: OpenPage, base: str) -> None:
    first = await open_page(f"{base}?as={EMPLOYEE}")
    second = await open_page(f"{base}?as={EMPLOYEE}")
    await say(first, "hello there")
    await expect(second.get_by_text("hello there")).to_be_visible()
    await expect(second.get_by_text("I heard you.")).to_have_count(1)


async def test_starting_again_reaches_every_tab(open_page: OpenPage, base: str, world: FakePage) -> None:
    world.hear(LEAD, NUDGE)
    first = await open_page(f"{base}?as={LEAD}")
    second = await open_page(f"{base}?as={LEAD}")
    await first.get_by_role("button", name="Start the demo again").click()
    for page in (first, second):
        await expect(page.get_by_text("A nudge", exact=True)).to_have_count(0)


async def test_without_javascript(open_page: OpenPage, base: str) -> None:
    page = await open_page(f"{base}?as={EMPLOYEE}", script=False)
    await page.get_by_label("Your message").fill("May I use customer data?")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_text("Not into just any tool.")).to_be_visible()
    await page.get_by_role("link", name="Acceptable Use of AI").click()
    await expect(page.locator("mark")).to_contain_text("Customer data of class C2")
    await page.get_by_role("link", name="Back to the conversation").click()
    await page.get_by_role("button", name="This helped").click()
    await expect(page.get_by_text("Thank you, noted.")).to_be_visible()


async def test_a_message_that_can_not_be_sent_is_kept(
    open_page: OpenPage, base: str, world: FakePage, complaints: list[str]
) -> None:
    page = await open_page(f"{base}?as={EMPLOYEE}")
    await page.context.clear_cookies()
    await page.get_by_label("Your message").fill("keep me")
    async with page.expect_response("**/say") as answer:
        await page.keyboard.press("Enter")
    assert (await answer.value).status == 403
    await expect(page.get_by_role("alert")).to_contain_text("Please load the page again")
    await expect(page.get_by_label("Your message")).to_have_value("keep me")
    assert world.lines == {}
    assert "403" in complaints.pop()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_everybody_can_read_it(open_page: OpenPage, base: str, world: FakePage, theme: str) -> None:
    world.hear(LEAD, question(0), NUDGE, ANSWER, DIGEST, MAP, BARS)
    page = await open_page(f"{base}?as={LEAD}", theme=theme)
    for summary in await page.locator("summary").all():
        await summary.click()
    await say(page, "hello there")
    await expect(page.get_by_text("I heard you.")).to_be_visible()
    assert await violations(page) == []
    await page.get_by_role("button", name=re.compile("Use (light|dark) colours")).click()
    assert await violations(page) == []


@pytest.mark.parametrize("width", [320, 360, 768])
async def test_nothing_hangs_over_on_a_phone(
    open_page: OpenPage, base: str, world: FakePage, width: int
) -> None:
    world.hear(LEAD, question(0), NUDGE, ANSWER, DIGEST, MAP, BARS)
    page = await open_page(f"{base}?as={LEAD}", width=width, height=740)
    await say(page, "a-very-long-word-" * 20)
    await expect(page.get_by_text("I heard you.")).to_be_visible()
    for tab in ("Chat", "Inside the demo"):
        await page.get_by_role("button", name=tab).click()
        over = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(over) <= 0
        log = (
            "() => { const log = document.querySelector('.log'); return log.scrollWidth - log.clientWidth; }"
        )
        assert await page.evaluate(log) <= 0
        assert await violations(page) == []


async def test_a_phone_on_its_side_leaves_room_for_the_conversation(
    open_page: OpenPage, base: str, world: FakePage
) -> None:
    world.hear(LEAD, question(0), NUDGE, ANSWER)
    page = await open_page(f"{base}?as={LEAD}", width=844, height=390)
    seen = await page.locator(".log").evaluate("log => log.clientHeight")
    assert seen >= 390 / 2
    await say(page, "hello there")
    await expect(page.get_by_text("I heard you.")).to_be_in_viewport()
    assert await violations(page) == []


async def test_a_long_conversation_scrolls_in_its_own_box(
    open_page: OpenPage, base: str, world: FakePage
) -> None:
    world.hear(LEAD, *[question(number % 4) for number in range(12)], ANSWER, DIGEST)
    page = await open_page(f"{base}?as={LEAD}", width=1360, height=900)
    await expect(page.locator(".entries > li").nth(11)).to_be_attached()
    below = "() => document.documentElement.scrollHeight - document.documentElement.clientHeight"
    assert await page.evaluate(below) <= 0


async def test_what_people_type_stays_text(open_page: OpenPage, base: str, world: FakePage) -> None:
    page = await open_page(f"{base}?as={EXECUTIVE}")
    await say(page, "<img src=x onerror=\"document.title='gone'\"> **b** [a](javascript:alert(1))")
    await expect(page.get_by_text("I heard you.")).to_be_visible()
    assert await page.locator(".entries img, .entries a").count() == 0
    assert "gone" not in await page.title()
