# SPDX-License-Identifier: GPL-2.0-only
"""A flood costs the agent no more than its budget of events, and whatever it is told about adds up."""
import os
import pathlib
import time

import pytest

from lab import SPOOFED4, SPOOFED6, wait_until

EVENTS_RATE = 200  # a second, for each CPU
FLOOD = 100000  # SYNs a second
SECONDS = 3


def cpu_seconds(pid):
    """What a process has used so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def quiet(fresh, no_limits):
    """An agent that has a small budget of events, and a list of everything that floods."""
    fresh.start_posternd(limits=no_limits, events={"rate": EVENTS_RATE})
    fresh.ctl("block", "add", SPOOFED4)
    fresh.ctl("block", "add", SPOOFED6)
    return fresh


@pytest.mark.parametrize("prefix", [SPOOFED4, SPOOFED6])
def test_a_flood_does_not_keep_the_agent_busy(quiet, prefix):
    """Little time of a CPU, few lines in the log; and each packet that was stopped is accounted for once."""
    before = cpu_seconds(quiet.posternd.pid)
    report = quiet.flood(prefix, count=FLOOD * SECONDS, rate=FLOOD).result()
    used = cpu_seconds(quiet.posternd.pid) - before
    assert report["errors"] == 0
    assert quiet.packets("listed") == report["sent"]
    health = quiet.stats()["health"]
    assert health["events_sent"] + health["events_lost"] + health["events_skipped"] == report["sent"]
    assert health["events_lost"] == 0
    ceiling = EVENTS_RATE * os.cpu_count() * (report["seconds"] + 1)
    assert EVENTS_RATE < health["events_sent"] <= ceiling
    assert len(quiet.log("connection.stopped")) <= ceiling
    assert used < 0.2 * report["seconds"]


def test_the_packets_that_were_not_told_about_are_estimated(quiet):
    """An event stands for those that came since the one before it, and hits count them too."""
    report = quiet.flood("198.18.7.7/32", count=FLOOD * SECONDS, rate=FLOOD).result()
    weights = lambda: sum(line["weight"] for line in quiet.log("connection.stopped"))
    wait_until(lambda: weights() > report["sent"] / 2, 5, "the last events")  # the log has a budget of its own
    assert weights() <= report["sent"]
    offender = quiet.ctl("top", "--count", "1", "--json").json["offenders"][0]
    assert offender["source"] == "198.18.7.7" and offender["hits"] == pytest.approx(report["sent"], rel=0.1)


def test_no_events_at_all_where_none_are_wanted(fresh, no_limits):
    fresh.start_posternd(limits=no_limits, events={"rate": 0})
    fresh.ctl("block", "add", SPOOFED4)
    fresh.flood(SPOOFED4, count=100000).result()
    time.sleep(0.3)
    assert fresh.packets("listed") == 100000
    assert fresh.stats()["health"]["events_sent"] == 0 and not fresh.log("connection.stopped")


def test_the_agent_answers_during_a_flood(quiet):
    flood = quiet.flood(SPOOFED4, count=10**9, rate=FLOOD)
    slowest = 0
    for i in range(30):
        start = time.monotonic()
        quiet.ctl("block", "add", f"203.0.113.{i}")
        slowest = max(slowest, time.monotonic() - start)
    assert flood.stop()["errors"] == 0
    assert slowest < 1
    assert len(quiet.ctl("block", "show", "--json").json) == 32
