# SPDX-License-Identifier: GPL-2.0-only
"""sizes.py counts lines as it says, and complains from the first line that is too many."""
from pathlib import Path

import pytest

import sizes

ROOT = Path(__file__).resolve().parents[2]


def function(lines):
    """A function whose body, braces included, has so many lines."""
    return "\n".join(["static int f(void)", "{"] + ["\tg();"] * (lines - 2) + ["}", ""])


def plant(root, name, text):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


@pytest.mark.parametrize("folder", sizes.FOLDERS)
def test_long_function(tmp_path, folder):
    plant(tmp_path, f"{folder}/x/a.c", function(sizes.FUNCTION_LINES))
    assert sizes.violations(tmp_path) == []
    plant(tmp_path, f"{folder}/x/a.c", "\n" + function(3) + function(sizes.FUNCTION_LINES + 1))
    assert sizes.violations(tmp_path) == [f"{folder}/x/a.c:7: static int f(void): 61 lines, at most 60"]


@pytest.mark.parametrize("name", ["userspace/lib/a.c", "maps/a.h"])
def test_long_file(tmp_path, name):
    plant(tmp_path, name, "int x;\n" * sizes.FILE_LINES)
    assert sizes.violations(tmp_path) == []
    plant(tmp_path, name, "int x;\n" * (sizes.FILE_LINES + 1))
    assert sizes.violations(tmp_path) == [f"{name}: 401 lines, at most 400"]


def test_a_table_may_be_long(tmp_path):
    plant(tmp_path, "tools/a.c", "static const int table[] = {\n" + "\t1,\n" * 100 + "};\n")
    assert sizes.violations(tmp_path) == []


def test_tests_are_not_measured(tmp_path):
    plant(tmp_path, "tests/unit/a.c", function(200) * 5)
    assert sizes.violations(tmp_path) == []


def test_this_tree():
    assert sizes.violations(ROOT) == []
