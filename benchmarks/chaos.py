"""The long fault tables: the same tests as in every run, at full size. `python -m benchmarks.chaos`."""

from __future__ import annotations

import os
import sys

import pytest

TABLES = (
    "tests/conformance/test_planner.py",
    "tests/faults/test_killed_stream.py",
    "tests/faults/test_post_office.py",
    "tests/faults/test_processes.py",
    "tests/faults/test_slack_deliveries.py",
    "tests/property/test_moments.py",
    "tests/property/test_renderers.py",
)


def main() -> int:
    """Run the tables; the exit status is pytest's."""
    os.environ["STAGECOACH_LONG"] = "1"
    return int(pytest.main([*TABLES, "-q", "-rP", "--durations=0", "-o", "timeout=7200"]))


if __name__ == "__main__":
    sys.exit(main())
