# SPDX-License-Identifier: GPL-2.0-only
"""
The table of sources under a flood that fills it. What holds connections is never pushed out; where there is no room for
a source, the limit of its network holds.
"""
import time

import pytest

from lab import SPOOFED4, SPOOFED6, wait_until

SOURCES = 1024  # the smallest table
RATE, COUNT = 5000, 1000
HOLDERS = {"ipv4": ("198.51.100.7", SPOOFED4), "ipv6": ("2001:db8:1:1::7", SPOOFED6)}
# At this rate a source keeps its place for a second after each attempt: many more come than there is room for.
LIMITS = {"rate-source": 1, "burst-source": 60, "conn-source": 3}


def conns(lab, source):
    """What the limits know of a source's connections: at its address, and its network."""
    return [row["conns"] for row in lab.ctl("why", source, "--json").json["limits"] if row["level"] in ("source", "net")]


@pytest.fixture(params=HOLDERS)
def crowded(fresh, no_limits, request):
    """A source that holds three connections while the table is full of others; they go on coming."""
    fresh.source, prefix = HOLDERS[request.param]
    fresh.listen()
    fresh.start_posternd(limits={**no_limits, **LIMITS}, table={"sources": SOURCES}, flood={"threshold": 0})
    fresh.held = [fresh.hold(fresh.source) for _ in range(3)]
    wait_until(lambda: conns(fresh, fresh.source) == [3, 3], 10, "three connections")
    fresh.crowd = fresh.flood(prefix, count=RATE * 600, rate=RATE)
    wait_until(lambda: fresh.stats()["health"]["meter_full"] > 2 * SOURCES, 60, "a full table")
    return fresh


def test_who_holds_connections_keeps_his_meter(crowded):
    lab = crowded
    for left in (3, 2, 1):
        assert conns(lab, lab.source) == [left, left]
        lab.held.pop().terminate()
        wait_until(lambda: conns(lab, lab.source) == [left - 1, left - 1], 10, "the end of one connection")
    assert lab.crowd.stop()["errors"] == 0
    assert lab.stats()["connections"] == 0


def test_one_connection_too_many_is_still_stopped(crowded):
    lab = crowded
    before = lab.packets("conn-source")
    assert lab.connect(lab.source) == "timeout" and lab.packets("conn-source") > before
    lab.held.pop().terminate()
    wait_until(lambda: conns(lab, lab.source)[0] == 2, 10, "the end of one connection")
    assert lab.connect(lab.source, timeout=5) == "open"
    lab.crowd.stop()


def test_a_source_beyond_its_rate_is_stopped(crowded):
    """It is known already, because it holds connections."""
    lab = crowded
    lab.ctl("limits", "set", "conn-source", 0)
    start, before = time.monotonic(), lab.packets("rate-source")
    lab.flood(f"{lab.source}/{128 if ':' in lab.source else 32}", count=COUNT).result()
    passed = COUNT - (lab.packets("rate-source") - before)  # none of the others comes that often
    assert 1 <= passed <= LIMITS["burst-source"] + time.monotonic() - start + 1
    lab.crowd.stop()


def test_where_there_is_no_room_the_limit_of_all_holds(crowded):
    lab = crowded
    lab.ctl("limits", "set", "rate-total", 50)
    lab.ctl("limits", "set", "burst-total", 60)
    start, before = time.monotonic(), lab.packets("accepted")
    lab.flood("192.0.2.201/32", count=COUNT).result()
    wait_until(lambda: lab.packets("rate-total") > COUNT, 20, "others that are stopped")
    assert lab.packets("accepted") - before <= 60 + 50 * (time.monotonic() - start + 1)
    lab.crowd.stop()
