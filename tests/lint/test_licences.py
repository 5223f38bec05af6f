# SPDX-License-Identifier: GPL-2.0-only
"""licences.py finds the file without a licence, and is quiet about those that need none."""
from pathlib import Path

import pytest

import licences

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["a.c", "a.h", "a.py", "a.yaml", "Makefile", "run", "a.mk", "b.8", "b.5.in"])
def test_a_file_without_it(tmp_path, name):
    (tmp_path / "sub").mkdir()
    file = tmp_path / "sub" / name
    file.write_text("one\ntwo\nthree\n# SPDX-License-Identifier: GPL-2.0-only\n")
    assert licences.violations(tmp_path) == [f"sub/{name}: no '{licences.LICENCE}' in its first three lines"]
    file.write_text("one\ntwo\n# SPDX-License-Identifier: GPL-2.0-only\n")
    assert licences.violations(tmp_path) == []


def test_another_licence(tmp_path):
    (tmp_path / "a.c").write_text("/* SPDX-License-Identifier: MIT */\n")
    assert len(licences.violations(tmp_path)) == 1


def test_what_needs_none(tmp_path):
    (tmp_path / "build").mkdir()
    (tmp_path / "corpus").mkdir()
    for name in ("build/a.c", "corpus/seed", "README.md", "LICENSE", ".gitignore", "names.txt"):
        (tmp_path / name).write_text("nothing\n")
    assert licences.violations(tmp_path) == []


def test_this_tree():
    assert licences.violations(ROOT) == []


def test_the_licence_itself_is_there():
    text = (ROOT / "LICENSE").read_text()
    assert "GNU GENERAL PUBLIC LICENSE" in text and "Version 2, June 1991" in text
