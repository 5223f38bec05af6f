# SPDX-License-Identifier: GPL-2.0-only
"""Mode proxy with two servers of which one answers without end: it costs that server, and nobody waits for it."""
import pytest

from frontbed import BACKENDS, Front
from frontclient import Session
from lab import Lab, wait_until
from torturebed import TESTS, Sink

MESSAGES = 12
OCTETS_MAX = 32 << 20  # of one connection: what the kernel holds, and what is read until it is given up


@pytest.fixture(scope="module")
def front():
    with Lab("frontgush") as lab:
        made = Front(lab, backends="none")
        made.backends = [Sink(lab, 25, host=BACKENDS[0], name="sink0")]
        made.said = lab.directory / "gush"
        with open(made.said, "w") as said:
            made.gush = lab.start(lab.gateway, "/usr/bin/python3", TESTS / "lab/gush.py", BACKENDS[1], stdout=said)
        wait_until(lambda: f"{BACKENDS[1]}:25 " in lab.ns(lab.gateway, "ss", "-Hltn").out, 10, "the server that says too much")
        made.start(smtp={"workers": 1})
        yield made


def test_a_server_that_answers_without_end(front):
    """All mail is taken by the other one, at once; of what the first one says little is read."""
    sessions = [Session(front, f"203.0.113.{number}") for number in range(30, 30 + MESSAGES)]
    for session in sessions:  # all are under way before the first one finds out
        session.mail()
    for number, session in enumerate(sessions):
        assert session.data(f"Subject: gush{number}\r\n\r\ntext\r\n".encode()).startswith("250")
        session.close()
    assert len(front.backends[0].messages()) == MESSAGES
    good, bad = front.lab.ctl("status", "--json").json["smtp"]["backends"]
    assert good["up"] and good["failures"] == 0 and good["accepted"] == MESSAGES
    assert bad["failures"] and bad["failovers"] and not bad["accepted"]
    said = wait_until(lambda: len(lines := front.said.read_text().split()) >= bad["failures"] and lines, 15, "the end of its connections")
    assert max(map(int, said)) < OCTETS_MAX, said
