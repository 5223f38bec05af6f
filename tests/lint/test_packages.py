# SPDX-License-Identifier: GPL-2.0-only
"""packaging/install-packages, with an apt-get that only writes down what it is asked, and what it finds then."""
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "packaging/install-packages"
APT = """#!/bin/sh
echo "$*" >>"$STAGE/asked"
cp "$STAGE/policy-rc.d" "$STAGE/seen" 2>/dev/null
echo "apt-get was here"
if [ -e "$STAGE/hang" ]; then exec sleep 1000; fi
case "$*" in
*download*) [ -e "$STAGE/fresh" ] && for name; do :; done && touch "${name}_1_all.deb" ;;
*install*) [ -e "$STAGE/fresh" ] ;;
*update*) [ ! -e "$STAGE/offline" ] && touch "$STAGE/fresh" ;;
esac
"""
DPKG = """#!/bin/sh
[ ! -e "$STAGE/damaged" ] || exit 2
mkdir -p "$3/usr/sbin" && cp /bin/true "$3/usr/sbin/mailer" && chmod 4755 "$3/usr/sbin/mailer"
"""
INSTALL = "-o DPkg::Lock::Timeout=300 install -y --no-install-recommends no-such-package"
DOWNLOAD = "-o DPkg::Lock::Timeout=300 download no-such-package"
UPDATE = "-o DPkg::Lock::Timeout=300 update"
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


class Stage:
    """A copy of the script with a list, a policy and programs of its own."""

    def __init__(self, root, packages):
        self.root = root
        self.policy = root / "policy-rc.d"
        self.script = root / "install-packages"
        self.script.write_text(SCRIPT.read_text().replace("policy=/usr/sbin/policy-rc.d", f"policy={self.policy}"))
        (root / "debian-packages.txt").write_text(f"# a comment\n\none: coreutils\ntwo: {packages}\n")
        (root / "bin").mkdir()
        for name, text in (("apt-get", APT), ("dpkg", DPKG), ("debconf-set-selections", '#!/bin/sh\ncat >"$STAGE/preseed"\n')):
            (root / "bin" / name).write_text(text)
            (root / "bin" / name).chmod(0o755)
        self.running = []
        self.env = {**os.environ, "STAGE": str(root), "PATH": f"{root}/bin:{os.environ['PATH']}"}

    def close(self):
        for running in self.running:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()

    def run(self, *sections):
        done = subprocess.run(["sh", self.script, *sections], env=self.env, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def asked(self):
        path = self.root / "asked"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path, "coreutils no-such-package")
    yield made
    made.close()


def test_nothing_is_missing(stage):
    assert stage.run("one") == (0, "", "")
    assert stage.asked() == [] and not stage.policy.exists()


def test_only_what_is_missing_is_installed(stage):
    (stage.root / "fresh").touch()
    assert stage.run("one", "two") == (0, "Installing packages: no-such-package\n", "")
    assert stage.asked() == [INSTALL]


def test_lists_are_fetched_if_need_be(stage):
    assert stage.run("two")[0] == 0
    assert stage.asked() == [INSTALL, UPDATE, INSTALL]


def test_a_failure_is_shown(stage):
    (stage.root / "offline").touch()
    status, _, said = stage.run("two")
    assert status == 1 and said == "apt-get was here\nmake deps: apt-get failed, see above\n"
    assert not stage.policy.exists()


def test_no_service_starts_meanwhile(stage):
    stage.run("two")
    assert subprocess.run(["sh", stage.root / "seen", "nginx", "start"]).returncode == 101
    assert not stage.policy.exists()


def test_a_policy_of_somebody_else_stays(stage):
    stage.policy.write_text("#!/bin/sh\nexit 0\n")
    stage.run("two")
    assert stage.policy.read_text() == "#!/bin/sh\nexit 0\n"


def test_a_policy_that_a_killed_run_has_left_goes(stage):
    (stage.root / "hang").touch()
    running = start_and_wait(stage)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert stage.policy.exists()
    (stage.root / "hang").unlink()
    stage.run("two")
    assert not stage.policy.exists()


@pytest.mark.parametrize("number", SIGNALS)
def test_interrupted(stage, number):
    (stage.root / "hang").touch()
    running = start_and_wait(stage)
    os.killpg(running.pid, number)  # as a terminal does
    assert running.wait(20) == 130
    assert not stage.policy.exists()


def start_and_wait(stage):
    """
    The script, with an apt-get that does not end. A shell cannot trap what was ignored when it was started; and dash
    loses a SIGINT that comes while it starts a program, so apt-get is no shell any more when this returns.
    """
    running = subprocess.Popen(["sh", stage.script, "two"], env=stage.env, start_new_session=True,
                               preexec_fn=lambda: [signal.signal(number, signal.SIG_DFL) for number in SIGNALS],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stage.running.append(running)
    end = time.monotonic() + 20
    while subprocess.run(["pgrep", "-x", "-g", str(running.pid), "sleep"], stdout=subprocess.DEVNULL).returncode:
        assert time.monotonic() < end
        time.sleep(0.05)
    return running


@pytest.mark.parametrize("packages, asks", [("postfix-that-is-not", False), ("postfix", True)])
def test_postfix_is_not_configured(tmp_path, packages, asks):
    """debconf is told only where Postfix is about to be installed: dpkg-query knows no package here."""
    stage = Stage(tmp_path, packages)
    (stage.root / "bin/dpkg-query").write_text("#!/bin/sh\nexit 1\n")
    (stage.root / "bin/dpkg-query").chmod(0o755)
    (stage.root / "fresh").touch()
    assert stage.run("two")[0] == 0
    assert (stage.root / "preseed").exists() == asks
    if asks:
        assert (stage.root / "preseed").read_text() == "postfix postfix/main_mailer_type select No configuration\n"


def test_without_root(stage):
    (stage.root / "bin/id").write_text("#!/bin/sh\necho 1000\n")
    (stage.root / "bin/id").chmod(0o755)
    assert stage.run("two") == (1, "", "make deps: not root, and these packages are missing: no-such-package\n")
    assert stage.asked() == [] and not stage.policy.exists()
    assert stage.run("one") == (0, "", "")


def unpack(stage):
    return stage.run("--unpacked", stage.root / "made/here", "two")


def test_a_package_is_unpacked_once(tmp_path):
    """Below the directory, without a program that runs as root for anybody; no root and no policy is needed for it."""
    stage = Stage(tmp_path, "no-such-package")
    (stage.root / "bin/id").write_text("#!/bin/sh\necho 1000\n")
    (stage.root / "bin/id").chmod(0o755)
    assert unpack(stage) == (0, "Unpacking packages: no-such-package\n", "")
    assert stage.asked() == [DOWNLOAD, UPDATE, DOWNLOAD] and not (stage.root / "seen").exists()
    assert (stage.root / "made/here/usr/sbin/mailer").stat().st_mode & 0o7777 == 0o755
    assert not list(stage.root.rglob("*.deb"))
    assert unpack(stage) == (0, "", "")
    assert len(stage.asked()) == 3


def test_what_cannot_be_unpacked_is_fetched_again(tmp_path):
    stage = Stage(tmp_path, "no-such-package")
    (stage.root / "damaged").touch()
    status, _, said = unpack(stage)
    assert status == 1 and said.endswith("make deps: apt-get failed, see above\n")
    (stage.root / "damaged").unlink()
    assert unpack(stage)[0] == 0
