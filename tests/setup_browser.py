"""`make test` runs this first: see that there is a Chromium for the tests of the page, or say so.

On Debian and its kin, as root, it is installed from the system's own packages. Anywhere else nothing is
installed, and the tests that need a browser are skipped with a notice. Never a reason to fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tests.support.browser import find_chromium

PACKAGES = ("chromium", "fonts-dejavu-core")
MINUTES = 10


def main() -> None:
    """Find a browser or install one."""
    if find_chromium():
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        print("Installing Chromium for the tests of the page ...", file=sys.stderr)
        trouble = _install()
    else:
        trouble = "none is installed, and only root on Debian or Ubuntu can be helped here"
    if not find_chromium():
        print(f"\nNOTICE: no Chromium ({trouble}).\nThe tests of the page are skipped.\n", file=sys.stderr)


def _install() -> str:
    """Install the packages. Returns the last line of what went wrong, if something did."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES],
    ):
        try:
            done = subprocess.run(
                command, env=quiet, capture_output=True, text=True, timeout=60 * MINUTES, check=False
            )
        except subprocess.TimeoutExpired:
            return f"{command[1]} took more than {MINUTES} minutes"
        if done.returncode:
            return (done.stderr.strip().splitlines() or [f"{command[1]} failed"])[-1]
    return "the packages bring none"


if __name__ == "__main__":
    main()
