#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs checks of packaging/make/check.mk one after the other, also after one has failed.

What a failing check prints is shown whole. Closes with one line: check: N passed, N failed.

usage: check.py MAKE NAME ...       MAKE is the command, with its options
"""
import sys

from run import Check, Runner, Tally

CHECK_SECONDS = 1800


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    make, names = sys.argv[1].split(), sys.argv[2:]
    tally = Tally()
    Runner().run([Check(f"check-{name}", [*make, f"check-{name}"], CHECK_SECONDS) for name in names], 1, tally)
    print(f"check: {tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
