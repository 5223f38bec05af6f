#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Checks that every source file says its licence in one of its first three lines.

usage: licences.py [ROOT]   prints one line for each file that does not; exit status 1 if there are any
"""
import os
import sys
from pathlib import Path

LICENCE = "SPDX-License-Identifier: GPL-2.0-only"
LEFT_OUT = {".git", "build", "corpus", "__pycache__", ".pytest_cache"}
# Written for people, or with a format of their own that has no room for it.
SILENT = {".md", ".txt", ".json", ".pyc", ".profraw"}
NAMES = {".git", "LICENSE", ".gitignore", ".clang-format", ".clang-tidy", ".editorconfig"}


def violations(root):
    """One line for each source file below `root` without its licence."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        for name in sorted(names):
            path = Path(folder) / name
            if path.suffix in SILENT or name in NAMES or not path.is_file():
                continue
            with open(path, errors="replace") as file:
                head = [file.readline() for _ in range(3)]
            if not any(LICENCE in line for line in head):
                found.append(f"{path.relative_to(root)}: no '{LICENCE}' in its first three lines")
    return found


def main():
    found = violations(sys.argv[1] if len(sys.argv) > 1 else ".")
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
