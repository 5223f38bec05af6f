#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs checks of packaging/make/check.mk one after the other, also after one has failed.

What a failing check prints is shown whole. Closes with one line: check: N passed, N failed.

usage: check.py MAKE NAME ...       MAKE is the command, with its options
"""
import sys
import time

from run import Tally, run, tidy_when_told_to_end

CHECK_SECONDS = 1800


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    tidy_when_told_to_end()
    make, names = sys.argv[1].split(), sys.argv[2:]
    tally = Tally()
    for name in names:
        start = time.monotonic()
        status, output = run([*make, f"check-{name}"], CHECK_SECONDS)
        tally.add(f"check-{name}", int(status == 0), int(status != 0), time.monotonic() - start, output)
    print(f"check: {tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
