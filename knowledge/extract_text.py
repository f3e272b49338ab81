"""Plain text in, normalised Markdown out: encodings, what can't be seen, links, and what looks suspicious.

The normal form of every document, whatever it came from: Unicode NFC, `\\n` line ends, no control or
invisible characters, no HTML comments, images as their alternative text, links as their text. A web
address in a document is replaced by "(link)" unless its host is trusted, so that an answer quoted from it
never carries an address that somebody smuggled in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

MAX_FILE = 25_000_000  # bytes of one document
MAX_TEXT = 4_000_000  # characters of one document; about 600,000 words
MAX_LINE = 200_000  # characters; no paragraph that people wrote is longer


class Unreadable(Exception):
    """This file can't be turned into text. `str(error)` completes a sentence for who handed it in."""


@dataclass(frozen=True)
class Finding:
    """Something in a document that its owner should look at.

    `kind` is "invisible" (characters that can't be seen were taken out), "hidden" (text that a reader of
    the original can't see was left out), "machine" (a sentence speaks to software, not to people),
    "picture" (pages show a picture and hold no text), "encoding" (read as Western European, not as Unicode),
    "twin" (another document is the same file) or "early" (a version that is in force later). `line` counts
    from 1 in the normalised text, 0 where there is none. `excerpt` is at most 80 characters.
    """

    kind: str
    line: int
    excerpt: str

    @property
    def told(self) -> str:
        """What to look at, as its owner is told."""
        if self.kind == "invisible":
            return f"{self.excerpt} that nobody can see, taken out"
        if self.kind == "hidden":
            return f"hidden in the original and left out: “{self.excerpt}”"
        if self.kind == "twin":
            return f"the same file as {self.excerpt}"
        if self.kind == "early":
            return f"in force only from {self.excerpt}; the version before answers until then"
        if self.kind == "encoding":
            return f"not in UTF-8, read as Western European (Windows-1252): “{self.excerpt}”"
        if self.kind == "picture":
            return f"pictures without text, which I can't read: {self.excerpt}"
        return f"words that speak to a machine{f' (line {self.line})' if self.line else ''}: “{self.excerpt}”"


_WESTERN = frozenset(
    "ÄÖÜäöüßÀÁÂÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕØÙÚÛàáâãåæçèéêëìíîïñòóôõøùúûÿŒœŸ€‚„…†‡‰‹›‘’“”•–—™¡¢£¥§©ª«®°±²³´µ¶·¹º»¼½¾¿×\u00a0"
)
"""Letters and signs beyond ASCII that Western European texts hold (in Windows-1252)."""
_SIGN_IN_WORD = re.compile(r"[^\W\d_][¡-©«-´¶-¹»-¿×][^\W\d_]|[^\W\d_][¡¢£¥¿]")
_HEADS = 80  # characters of a bold line that stands for a heading
_SENTENCE_END = tuple(".,;:!?")


def heads(line: str) -> bool:
    """Whether a line that is bold from end to end stands for a heading, as many people write them: it is
    short and no sentence."""
    return len(line) <= _HEADS and not line.endswith(_SENTENCE_END) and any(map(str.isalpha, line))


# Zero-width and bidirectional controls, tag characters, interlinear annotation. They can hide words from
# readers or reorder what is seen (Unicode Technical Report 36, section 2.5, "Bidirectional text spoofing").
_INVISIBLE = re.compile(
    "[\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
# Joiners are letters' business in Persian or Hindi, and an emoji's; between plain ones they only hide.
_IDLE_JOINER = re.compile(r"(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")
_SOFT = str.maketrans(
    {
        "\u00ad": None,
        **dict(
            zip("ﬀﬁﬂﬃﬄﬅﬆ", ("ff", "fi", "fl", "ffi", "ffl", "ft", "st"), strict=True)
        ),  # one sign in print
        "\u00a0": " ",
        "\u2028": "\n",
        "\u2029": "\n",
        "\u0085": "\n",
        "\x0b": "\n",
        "\x0c": "\n",
    }
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_SCRIPT = re.compile(r"<(script|style|svg|iframe)\b[^>]{0,2000}>.{0,100000}?</\1\s*>", re.I | re.S)
_TAG = re.compile(
    r"</?(script|style|svg|iframe|object|embed|img|a|abbr|b|blockquote|br|button|center|code|col|colgroup|dd|del|"
    r"details|div|dl|dt|em|figcaption|figure|font|form|h[1-6]|hr|i|input|ins|kbd|label|li|link|mark|meta|ol|p|"
    r"picture|pre|q|s|small|source|span|strong|sub|summary|sup|table|tbody|td|tfoot|th|thead|tr|u|ul|video)"
    r"(?:\s[^<>]{0,2000})?/?>",
    re.I,
)
_PARTING = frozenset(("br", "td", "th", "tr", "li", "p", "div"))  # tags that stand between words
# Every repetition has an upper bound, so that no hostile line takes quadratic time.
_IMAGE = re.compile(r"!\[([^\]\n]{0,300})\](?:\([^)\n]{0,2000}\)|\[[^\]\n]{0,300}\])")
_LINK = re.compile(r"(?<!\\)\[([^\[\]\n]{1,300})\]\(\s{0,9}<?([^)\s>]{0,2000})>?[^)\n]{0,300}\)")
_REFERENCE = re.compile(r"^ {0,3}\[(?!\^)[^\]\n]{1,300}\]:[ \t]{0,9}\S.*$", re.M)
_ADDRESS = re.compile(
    r"<?\b(?:[a-z][a-z0-9+.\-]{1,20}://|www\.)[^\s<>\"'`|)\]]+[^\s<>\"'`|)\].,;:!?]>?", re.I
)
_SCRIPT_ADDRESS = re.compile(r"\b(?:javascript|data|vbscript):[^\s]{3,}", re.I)
_BLANKS = re.compile(r"\n{3,}")

_MACHINE = re.compile(
    r"""
    \b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|earlier|preceding|all|any|your)\b.{0,30}
      \b(?:instruction|prompt|rule|message|context|guideline|direction)s?\b
    | \byou\s+are\s+(?:now\s+)?(?:an?\s+|the\s+)?(?:ai|helpful|large|language|chat\s?bot|assistant|gpt|llm)\b
    | \b(?:system|developer)\s+(?:prompt|message|instruction)s?\b
    | \b(?:assistant|model|chat\s?bot|llm|gpt|ai)\s*(?:,|:|must|should|shall|will|is\s+to)\s*
      (?:now\s+)?(?:reply|respond|answer|say|output|print|reveal|send|include|ignore|always|never|state|tell|quote)\b
    | \b(?:note|instruction|message|attention|dear)s?\s*(?:to|for)?\s+(?:all\s+|any\s+)?
      (?:ai|llm|language\s+model|assistant|chat\s?bot)s?\b
    | \b(?:do\s+not|don't|never)\s+(?:tell|inform|warn|show)\s+the\s+(?:user|reader|asker|human)\b
    | \bnew\s+instructions?\s*: | <[!@][a-z0-9^|]+> | </?passages?>
    | <\|[a-z_]+\|> | \[/?inst\] | </?(?:system|assistant|user|tool|instructions?)>
    | ^\s*\#*\s*(?:system|assistant)\s*:
    """,
    re.I | re.X,
)


def decode(data: bytes, declared: str | None = None) -> str:
    """The text of `data`: by its byte order mark, else by `declared`, else UTF-8.

    Raises Unreadable for empty, binary or wrongly encoded content.
    """
    if not data.strip():
        raise Unreadable("is empty")
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe\x00\x00", "utf-32"),
        (b"\x00\x00\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if data.startswith(mark):
            return _decode(data, encoding)
    if b"\x00" in data:
        raise Unreadable("is neither text nor a PDF, Word, Excel or HTML file")
    return _decode(data, declared or "utf-8")


def _decode(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"is not in UTF-8 (line {line}). Save it as UTF-8 and add it again") from None
    except LookupError:
        raise Unreadable(f"names an encoding that nobody knows ({encoding[:40]}). Save it as UTF-8") from None
    if len(_CONTROL.findall(text)) > max(8, len(text) // 200):
        raise Unreadable("is neither text nor a PDF, Word, Excel or HTML file")
    if not text.strip():
        raise Unreadable("is empty")
    return text


def plain_text(data: bytes) -> tuple[str, list[Finding]]:
    """The text of a file that can't say in which encoding it is: Unicode, else Western European where it
    looks like that, which its owner should look at. Raises Unreadable."""
    try:
        return decode(data), []
    except Unreadable:
        text = _western(data)
        if text is None:
            raise
    word = next(word for word in re.findall(r"\S*[^\x00-\x7f]\S*", text))
    return text, [Finding("encoding", 0, word[:80])]


def _western(data: bytes) -> str | None:
    """Bytes of Windows-1252, which office programs still write, as text. None where it is another encoding:
    then letters come out that Western languages hardly use, signs stand amid words, or most letters are
    accented ones."""
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return None
    beyond = [char for char in text if ord(char) > 127]
    plain = sum(char.isascii() and char.isalpha() for char in text)
    looks = set(beyond) <= _WESTERN and len(beyond) * 2 <= plain and not _SIGN_IN_WORD.search(text)
    return text if looks and beyond and not _CONTROL.search(text) else None


def clean(text: str, trusts: Callable[[str], bool] = lambda host: False) -> tuple[str, list[Finding]]:
    """The normal form of Markdown `text`, and what its owner should look at.

    `trusts(host)` says whose addresses may stay. Raises Unreadable when nothing is left or it is too long.
    """
    _check_lines(text)
    text, invisible = _visible(text)
    unread = _unread(text)
    text = _addresses(_without_tags(_COMMENT.sub("", text)), trusts)
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    text = _BLANKS.sub("\n\n", text).strip("\n") + "\n"
    if not text.strip():
        raise Unreadable("holds no text")
    count = f"{invisible} character{'s' if invisible > 1 else ''}"
    unseen = [Finding("invisible", 0, count)] if invisible else []
    return text, [*unseen, *unread, *_machine(text)]


def _check_lines(text: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_LINE:
            raise Unreadable(
                f"has a line of {len(line):,} characters (line {number}); that is data, not a policy"
            )
    if len(text) > MAX_TEXT:
        raise Unreadable(f"holds more than {MAX_TEXT:,} characters. Split it into its chapters")


def _visible(text: str) -> tuple[str, int]:
    """`text` without what can't be seen, and how many characters of the suspicious kind went."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = text.removeprefix("\ufeff").translate(_SOFT)
    text, some = _INVISIBLE.subn("", text)
    text, more = _IDLE_JOINER.subn("", text)
    return _CONTROL.sub("", text), some + more


def _unread(text: str) -> list[Finding]:
    """Comments that speak to software: no reader of the document ever saw them."""
    comments = (found[0][4:5_000].removesuffix("-->").strip() for found in _COMMENT.finditer(text))
    return [Finding("hidden", 0, comment[:80]) for comment in comments if _MACHINE.search(comment)][:20]


def _without_tags(text: str) -> str:
    """Markdown may hold HTML: its scripts go, of the rest the words stay."""
    text = _SCRIPT.sub("", text)
    return _TAG.sub(
        lambda tag: " " if tag[1].lower() in ("br", "td", "th", "tr", "li", "p", "div") else "", text
    )


def _addresses(text: str, trusts: Callable[[str], bool]) -> str:
    text = _IMAGE.sub(r"\1", text)
    text = _LINK.sub(lambda link: _link(link[1], link[2], trusts), text)
    text = _REFERENCE.sub("", text)
    text = _ADDRESS.sub(lambda address: address[0] if trusts(_host(address[0])) else "(link)", text)
    return _SCRIPT_ADDRESS.sub("(link)", text)


def _link(words: str, address: str, trusts: Callable[[str], bool]) -> str:
    if address.startswith(("http://", "https://")) and trusts(_host(address)):
        return f"{words} ({address})"
    return words


def _host(address: str) -> str:
    try:
        return urlsplit(address.strip("<>")).hostname or ""
    except ValueError:
        return ""


def _machine(text: str) -> list[Finding]:
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        # A pattern that crosses much of a line has no need of more than its first part.
        if hit := _MACHINE.search(line[:5_000]):
            found.append(Finding("machine", number, hit[0].strip()[:80]))
    return found[:50]


def table(rows: list[list[str]]) -> str:
    """Markdown of a table whose first row is its header. Rows are padded to the widest."""
    rows = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
    rows = [row for row in rows if any(row)]
    if not rows:
        return ""
    width = max(len(row) for row in rows)
    lines = ["| " + " | ".join(row + [""] * (width - len(row))) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])
