"""`make bench`: every benchmark that needs nothing but this checkout, one after the other, as one table.

A ratio compares with the named peer or with the permitted cost, in the same run. `benchmarks.retrieval` (it
installs its peers into an environment of its own) and `benchmarks.walkthrough` are run by themselves.
"""

from __future__ import annotations

import importlib
import sys

BENCHMARKS = ("answering", "planner", "digest", "slack_answer", "slack_accept", "pace")


def main() -> None:
    """Print a line for each figure as it comes: what, the ratio, and what was measured."""
    for name in BENCHMARKS:
        for what, ratio, figures in importlib.import_module(f"benchmarks.{name}").main():
            sys.stdout.write(f"{what:32} {ratio:6.2f}  {figures}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
