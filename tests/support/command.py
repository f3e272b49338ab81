"""Running the `stagecoach` command as a user would, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

COMMAND = Path(sys.executable).parent / "stagecoach"


@dataclass(frozen=True)
class Result:
    """What a command printed and how it left."""

    status: int
    out: str
    err: str


def environment(home: Path, **more: str) -> dict[str, str]:
    """An environment that knows nothing of the machine's own settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "STAGECOACH_HOME": str(home), **more}


def stagecoach(home: Path, *arguments: str, given: str = "", seconds: float = 60, **more: str) -> Result:
    """Run `stagecoach ARGUMENTS` with data below `home`; `more` goes into its environment."""
    done = subprocess.run(
        [str(COMMAND), *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=seconds,
        env=environment(home, **more),
        cwd=home,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)
