# SPDX-License-Identifier: GPL-2.0-only
"""make install puts everything in its place, and make uninstall takes it all back but what is the operator's."""
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = os.environ.get("BUILD", "build")

EXPECTED = {
    "usr/sbin/posternd": 0o755,
    "usr/bin/posternctl": 0o755,
    "usr/share/man/man5/postern.yaml.5": 0o644,
    "usr/share/man/man8/posternd.8": 0o644,
    "usr/share/man/man8/posternctl.8": 0o644,
    "usr/share/bash-completion/completions/posternctl": 0o644,
    "usr/share/postern/prometheus/postern-alerts.yaml": 0o644,
    "usr/lib/systemd/system/postern.service": 0o644,
    "etc/postern/postern.yaml": 0o644,
}


def make(target, stage):
    subprocess.run(["make", "-s", target, f"BUILD={BUILD}", f"DESTDIR={stage}", "PREFIX=/usr"], cwd=ROOT, check=True,
                   capture_output=True)


def files(stage):
    return {str(path.relative_to(stage)): path.stat().st_mode & 0o777 for path in stage.rglob("*") if path.is_file()}


@pytest.fixture
def stage(tmp_path):
    make("install", tmp_path)
    return tmp_path


def test_files_and_modes(stage):
    assert files(stage) == EXPECTED


def test_the_unit_starts_what_was_installed(stage):
    unit = (stage / "usr/lib/systemd/system/postern.service").read_text()
    assert "ExecStart=/usr/sbin/posternd -c /etc/postern/postern.yaml\n" in unit
    assert "ExecReload=/usr/bin/posternctl reload\n" in unit
    assert "@" not in unit.replace("@system-service", "")


def test_the_configuration_is_valid_and_explained(stage):
    config = stage / "etc/postern/postern.yaml"
    subprocess.run([stage / "usr/sbin/posternd", "--check", "-c", config], check=True)
    manual = (stage / "usr/share/man/man5/postern.yaml.5").read_text()
    assert "@OPTIONS@" not in manual
    for line in config.read_text().splitlines():
        if line and not line.startswith(("#", " ")) and not line.endswith(":"):
            option = line.split(":")[0].replace("-", "\\-")
            assert f".It Cm {option}\n" in manual


def test_a_configuration_is_never_written_over(stage):
    config = stage / "etc/postern/postern.yaml"
    config.write_text("monitor: true\n")
    make("install", stage)
    assert config.read_text() == "monitor: true\n"


def test_uninstall_leaves_the_configuration_alone(stage):
    make("uninstall", stage)
    assert list(files(stage)) == ["etc/postern/postern.yaml"]


def test_uninstall_leaves_other_programs_alone(stage):
    other = stage / "usr/bin/other"
    other.write_text("mine")
    make("uninstall", stage)
    assert other.read_text() == "mine"
