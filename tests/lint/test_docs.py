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


SMTP = (ROOT / "docs/smtp.md").read_text()
FRONT = sorted((ROOT / "userspace/session/smtp").glob("*.c"))


def defaults():
    """Of every option, as the example configuration has it."""
    text = subprocess.run([BUILD / "posternd", "--example"], capture_output=True, text=True, check=True).stdout
    section, found = "", {}
    for indent, name, value in re.findall(r"^( *)([\w-]+):(.*)$", text, re.M):
        section = section if indent else f"{name}." if not value else ""
        if value:
            found[section + name if indent else name] = value.strip()
    return found


def test_smtp_options():
    """Each default is that of conf/schema.c, and no limit or check is missing."""
    rows = dict(re.findall(r"^\| `((?:smtp|check)\.[\w-]+)` \| `?([\w.]+)`? \|", SMTP, re.M))
    rows |= dict(re.findall(r"^\| `(check\.[\w-]+)` \|[^|]*\| `(\w+)` \|", SMTP, re.M))
    assert len(rows) > 20
    assert rows == {name: value for name, value in defaults().items() if name in rows}
    wanted = {name for name in defaults() if re.match(r"check\.|smtp\..*-(max|min|memory|disk|message|delay|command|data|session|ttl)$|smtp\.unknown-recipients$", name)}
    assert wanted - {"check.stage", "check.domains"} <= set(rows)


def test_smtp_replies():
    """Every code that the front says itself is there, and no other."""
    said = set()
    for path in FRONT:
        text = path.read_text()
        said |= set(re.findall(r'\b(\d{3}),\s+"([245]\.\d+\.\d+)"', text))
        for reject, defer, detail in re.findall(r'\{ (\d{3}), (\d{3}), "(\d+\.\d+)"', text):
            said |= {(code, f"{code[0]}.{detail}") for code in (reject, defer)}
    backend = "".join(path.read_text() for path in (ROOT / "userspace/backend").glob("*.c"))
    lost = set(re.findall(r'\.code = (\d{3}),\s+\.lost = true,\s+\.text = "([\d.]+)', backend))
    told = {pair for row in re.findall(r"^\| (\d[^|]*) \|", SMTP, re.M) for pair in re.findall(r"(\d{3}) ([245]\.\d+\.\d+)", row)}
    short = {pair for pair in said if pair[0] in ("214", "220", "221")}  # named without their enhanced codes
    assert len(said) > 40 and len(lost) > 3
    assert told == (said | lost) - short


def test_smtp_names():
    """Reasons of the log, events and metrics."""
    records = (ROOT / "userspace/session/smtp/records.c").read_text()
    metrics = (ROOT / "userspace/obs/metrics_smtp.c").read_text()
    names = {*re.findall(r'\[SMTP_REFUSED_\w+\]\s*=\s*\{\s*"(\w+)"', records), *re.findall(r'"(smtp\.\w+)"', records),
             *re.findall(r'"(postern_\w+)"', metrics)}
    assert len(names) > 35
    assert [name for name in sorted(names) if f"`{name}`" not in SMTP] == []
