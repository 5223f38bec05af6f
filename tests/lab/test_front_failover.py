# SPDX-License-Identifier: GPL-2.0-only
"""What becomes of messages when servers go: each is delivered, or its sender was told; none is lost, and none doubled unasked.

A reply that is lost after the final dot leaves a sender in doubt, who sends the message again (RFC 5321 4.5.4.1, RFC 1047):
so many may arrive twice, and no more.
"""
import json
import pathlib
import random
import sys
import time

import pytest

from frontbed import OWN, Front
from lab import GATEWAY4, Lab, wait_until

HERE = pathlib.Path(__file__).parent
COUNT, THREADS, SECONDS = 300, 8, 40
SOURCES = [f"203.0.113.{host}" for host in range(30, 40)]


@pytest.fixture(scope="module")
def front():
    with Lab("failover") as lab:
        made = Front(lab, backends="sink")
        made.start()
        yield made


class Run:
    """Messages under way, and what became of each."""

    def __init__(self, front, prefix, count=COUNT, seconds=SECONDS):
        self.front, self.prefix, self.seconds = front, prefix, seconds
        self.path = front.lab.directory / f"{prefix}.json"  # not a pipe: nobody reads before the end
        self.process = front.lab.start(front.lab.internet, sys.executable, HERE / "mailrun.py", GATEWAY4, count, THREADS, prefix, OWN, seconds,
                                       *SOURCES, stdout=open(self.path, "w"))

    def arrived(self):
        """{id: how often}"""
        counts = {}
        for backend in self.front.backends:
            for row in backend.messages():
                word = row["from"].partition("<")[2].partition("@")[0]
                if word.startswith(self.prefix):
                    counts[word] = counts.get(word, 0) + 1
        return counts

    def wait_for(self, number):
        wait_until(lambda: sum(self.arrived().values()) >= number or self.process.poll() is not None, 30, f"{number} messages")

    def rows(self):
        self.process.wait(self.seconds + 60)
        return json.loads(self.path.read_text())

    def end(self):
        """The table of outcomes; nothing may be lost."""
        rows = self.rows()
        counts, table = self.arrived(), {"told 250": 0, "told 5xx": 0, "unfinished": 0, "in doubt": 0, "lost": 0, "doubled": 0, "doubled unasked": 0}
        for row in rows:
            copies, tries = counts.get(row["id"], 0), row["tries"]
            taken, doubts = tries[-1][0] == "2", sum(reply == "lost" or reply[0] == "4" for reply in tries)
            table["told 250"] += taken
            table["told 5xx"] += tries[-1][0] == "5"
            table["unfinished"] += tries[-1][0] not in "25"
            table["in doubt"] += doubts > 0
            table["lost"] += taken and copies == 0
            table["doubled"] += max(0, copies - 1)
            table["doubled unasked"] += max(0, copies - 1 - doubts)
        assert table["lost"] == 0 and table["doubled unasked"] == 0, table
        return table


def test_nothing_happens(front):
    run = Run(front, "calm")
    assert run.end() == {"told 250": COUNT, "told 5xx": 0, "unfinished": 0, "in doubt": 0, "lost": 0, "doubled": 0, "doubled unasked": 0}


def test_a_backend_goes_and_comes_back(front):
    run = Run(front, "one")
    run.wait_for(COUNT // 4)
    front.backends[0].kill()
    run.wait_for(COUNT // 2)
    front.backends[0].start()
    table = run.end()
    assert table["told 250"] == COUNT, table


def test_all_backends_go_and_come_back(front):
    run = Run(front, "all")
    run.wait_for(COUNT // 4)
    for backend in front.backends:
        backend.kill()
    time.sleep(1)
    for backend in front.backends:
        backend.start()
    table = run.end()
    assert table["told 250"] == COUNT, table


def test_without_a_backend_senders_are_told_to_come_again(front):
    for backend in front.backends:
        backend.kill()
    run = Run(front, "none", count=8, seconds=3)
    rows = run.rows()
    for backend in front.backends:
        backend.start()
    assert all(reply.startswith("early 4") for row in rows for reply in row["tries"]), rows
    assert not run.arrived()


@pytest.mark.parametrize("turn", range(2))
def test_the_agent_is_killed(front, turn):
    """Nothing was promised that is not delivered; filtering goes on, and the agent is started again."""
    run = Run(front, f"kill{turn}")
    run.wait_for(random.Random(turn).randrange(20, COUNT - 50))
    front.lab.posternd.kill()
    front.lab.posternd.wait(20)
    front.start()
    table = run.end()
    assert table["told 250"] == COUNT, table


def test_the_agent_is_restarted_gently(front):
    """Whoever is served is served to the end; nobody is left in doubt."""
    run = Run(front, "term")
    run.wait_for(COUNT // 3)
    front.lab.stop_posternd()
    front.start()
    table = run.end()
    assert table["told 250"] == COUNT and table["doubled"] == 0, table


def test_a_reload_disturbs_nobody(front):
    run = Run(front, "load")
    for _ in range(5):
        front.lab.ctl("reload")
        time.sleep(0.2)
    assert run.end() == {"told 250": COUNT, "told 5xx": 0, "unfinished": 0, "in doubt": 0, "lost": 0, "doubled": 0, "doubled unasked": 0}
