# SPDX-License-Identifier: GPL-2.0-only
"""Established connections of a source that is listed end within a second; nobody else's do."""
import pathlib
import time

import pytest

from lab import wait_until

LISTED, LISTED6, OTHER, NEIGHBOUR = "203.0.113.20", "2001:db8:7::20", "198.51.100.20", "203.0.113.21"


@pytest.fixture
def sessions(lab):
    """SMTP sessions that are open, by their source; each has read the greeting."""
    lab.listen()
    held = {source: lab.hold(source) for source in (LISTED, LISTED6, OTHER, NEIGHBOUR)}
    wait_until(lambda: lab.ctl("status", "--json").json["connections"] >= len(held), 5, "the connections")
    yield held
    for process in held.values():
        process.kill()
        process.wait()
    wait_until(lambda: lab.ctl("status", "--json").json["connections"] == 0, 10, "their end")


def ended(sessions):
    return {source for source, process in sessions.items() if process.poll() is not None}


def test_add(lab, sessions):
    assert lab.ctl("status", "--json").json["ending"] == {"possible": True, "why": ""}
    lab.ctl("allow", "add", NEIGHBOUR)
    said = lab.ctl("block", "add", "203.0.113.0/24").out
    assert said.endswith("1 established connection was ended\n")
    wait_until(lambda: ended(sessions) == {LISTED}, 1, "the end")
    assert lab.ctl("block", "add", LISTED6, "--action", "refuse", "--json").json["ended"] == 1
    wait_until(lambda: ended(sessions) == {LISTED, LISTED6}, 1, "the end")
    assert lab.ctl("status", "--json").json["connections"] == 2  # the counter of connections followed


def test_load(lab, sessions):
    path = lab.directory / "drop"
    path.write_text(f"{LISTED}\n{LISTED6}\n{NEIGHBOUR}\n")
    lab.ctl("allow", "add", NEIGHBOUR)
    assert "2 established connections were ended\n" in lab.ctl("block", "load", "drop", path).out
    wait_until(lambda: ended(sessions) == {LISTED, LISTED6}, 1, "the end")


def test_other_ports_go_on(lab, sessions):
    """The operator's own session, from an address that is blocked by mistake."""
    lab.listen(2222)
    own = lab.hold(LISTED, port=2222)
    time.sleep(0.2)
    lab.ctl("block", "add", LISTED)
    wait_until(lambda: ended(sessions) == {LISTED}, 1, "the end")
    assert own.poll() is None
    own.kill()


@pytest.mark.parametrize("everything", [True, False])
def test_monitor_mode(lab, sessions, everything):
    lab.ctl("block", "add", "192.0.2.1", "--list", "watched")
    lab.ctl("monitor", "on", *(() if everything else ("--list", "watched")))
    assert lab.ctl("block", "add", LISTED, "--list", "watched", "--json").json["ended"] == 0
    time.sleep(0.3)  # what does not happen has no moment to wait for
    assert not ended(sessions)


def test_without_the_keeper(fresh, no_limits):
    agent = fresh.start_posternd(limits=no_limits)
    keeper = fresh.ns(fresh.gateway, "pgrep", "-P", agent.pid).out.strip()
    assert "postern-keeper" in pathlib.Path(f"/proc/{keeper}/comm").read_text()
    fresh.listen()
    held = fresh.hold(LISTED)
    wait_until(lambda: fresh.ctl("status", "--json").json["connections"], 5, "the connection")
    fresh.ns(fresh.gateway, "kill", "-KILL", keeper)
    wait_until(lambda: fresh.log("keeper.ended"), 5, "word of its end")
    assert fresh.ctl("block", "add", LISTED, "--json").json["ended"] == 0  # the entry counts all the same
    assert held.poll() is None and fresh.connect(LISTED) == "timeout"
    assert len(fresh.log("connections.stay")) == 1
    assert "ended" in fresh.ctl("status", "--json").json["ending"]["why"]
