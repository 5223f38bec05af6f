# SPDX-License-Identifier: GPL-2.0-only
"""Mode proxy behind a load balancer: an entry of a block list ends the sessions that its client has, as it does with connections of a client's own."""
import re

import pytest

from frontbed import Front
from frontclient import Session, refused
from lab import GATEWAY4, GATEWAY6, Lab, wait_until

from torture.client import GONE

BALANCER = "192.0.2.80"
LISTED, OTHER, LISTED6 = "198.51.100.230", "198.51.100.231", "2001:db8:900d:1::230"
SESSIONS = 12  # enough that both workers have some


@pytest.fixture(scope="module")
def front():
    with Lab("frontlisted") as lab:
        made = Front(lab, backends="sink")
        made.start(smtp={"backends": ["10.79.0.1:25 xclient"], "balancers": [f"{BALANCER}/32"]})
        lab.ctl("allow", "add", BALANCER)
        yield made


def named(front, source, number=1):
    """Sessions of a client that the balancer names."""
    words = f"TCP6 {source} {GATEWAY6}" if ":" in source else f"TCP4 {source} {GATEWAY4}"
    return [Session(front, BALANCER, first=f"PROXY {words} 40000 25\r\n".encode()) for _ in range(number)]


def assert_ended(front, session, source, name):
    """It was told so, and its id leads to the list."""
    told = session.reply()
    assert told.startswith("421 4.7.1 mx.own.example: your address is blocked here (lookup id ") and re.fullmatch(GONE, session.reply()), told
    row = front.lab.ctl("why", re.search(r"lookup id (\S+)\)", told).group(1), "--json").json["refusals"][0]
    assert (row["source"], row["reason"], row["detail"]) == (source, "listed", name), row


def test_an_entry_ends_the_sessions_of_its_client(front):
    before = refused(front, "listed")
    listed, others = named(front, LISTED, SESSIONS), named(front, OTHER, 2)
    listed[0].mail()
    listed[1].mail()
    listed[1].says("DATA", "354")
    assert f"{SESSIONS} established connections were ended" in front.lab.ctl("block", "add", LISTED).out
    for session in listed:
        assert_ended(front, session, LISTED, "local")
    assert refused(front, "listed") == before + SESSIONS
    assert len(front.lab.log("smtp.refused")) == SESSIONS
    assert all(session.says("NOOP", "250") for session in others)
    wait_until(lambda: front.guard.metric("postern_smtp_sessions") == 2, 5, "the sessions that are left")
    front.lab.ctl("block", "del", LISTED)
    named(front, LISTED)[0].says("NOOP", "250")


def test_a_list_that_is_loaded_ends_sessions(front):
    """One in monitor mode ends none, and neither does one behind an allow list."""
    path = front.lab.directory / "rude"
    path.write_text("198.51.100.230/31\n2001:db8:900d:1::/64\n")
    allowed, listed = named(front, OTHER)[0], [named(front, LISTED)[0], named(front, LISTED6)[0]]
    front.lab.ctl("allow", "add", OTHER)
    front.lab.ctl("monitor", "on")
    assert "ended" not in front.lab.ctl("block", "load", "rude", path).out
    front.lab.ctl("monitor", "off")
    assert all(session.says("NOOP", "250") for session in (allowed, *listed))
    assert "ended" in front.lab.ctl("block", "load", "rude", path).out
    for session, source in zip(listed, (LISTED, LISTED6)):
        assert_ended(front, session, source, "rude")
    assert allowed.says("NOOP", "250")
