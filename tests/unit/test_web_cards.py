"""How messages share the room on the page, and that nothing of them is lost."""

from __future__ import annotations

from bot.messages import Choice, Message, Progress, plain
from handlers.web.cards import card, spoken


def choices(*pairs: tuple[str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(id=f"audit:1:2:WE-1.{what}", label=label) for what, label in pairs)


ANCHORS = Message(
    kind="question",
    text=f"Which is closer?\n\n- **A** Most use it {plain('[daily]')}.\n- **B** Few do.\n- **Note** stays.",
    choices=choices(("pick.3", "A"), ("pick.1", "B"), ("neither", "Neither"), ("skip", "Skip")),
    progress=Progress(done=0, total=4, minutes=3),
)


def test_lettered_options_become_buttons_with_their_text() -> None:
    laid_out = card(ANCHORS)
    assert [option.text for option in laid_out.options] == [r"Most use it \[daily\].", "Few do."]
    assert laid_out.text == "Which is closer?\n\n- **Note** stays."
    assert [choice.label for choice in laid_out.answers] == ["Neither"]
    assert [choice.label for choice in laid_out.asides] == ["Skip"]


def test_what_a_pick_says_is_the_text_behind_the_letter() -> None:
    said = spoken(ANCHORS)
    assert said["audit:1:2:WE-1.pick.3"] == "Most use it [daily]."
    assert said["audit:1:2:WE-1.skip"] == "Skip"


def test_a_list_without_such_buttons_stays_a_list() -> None:
    message = Message(text="- **A** first\n- **B** second", choices=choices(("pick.1", "B")))
    assert card(message).text == "- **A** first"
    assert card(Message(text="- **A** first")).text == "- **A** first"


def test_every_choice_is_drawn_once() -> None:
    laid_out = card(ANCHORS)
    drawn = [option.choice for option in laid_out.options] + [*laid_out.answers, *laid_out.asides]
    assert sorted(one.id for one in drawn) == sorted(one.id for one in ANCHORS.choices)


def test_the_progress_line_goes_only_where_the_page_draws_its_own() -> None:
    text = "Noted.\n\n**Question 2 of 4**, about 2 minutes\n\nWho did it?"
    assert "Question 2" in card(Message(text=text)).text
    assert "Question 2" not in card(Message(text=text, progress=Progress(done=1, total=4, minutes=2))).text


def test_a_primary_button_is_never_put_aside() -> None:
    message = Message(text="?", choices=(Choice(id="audit:1:0:-.later", label="Later", style="primary"),))
    assert len(card(message).answers) == 1
