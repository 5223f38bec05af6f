# SPDX-License-Identifier: GPL-2.0-only
"""What greylisting knows outlives the agent: it is told to end, is killed, finds its file damaged, or the disk full. The sender is swaks.

Each client is of a network of its own and has no host name, which is what it is greylisted for.
"""
import errno
import pathlib
import re
import signal
import subprocess
import time

import pytest

from frontbed import SENDER, USER, Front
from guardbed import RELOAD_SECONDS
from lab import GATEWAY4, Lab, wait_until

DELAY = 20  # seconds that who is greylisted has to wait
SAVED = 75  # within so many what is known is on disk: a minute, and some
SETTINGS = {
    "check": {"score": "reject", "stage": "rcpt", "spf": "monitor", "sender": "monitor"},
    "score": {"rdns-missing": 7, "rdns-confirmed": 0, "helo-unknown": 0, "helo-mismatch": 0, "helo-match": 0, "spf-fail": 0, "spf-pass": 0},
    "greylist": {"enabled": True, "delay": DELAY, "window": 3600, "keep": 86400},
}
TOLD = re.compile(r"450 4\.7\.1 refused: greylisted: come again in (\d+) seconds")


@pytest.fixture(scope="module")
def front():
    with Lab("frontgreylist") as lab:
        state = lab.directory / "state"
        state.mkdir(mode=0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=700,uid=65534,gid=65534", "tmpfs", state], check=True)
        try:
            made = Front(lab)
            made.start(**SETTINGS)
            yield made
            lab.stop_posternd()
        finally:
            subprocess.run(["umount", "--lazy", state], check=True)


def client(number):
    return f"198.19.{number}.25"


def send(front, number):
    """Seconds that the client is told to wait; 0 if its mail was taken."""
    done = front.lab.ns(front.lab.internet, "swaks", "--server", GATEWAY4, "--port", 25, "--local-interface", client(number),
                        "--from", f"someone@{SENDER}", "--to", USER, "--helo", f"mail.{SENDER}", "--timeout", 20, check=False)
    if done.rc == 0:
        return 0
    told = TOLD.search(done.out)
    assert told, done
    return int(told[1])


def restart(front, how=signal.SIGTERM):
    front.lab.stop_posternd(how)
    front.start(**SETTINGS)


def kept(front, suffix=""):
    return pathlib.Path(front.lab.directory, f"state/greylist{suffix}")


def metric(front, name):
    return front.guard.metric(f"postern_greylist_{name}")


def wait_until_saved(front):
    """All that is known now."""
    begun = time.time()
    wait_until(lambda: metric(front, "saved_timestamp_seconds") > begun, SAVED, "the greylist on disk")


def test_told_to_end(front):
    """The time that was waited goes on; who has passed need not wait again; a reload changes nothing."""
    before = time.monotonic()
    assert send(front, 1) == DELAY
    told = time.monotonic()
    assert not kept(front).exists()
    restart(front)
    line = front.lab.log("greylist.restored")[-1]
    assert line["waiting"] == 1 and line["passed"] == 0 and line["age"] < DELAY, line
    info = kept(front).stat()
    assert info.st_mode & 0o7777 == 0o600 and info.st_uid == 65534 and info.st_size == metric(front, "saved_bytes"), info
    most, wait = DELAY + 1 - (time.monotonic() - told), send(front, 1)
    assert 0 < wait <= most and wait >= DELAY - 1 - (time.monotonic() - before), (wait, most)
    front.reload(**{**SETTINGS, "check": {**SETTINGS["check"], "rdns": "monitor"}})
    assert 0 < send(front, 1) <= most - RELOAD_SECONDS
    time.sleep(max(0, told + DELAY + 1 - time.monotonic()))
    assert send(front, 1) == 0
    restart(front)
    assert front.lab.log("greylist.restored")[-1]["passed"] == 1
    assert send(front, 1) == 0
    assert "  greylisting: its network has come again" in front.lab.ctl("why", client(1)).out


def test_a_file_that_is_damaged(front):
    """One line says so and where it is now; everybody has to wait again, and nothing else is different."""
    front.lab.stop_posternd()
    octets = bytearray(kept(front).read_bytes())
    octets[len(octets) // 2] ^= 1
    kept(front).write_bytes(octets)
    front.start(**SETTINGS)
    (line,) = front.lab.log("greylist.damaged")
    assert line["error"] == f"{kept(front)}: it is damaged: its checksum is wrong; it is called greylist.bad now", line
    assert kept(front, ".bad").read_bytes() == octets and not kept(front).exists()
    assert send(front, 1) == DELAY


def fill(path):
    """As much as the disk takes."""
    with open(path, "wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            with pytest.raises(OSError) as failed:
                while True:
                    file.write(bytes(size))
            assert failed.value.errno == errno.ENOSPC


def test_killed_when_the_disk_was_full(front):
    """Mail goes on; the log and a metric say it; when there is room again, it is written. What comes after that is lost by the kill."""
    filler = pathlib.Path(front.lab.directory, "state/filler")
    fill(filler)
    assert send(front, 2) == DELAY
    failed = wait_until(lambda: metric(front, "save_failures_total"), SAVED, "a save that fails")
    line = front.lab.log("greylist.failed")[-1]
    assert failed == 1 and line["error"] == f"cannot write {kept(front)}: No space left on device", (failed, line)
    assert send(front, 1) == 0, "mail is taken"
    filler.unlink()
    wait_until_saved(front)
    assert send(front, 3) == DELAY
    restart(front, signal.SIGKILL)
    assert send(front, 1) == send(front, 2) == 0
    assert send(front, 3) == DELAY
