# SPDX-License-Identifier: GPL-2.0-only
"""make run: packaging/run-foreground filters until it is told to end, and then leaves nothing attached."""
import json
import os
import pathlib
import signal
import subprocess

import pytest

from lab import BUILD, wait_until

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "packaging/run-foreground"
SECONDS = 20
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


class Foreground:
    """The script on g0, with a build tree of its own, which nobody but root can look into."""

    def __init__(self, lab, place):
        self.lab, self.place = lab, place
        for name in ("posternd", "posternctl"):
            (place / name).symlink_to((BUILD / name).resolve())
        self.socket = place / "run/control.sock"
        self.log = place / "log"
        self.start()

    def start(self):
        """In a process group of its own, which stands for the terminal's, and with signals as a terminal has them."""
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                ["nsenter", f"--net=/run/netns/{self.lab.gateway}", SCRIPT, self.place, "g0"], stdout=log, stderr=log,
                start_new_session=True,
                preexec_fn=lambda: [signal.signal(number, signal.SIG_DFL) for number in SIGNALS])
        wait_until(lambda: '"agent.ready"' in self.log.read_text(), SECONDS, "the start")

    def ctl(self, *words):
        return subprocess.run([BUILD / "posternctl", "--socket", self.socket, *words], capture_output=True, text=True,
                              check=True).stdout

    def attached(self, iface):
        link = json.loads(self.lab.ns(self.lab.gateway, "ip", "-j", "link", "show", iface).out)[0]
        return "xdp" in link

    def agent(self):
        return json.loads(self.ctl("status", "--json"))["pid"]

    def pins(self):
        config = (self.place / "run/postern.yaml").read_text()
        return pathlib.Path(config.split("pin-directory: ")[1].split("\n")[0])

    def end(self, number=signal.SIGINT):
        os.killpg(self.process.pid, number)
        return self.process.wait(SECONDS)


@pytest.fixture
def foreground(fresh, tmp_path):
    started = Foreground(fresh, tmp_path)
    yield started
    if started.process.poll() is None:
        started.end()


@pytest.mark.parametrize("number", SIGNALS)
def test_it_leaves_nothing_attached(foreground, number):
    agent = foreground.agent()
    foreground.ctl("attach", "g1")  # also what somebody attached meanwhile
    assert foreground.attached("g0") and foreground.attached("g1")
    assert foreground.end(number) == 0
    assert not foreground.attached("g0") and not foreground.attached("g1")
    assert not foreground.pins().exists() and not pathlib.Path(f"/proc/{agent}").exists()


def test_it_says_how_to_talk_to_it(foreground):
    said = foreground.log.read_text()
    assert f"export POSTERN_SOCKET={foreground.socket}" in said
    assert foreground.pins().exists()


def test_lists_are_there_the_next_time(foreground):
    foreground.ctl("block", "add", "198.51.100.77")
    assert foreground.end() == 0
    foreground.start()
    assert "198.51.100.77" in foreground.ctl("block", "show")


def test_an_agent_that_is_killed(foreground):
    """What is still filtered is said, and the next run takes it over and off."""
    os.kill(foreground.agent(), signal.SIGKILL)
    assert foreground.process.wait(SECONDS) == 1
    assert "g0 is still filtered" in foreground.log.read_text() and foreground.attached("g0")
    foreground.start()
    assert foreground.end() == 0
    assert not foreground.attached("g0") and not foreground.pins().exists()


def test_no_such_interface(tmp_path):
    done = subprocess.run([SCRIPT, tmp_path, "nosuch0"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "make run: no interface nosuch0 (ip -br link lists them)\n"
    assert list(tmp_path.iterdir()) == []
