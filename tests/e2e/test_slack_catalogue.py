"""Every message that the sample company's people really get, in every form that Slack may be sent."""

from __future__ import annotations

from pathlib import Path

from benchmarks.previews_slack import forms_page, page
from handlers.slack.render import AI_NOTE, forms
from tests.fakes.slack_limits import problems
from tests.support.spoken import everything_said


async def test_everything_that_is_said_can_be_shown(tmp_path: Path) -> None:
    messages = await everything_said(tmp_path, weeks=1)
    assert {message.kind for message in messages} >= {"question", "result", "answer", "nudge", "digest"}
    charts = 0
    for message in messages:
        for form in forms(message):
            assert problems(list(form.blocks)) == [], message
            assert form.text.strip()
            assert (AI_NOTE in form.text) == message.written_by_model
            charts += any(block["type"] == "data_visualization" for block in form.blocks)
    assert charts, "a digest draws its chart"
    assert forms_page().count('<div class="m">') == 5
    assert page(messages).count('<div class="m">') == len(messages)
