"""Accessibility as axe-core judges it: WCAG 2.2, levels A and AA."""

from __future__ import annotations

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

_RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}


async def violations(page: Page) -> list[str]:
    """What axe finds on the page as it is shown now: the rule and where."""
    found = (await Axe().run(page, options=_RULES)).response["violations"]
    return [f"{one['id']}: {', '.join(str(node['target']) for node in one['nodes'])}" for one in found]
