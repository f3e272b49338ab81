"""The app's manifest: one source for the files in the repository and for `stagecoach slack manifest`."""

from __future__ import annotations

from typing import Any

from handlers.slack.bolt import PROMPTS

EXAMPLE_URL = "https://stagecoach.example.com"

SCOPES = {
    "app_mentions:read": "hear an @mention in a channel",
    "assistant:write": "show that an answer is on its way, and offer first questions",
    "channels:history": "hear a follow-up in a thread of a public channel without another mention; see "
    "whether a message that was cut off on its way did arrive",
    "chat:write": "answer, and send nudges and digests",
    "commands": "/stagecoach and the message shortcut",
    "files:read": "read a policy that its owner drops in the direct message",
    "files:write": "show a chart as a picture where the workspace refuses Slack's own",
    "groups:history": "the same in private channels that the app was invited to",
    "im:history": "hear direct messages",
    "im:write": "open the direct message for a nudge",
    "users:read": "time zone, and whether an account is closed, a guest or from another company",
    "users:read.email": "recognise people by the address in your organisation file",
}
"""Every permission and what it is for. docs/slack.md shows them; a test keeps the two alike."""

EVENTS = (
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "function_executed",
    "message.channels",
    "message.groups",
    "message.im",
    "tokens_revoked",
    "user_change",
)

_LONG = (
    "Stagecoach helps every department put AI to work in the right order. Leads look at where their team "
    "stands, a few short questions at a time, and choose next steps. Everybody can ask about the company's "
    "AI policies and gets the policy's own words, or hears that the policies do not say. Executives get one "
    "screen a week."
)


def manifest(public_url: str | None, socket_mode: bool = False) -> dict[str, Any]:
    """The manifest of a deployment at `public_url`; with Socket Mode no address is needed."""
    base = (public_url or EXAMPLE_URL).rstrip("/")
    events = f"{base}/slack/events"
    where = {} if socket_mode else {"request_url": events}
    return {
        "_metadata": {"major_version": 2, "minor_version": 0},
        "display_information": {
            "name": "Stagecoach",
            "description": "Coaches your company through the five AI value models.",
            "long_description": _LONG,
            "background_color": "#1f3a34",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Stagecoach", "always_online": True},
            "agent_view": {
                "agent_description": "Asks teams where they stand with AI, and answers questions about the "
                "company's AI policies in the policies' own words.",
                "suggested_prompts": [{"title": title, "message": message} for title, message in PROMPTS],
            },
            "shortcuts": [
                {
                    "name": "Ask the policies",
                    "type": "message",
                    "callback_id": "ask_policies",
                    "description": "What do the policies say about this message? Only you see the answer.",
                }
            ],
            "slash_commands": [
                {
                    "command": "/stagecoach",
                    **({} if socket_mode else {"url": events}),
                    "description": "Ask a policy, start an audit, see what is waiting",
                    "usage_hint": "ask … | audit | coverage | steps | queue | digest | pause | help",
                    "should_escape": True,
                }
            ],
        },
        "oauth_config": {
            "redirect_urls": [f"{base}/slack/oauth_redirect"],
            "scopes": {"bot": list(SCOPES)},
        },
        "settings": {
            "event_subscriptions": {**where, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **where},
            "org_deploy_enabled": True,
            "socket_mode_enabled": socket_mode,
            "token_rotation_enabled": False,
            "function_runtime": "remote",
        },
        "functions": {
            "ask_policies": _step(
                "Ask the policies",
                "Answers a question from the policies that the person may read.",
                {
                    "question": ("string", "Question", "What is asked"),
                    "user": ("slack#/types/user_id", "Person", "Who asks; decides which policies are read"),
                },
                {"answer": ("string", "Answer", "The answer in the policies' own words")},
            ),
            "start_audit": _step(
                "Start an audit",
                "Writes to a team lead and offers the first four questions.",
                {"user": ("slack#/types/user_id", "Team lead", "Who is asked")},
                {"answer": ("string", "Result", "What was done")},
            ),
        },
    }


_Parameters = dict[str, tuple[str, str, str]]


def _step(title: str, description: str, inputs: _Parameters, outputs: _Parameters) -> dict[str, Any]:
    def shown(parameters: _Parameters) -> dict[str, Any]:
        return {
            "properties": {
                name: {"type": kind, "title": label, "description": about, "is_required": True}
                for name, (kind, label, about) in parameters.items()
            },
            "required": list(parameters),
        }

    return {
        "title": title,
        "description": description,
        "input_parameters": shown(inputs),
        "output_parameters": shown(outputs),
    }
