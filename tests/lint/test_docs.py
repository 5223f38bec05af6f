# SPDX-License-Identifier: GPL-2.0-only
"""What README.md and docs/ name is there: make targets, commands of posternctl, files."""
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", ROOT / "build"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = "bpf|maps|userspace|tools|tests|docs|packaging"


def code(text):
    """The parts of a page that are set as code: indented lines, and what stands between backquotes."""
    blocks = re.findall(r"^ {4,}(.*)$", text, re.M)
    return blocks + re.findall(r"`([^`]+)`", re.sub(r"^ {4,}.*$", "", text, flags=re.M))


def named(pattern):
    """Everything on the pages that matches within code, with the page's name."""
    return sorted({(page.name, match) for page in PAGES for part in code(page.read_text())
                   for match in re.findall(pattern, part)})


def targets():
    """The targets that `make help` lists."""
    text = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^  ([a-z-]+) ", text, re.M))


def test_make_targets():
    wanted = named(r"^make ([a-z][a-z-]*)")
    assert len(wanted) > 5
    missing = [(page, target) for page, target in wanted if target not in targets()]
    assert missing == []


@pytest.mark.parametrize("page, command", named(r"^posternctl ([a-z].*)"))
def test_commands(page, command):
    """The words up to the first argument are a command that posternctl can explain."""
    words = re.match(r"[a-z]+(?: (?:add|del|test|show|load|clear|set|check|spf))?", command).group(0).split()
    help = subprocess.run([BUILD / "posternctl", "help", *words], capture_output=True, text=True)
    assert help.returncode == 0, f"{page}: posternctl {command}: {help.stderr}"
    assert f"posternctl {' '.join(words)}" in help.stdout


def test_commands_are_named():
    assert len(named(r"^posternctl ([a-z].*)")) > 5


def test_files():
    """Paths are set in bold, as code, or as plain words; a name with a pattern in it is not a path."""
    missing = []
    for page in PAGES:
        paths = set(re.findall(rf"(?<![\w./-])((?:{FOLDERS})/[\w./-]*\w)(?![\w*])", page.read_text().replace("**", "")))
        assert paths
        missing += [(page.name, path) for path in sorted(paths) if not (ROOT / path).exists()]
    assert missing == []
