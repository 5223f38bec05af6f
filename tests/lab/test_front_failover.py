# SPDX-License-Identifier: GPL-2.0-only
"""What becomes of messages when servers go: each is delivered, or its sender was told; none is lost, and none doubled unasked.

A reply that is lost after the final dot leaves a sender in doubt, who sends the message again (RFC 5321 4.5.4.1, RFC 1047):
so many may arrive twice, and no more.
"""
import random
import time

import pytest

from frontbed import Front
from lab import Lab
from mailrun import Run

COUNT, SECONDS = 300, 40
CALM = {"told 250": COUNT, "told 5xx": 0, "unfinished": 0, "in doubt": 0, "lost": 0, "doubled": 0, "doubled unasked": 0}


@pytest.fixture(scope="module")
def front():
    with Lab("failover") as lab:
        made = Front(lab, backends="sink")
        made.start()
        yield made


def test_nothing_happens(front):
    run = Run(front, "calm", COUNT, SECONDS)
    assert run.end() == CALM


def test_a_backend_goes_and_comes_back(front):
    run = Run(front, "one", COUNT, SECONDS)
    run.wait_for(COUNT // 4)
    with front.without(front.backends[:1]):
        run.wait_for(COUNT // 2)
    table = run.end()
    assert table["told 250"] == COUNT, table


def test_all_backends_go_and_come_back(front):
    run = Run(front, "all", COUNT, SECONDS)
    run.wait_for(COUNT // 4)
    with front.without(front.backends):
        time.sleep(1)
    table = run.end()
    assert table["told 250"] == COUNT, table


def test_without_a_backend_senders_are_told_to_come_again(front):
    with front.without(front.backends):
        run = Run(front, "none", 8, 3)
        rows = run.rows()
    assert len(rows) == 8 and all(reply.startswith("early 4") for row in rows for reply in row["tries"]), rows
    assert not run.arrived()


@pytest.mark.parametrize("turn", range(2))
def test_the_agent_is_killed(front, turn):
    """Nothing was promised that is not delivered; filtering goes on, and the agent is started again."""
    run = Run(front, f"kill{turn}", COUNT, SECONDS)
    run.wait_for(random.Random(turn).randrange(20, COUNT - 50))
    front.lab.posternd.kill()
    front.lab.posternd.wait(20)
    front.start()
    table = run.end()
    assert table["told 250"] == COUNT, table


def test_the_agent_is_restarted_gently(front):
    """Whoever is served is served to the end; nobody is left in doubt."""
    run = Run(front, "term", COUNT, SECONDS)
    run.wait_for(COUNT // 3)
    front.lab.stop_posternd()
    front.start()
    table = run.end()
    assert table["told 250"] == COUNT and table["doubled"] == 0, table


def test_a_reload_disturbs_nobody(front):
    run = Run(front, "load", COUNT, SECONDS)
    for _ in range(5):
        front.lab.ctl("reload")
        time.sleep(0.2)
    assert run.end() == CALM
