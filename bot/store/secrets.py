"""Secrets at rest: sealed with STAGECOACH_SECRET_KEY before they reach the database."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bot.errors import SettingsError


class Sealer:
    """Seals and opens texts with one or several keys: the first seals, each may open (for a change of key).

    A key is any text of enough length; Fernet's own key is derived from it.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys or any(len(key) < 16 for key in keys):
            raise SettingsError("STAGECOACH_SECRET_KEY needs at least 16 characters, better 32 random ones.")
        self._fernet = MultiFernet([Fernet(_derived(key)) for key in keys])

    def seal(self, text: str) -> str:
        """`text` so that only the key opens it."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str, most_seconds: int | None = None) -> str:
        """What was sealed (at most `most_seconds` ago). Raises SettingsError where the key does not fit."""
        try:
            return self._fernet.decrypt(sealed.encode(), ttl=most_seconds).decode()
        except InvalidToken:
            raise SettingsError(
                "A secret in the database can't be opened. Set STAGECOACH_SECRET_KEY to the key of that time."
            ) from None


def _derived(key: str) -> bytes:
    # Keys are random by the set-up's instructions, so that a slow derivation would add nothing.
    return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())
