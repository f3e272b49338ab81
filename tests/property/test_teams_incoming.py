"""Whatever an activity holds: it is understood or dropped, and never an error."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from handlers.teams.address import LONGEST, Address
from handlers.teams.incoming import LONGEST_KEY, Heard, spoken, tenant_of, understand
from tests.property.test_slack_render import FUZZ

VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=20),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KINDS = some.sampled_from(
    ["message", "invoke", "installationUpdate", "conversationUpdate", "messageUpdate", "typing", 7, None]
)
NAMES = some.sampled_from(["adaptiveCard/action", "message/submitAction", "task/fetch", None])
DATA = some.fixed_dictionaries(
    {}, optional={"choice": VALUES, "say": VALUES, "day": some.sampled_from(["2026-12-01", "soon", 7])}
)
ACTIVITIES = some.fixed_dictionaries(
    {
        "type": KINDS,
        "conversation": some.fixed_dictionaries({"id": some.text(max_size=300)}) | VALUES,
        "from": some.fixed_dictionaries({"id": some.text(max_size=30)}) | VALUES,
    },
    optional={
        "id": VALUES,
        "text": VALUES,
        "name": NAMES | VALUES,
        "value": DATA | some.fixed_dictionaries({"action": some.fixed_dictionaries({"data": DATA})}) | VALUES,
        "entities": VALUES,
        "recipient": VALUES,
        "attachments": VALUES,
        "channelData": VALUES,
        "membersAdded": VALUES,
        "action": VALUES,
    },
)


@FUZZ
@given(ACTIVITIES)
def test_nothing_that_is_sent_breaks_anything(activity: dict[str, Any]) -> None:
    tenant_of(activity)
    what = understand(activity)
    if isinstance(what, Heard):
        assert what.key == understand(activity).key  # type: ignore[union-attr]
        assert len(what.key) <= LONGEST_KEY
        assert 0 < len(str(what.address)) <= LONGEST
        assert Address.parse(str(what.address)) == what.address
        assert set(what.payload) <= {
            "kind", "user", "aad", "tenant", "service_url", "bot", "tz", "thread", "public", "shared",
            "choice", "text", "files", "team",
        }  # fmt: skip


@FUZZ
@given(some.text(max_size=60))
def test_the_mention_of_us_is_taken_out_and_nothing_else(words: str) -> None:
    mention = {"type": "mention", "text": "<at>Coach</at>", "mentioned": {"id": "28:me"}}
    activity = {"recipient": {"id": "28:me"}, "entities": [mention]}
    alone = spoken({**activity, "text": words})
    assert "Coach" not in spoken({**activity, "text": f"<at>Coach</at> {words}"}).replace(alone, "")
