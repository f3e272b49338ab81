"""A message on its way, as an e-mail: headers, plain words, HTML, and the picture within it."""

from __future__ import annotations

import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from urllib.parse import quote

from bot.messages import Message
from handlers.email.letter import as_html, as_text, without_marks
from handlers.email.pausing import PauseLinks
from handlers.email.server import MailServer
from scheduler.charts import draw_png
from scheduler.sending import Outgoing

LONGEST_SUBJECT = 78
"""Longer lines are folded, and cut off by most mail programs anyway (RFC 5322, 2.1.1)."""

_STRONG_START = re.compile(r"\s*\*\*(.+?)\*\*")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s")


def compose(
    server: MailServer, outgoing: Outgoing, at: datetime, links: PauseLinks | None = None
) -> EmailMessage:
    """The whole e-mail. Its id is made from the delivery's, so that a second attempt is the same letter."""
    message = outgoing.message
    title, closing = subject_of(message), closing_of(message)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(server.sender_name, addr_spec=server.sender)
    mail["To"] = Address(addr_spec=outgoing.conversation)
    mail["Subject"] = title
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message_id(server, outgoing.delivery_id)
    # RFC 2369; RFC 3834 keeps out-of-office replies away.
    by_mail = f"<mailto:{quote(server.sender, safe='@')}?subject=pause>"
    if links is not None and outgoing.person_id is not None:
        # RFC 8058: mail programs post to the link by themselves.
        mail["List-Unsubscribe"] = f"<{links.link(outgoing.person_id)}>, {by_mail}"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    else:
        mail["List-Unsubscribe"] = by_mail
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(as_text(message, closing))
    picture_id = f"chart.{message_id(server, outgoing.delivery_id)[1:-1]}"
    picture = f"cid:{picture_id}" if message.chart is not None else None
    mail.add_alternative(as_html(message, title, picture, closing), subtype="html")
    html = mail.get_body(("html",))
    if message.chart is not None and html is not None:
        html.add_related(
            draw_png(message.chart), "image", "png", cid=f"<{picture_id}>", filename="chart.png",
            disposition="inline",
        )  # fmt: skip
    return mail


def message_id(server: MailServer, delivery_id: str) -> str:
    """The same at each attempt: mail programs show two letters with one id once."""
    return f"<{sha256(delivery_id.encode()).hexdigest()[:32]}@{server.domain}>"


def subject_of(message: Message) -> str:
    """The bold words a message begins with, else its first sentence."""
    strong = _STRONG_START.match(message.text)
    first = strong[1] if strong else message.text.strip().partition("\n")[0]
    said = " ".join(without_marks(first if strong else _SENTENCE_END.split(first)[0]).split())
    if len(said) <= LONGEST_SUBJECT:
        return said or "A word from Stagecoach"
    return f"{said[: LONGEST_SUBJECT - 1].rsplit(' ', 1)[0]}…"


def closing_of(message: Message) -> str:
    """How to go on from a letter, which has no buttons."""
    if message.kind == "digest":
        return (
            "Ask me where any of these figures comes from, in the chat where we talk. "
            'Say "pause all" there and I stop writing.'
        )
    return 'To answer, write to me in the chat where we talk. Say "pause all" there and I stop writing.'
