#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Checks that files and functions of the product stay short enough to be read at once.

The code is formatted (make check-format), so a function's body is what stands between a line that is "{" and the
next one that is "}".

usage: sizes.py [ROOT]      prints one line for each file or function that is too long; exit status 1 if there are any
"""
import sys
from pathlib import Path

FOLDERS = ("bpf", "maps", "userspace", "tools")
FILE_LINES = 400
FUNCTION_LINES = 60


def functions(lines):
    """(first line, number of lines, text before the body) of each function."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            yield start, number - start + 1, lines[start - 2].strip()
            start = None


def violations(root):
    """One line for each file or function below `root` that is too long."""
    found = []
    for folder in FOLDERS:
        for file in sorted((Path(root) / folder).rglob("*.[ch]")):
            lines = file.read_text().splitlines()
            relative = file.relative_to(root)
            if len(lines) > FILE_LINES:
                found.append(f"{relative}: {len(lines)} lines, at most {FILE_LINES}")
            found += [f"{relative}:{start}: {head}: {length} lines, at most {FUNCTION_LINES}"
                      for start, length, head in functions(lines) if length > FUNCTION_LINES]
    return found


def main():
    found = violations(sys.argv[1] if len(sys.argv) > 1 else ".")
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
