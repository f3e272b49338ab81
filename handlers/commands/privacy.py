"""`export` and `erase`: what is kept about one person."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from bot.clock import clock_from_setting
from bot.config import Settings
from bot.errors import InputError, StagecoachError
from bot.privacy.erase import Kept, erase_person, kept_about
from bot.privacy.export import export_person
from handlers.commands.common import open_store, run, say


def export(settings: Settings, email: str, out: Path) -> None:
    """Write everything about a person into a new file that its owner alone can read."""
    now = clock_from_setting(settings.now)()

    async def work() -> dict[str, Any]:
        async with open_store(settings) as store, store.write() as tx:
            return await export_person(tx, email, now)

    if out.exists():
        raise InputError(f"{out} is there already. Name a new file.")
    _write(out, json.dumps(run(work()), ensure_ascii=False, indent=2) + "\n")
    say(f"{out} holds everything that is kept about {email}. Only you can read it; pass it on with care.")


def _write(out: Path, text: str) -> None:
    """Make the file, never over another one; what can't be written whole is not left half."""
    try:
        number = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(f"{out} is there already. Name a new file.") from None
    except OSError as error:
        raise InputError(f"{out} can't be written ({error.strerror}).") from None
    try:
        with open(number, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        out.unlink(missing_ok=True)
        raise InputError(f"{out} can't be written ({error.strerror}).") from None


def erase(settings: Settings, email: str, yes: bool) -> None:
    """Erase everything about a person; without `yes` only say what that would be, and refuse."""
    now = clock_from_setting(settings.now)()

    async def look() -> Kept:
        async with open_store(settings) as store, store.read() as session:
            return await kept_about(session, email)

    async def work() -> Kept:
        async with open_store(settings) as store, store.write() as tx:
            return await erase_person(tx, email, now)

    if not yes:
        raise StagecoachError(f"{_told(run(look()))}\nNothing was changed. With --yes it is done, for good.")
    kept = run(work())
    say(
        f"{_told(kept)}\nIt is done. Take {kept.email} out of the organisation file as well, or the next "
        "import adds them again. Older backups still hold all of it."
    )


def _told(kept: Kept) -> str:
    lines = [f"What is kept about {kept.name} ({kept.email}), and what becomes of it:"]
    lines += [f"  {line.title}: {line.count} ({line.then or 'go'})" for line in kept.lines]
    if kept.policies:
        lines.append(
            f"  These documents name them in their own text and stay as they are: {', '.join(kept.policies)}"
        )
    return "\n".join(lines)
