"""What Slack sends, and what is kept of it."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.slack.address import Address
from handlers.slack.commands import HELP
from handlers.slack.incoming import Answered, ForBolt, Heard, spoken, understand

ME = {"team_id": "T1", "enterprise_id": None, "user_id": "UME", "is_bot": True}


def event(kind: str = "message", around: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    said = {"type": kind, "user": "UA", "channel": "C1", "ts": "1.1", "text": "hello"} | fields
    return {
        "type": "event_callback",
        "team_id": "T1",
        "event_id": "Ev1",
        "authorizations": [ME],
        "event": said,
    } | (around or {})


def heard(body: dict[str, Any]) -> Heard:
    what = understand(body)
    assert isinstance(what, Heard)
    return what


def test_a_direct_message_is_kept_without_anything_superfluous() -> None:
    kept = heard(event(channel="D1", channel_type="im", blocks=[{"type": "rich_text"}], client_msg_id="x"))
    assert (kept.key, str(kept.address)) == ("m:T1:D1:1.1", "T1:D1")
    assert kept.payload == {
        "kind": "say",
        "user": "UA",
        "text": "hello",
        "ts": "1.1",
        "thread": None,
        "public": False,
        "home": "T1",
        "outside": False,
        "shared": False,
    }


def test_a_mention_has_one_key_in_both_of_its_kinds() -> None:
    text = "<@UME> what about leave?"
    both = [heard(event("app_mention", text=text)), heard(event("message", {"event_id": "Ev2"}, text=text))]
    assert both[0].key == both[1].key
    assert both[0].payload == both[1].payload
    assert both[0].payload["text"] == "what about leave?"
    assert both[0].payload["public"]
    assert str(both[0].address) == "T1:C1:1.1:UA"


@pytest.mark.parametrize(
    "fields",
    [
        {"bot_id": "B1"},
        {"user": "UME"},
        {"subtype": "message_changed"},
        {"subtype": "message_deleted"},
        {"subtype": "channel_join"},
        {"subtype": "bot_message", "user": None},
        {"user": None},
    ],
)
def test_echoes_bots_and_edits_are_not_for_us(fields: dict[str, Any]) -> None:
    for channel in ("D1", "C1"):
        assert understand(event(channel=channel, text="<@UME> hi", **fields)) == Answered()


def test_talk_in_a_channel_is_not_for_us() -> None:
    assert understand(event()) == Answered()
    assert understand(event(thread_ts="0.9", text="<@UB> look")) == Answered()
    follow_up = heard(event(thread_ts="0.9"))
    assert follow_up.in_known_thread
    assert str(follow_up.address) == "T1:C1:0.9:UA"


def test_people_from_elsewhere_are_told_apart() -> None:
    assert heard(event(channel="D1", user_team="T1")).payload["outside"] is False
    assert heard(event(channel="D1", user_team="T9")).payload["outside"] is True
    grid = {"authorizations": [ME | {"enterprise_id": "E1"}], "enterprise_id": "E1"}
    assert heard(event(channel="D1", around=grid, user_team="E1")).payload["outside"] is False
    shared = heard(event("app_mention", {"is_ext_shared_channel": True}))
    assert shared.payload["shared"] is True


def test_an_org_wide_installation_speaks_for_the_organisation() -> None:
    auth = ME | {"team_id": None, "enterprise_id": "E1", "is_enterprise_install": True}
    assert heard(event(channel="D1", around={"authorizations": [auth], "team_id": None})).address.team == "E1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<@UME> hi <@UX> and <@UY|kim>", "hi @somebody and @kim"),
        ("see <https://a.example/x?a=1&amp;b=2|the page>", "see https://a.example/x?a=1&b=2"),
        ("<!here> in <#C1|general> &lt;b&gt; &amp;", "@here in #general <b> &"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<!subteam^S1|@leads> <!date^1^{date}|today>", "@leads today"),
    ],
)
def test_markup_becomes_words(text: str, words: str) -> None:
    assert spoken(text, "UME") == words


def click(**changed: Any) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": "UA", "team_id": "T1"},
        "channel": {"id": "D1"},
        "message": {"ts": "5.5"},
        "actions": [{"action_id": "choice:0", "value": "kb:1:0:up", "action_ts": "6.6", "type": "button"}],
    } | changed


def test_a_button_comes_back_as_its_choice() -> None:
    kept = heard(click())
    assert kept.payload["choice"] == "kb:1:0:up"
    assert (str(kept.address), kept.payload["public"]) == ("T1:D1", False)
    in_channel = heard(click(channel={"id": "C1"}, message={"ts": "5.5", "thread_ts": "4.4"}))
    assert str(in_channel.address) == "T1:C1:4.4:UA"
    assert in_channel.payload["thread"] == "4.4"
    at_home = heard(click(channel=None, message=None, container={"type": "view"}))
    assert at_home.address == Address("T1", "@UA")


def test_a_button_that_is_not_ours_is_left_to_bolt() -> None:
    assert understand(click(actions=[{"action_id": "link", "action_ts": "1"}])) == ForBolt()
    assert understand(click(actions=[])) == ForBolt()


def test_a_redelivery_of_a_click_has_its_key_and_another_click_has_another() -> None:
    again = {"action_id": "choice:0", "value": "kb:1:0:up", "action_ts": "7.7", "type": "button"}
    assert heard(click()).key == heard(click()).key != heard(click(actions=[again])).key


def command(text: str) -> dict[str, Any]:
    return {"command": "/stagecoach", "text": text, "user_id": "UA", "team_id": "T1", "trigger_id": "t1"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("audit", "start audit"),
        ("ask how much leave?", "how much leave?"),
        ("Queue", "my queue"),
        ("how?", "how?"),
    ],
)
def test_subcommands_stand_for_words(text: str, said: str) -> None:
    kept = heard(command(text))
    assert kept.payload["text"] == said
    assert kept.body is not None
    assert kept.body["response_type"] == "ephemeral"


@pytest.mark.parametrize("text", ["", "help", " HELP ", "?"])
def test_help_is_shown_at_once(text: str) -> None:
    assert understand(command(text)) == Answered({"response_type": "ephemeral", "text": HELP})


def test_a_message_shortcut_asks_in_private() -> None:
    kept = heard(
        {
            "type": "message_action",
            "callback_id": "ask_policies",
            "team": {"id": "T1"},
            "user": {"id": "UA"},
            "trigger_id": "t1",
            "message": {"text": "May I take <@UX> along?"},
            "channel": {"id": "C1"},
        }
    )
    assert kept.payload["text"] == "May I take @somebody along?"
    assert kept.payload["public"] is False
    assert kept.address == Address("T1", "@UA")


def test_the_url_is_verified_and_the_rest_goes_to_bolt() -> None:
    assert understand({"type": "url_verification", "challenge": "c"}) == Answered({"challenge": "c"})
    assert understand({"ssl_check": "1"}) == Answered()
    assert understand(event("app_home_opened", tab="home")) == ForBolt()
    assert understand({"type": "view_closed"}) == ForBolt()


@pytest.mark.parametrize("body", [{}, {"type": "event_callback"}, {"type": "block_actions"}, {"command": ""}])
def test_half_a_payload_breaks_nothing(body: dict[str, Any]) -> None:
    assert isinstance(understand(body), ForBolt | Answered)


@pytest.mark.parametrize("text", ["T1:D1", "T1:C1:1.1:UA", "C1", "T1:@UA"])
def test_an_address_reads_what_it_wrote(text: str) -> None:
    assert str(Address.parse(text)) == text
