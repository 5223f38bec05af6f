# SPDX-License-Identifier: GPL-2.0-only
"""Too many connections to mode proxy, or too often: the kernel stops them at their SYN, and what it lets through when there is no room is
told 421; each is counted, and shown.
"""
import contextlib
import socket

import pytest

import senders
from frontbed import Front
from frontclient import opened, refused
from lab import GATEWAY4, GATEWAY6, NO_LIMITS, Lab, wait_until
from wire import inside

SOURCE_MAX, TOTAL_MAX = 50, 80


@pytest.fixture(scope="module")
def front():
    with Lab("overload") as lab:
        made = Front(lab, backends="sink")
        made.start(limits={**NO_LIMITS, "conn-source": SOURCE_MAX}, smtp={"connections-max": TOTAL_MAX})
        yield made


def test_the_51st_connection_of_a_source(front):
    """It is refused at its SYN; others are not, and it is let in when one of the fifty has gone."""
    with opened(front, "203.0.113.51", SOURCE_MAX) as sockets:
        assert all(each.recv(100).startswith(b"220") for each in sockets)
        assert front.lab.connect("203.0.113.51") != "open"
        assert front.lab.connect("203.0.113.52") == "open"
        assert front.lab.packets("conn-source") > 0
    wait_until(lambda: front.lab.connect("203.0.113.51") == "open", 10, "a connection again")


def test_421_when_there_are_too_many(front):
    with opened(front, "203.0.113.53", TOTAL_MAX // 2) as first, opened(front, "203.0.113.54", TOTAL_MAX // 2) as second:
        assert all(each.recv(100).startswith(b"220") for each in (*first, *second))
        before = refused(front, "load")
        greeting = senders.greeting(senders.Way(front.lab.internet, "203.0.113.55", GATEWAY4))
        assert greeting.startswith("421 4.3.2"), greeting
        assert refused(front, "load") == before + 1
        sessions = front.lab.ctl("status", "--json").json["smtp"]["sessions"]
        assert sessions["open"] == sessions["max"] == TOTAL_MAX
        said = front.lab.ctl("status").out
        assert f"{TOTAL_MAX} open of at most {TOTAL_MAX};" in said and "turned away for want of room" in said, said
    served = lambda: senders.greeting(senders.Way(front.lab.internet, "203.0.113.55", GATEWAY4)).startswith("220")
    wait_until(served, 5, "service again")


@contextlib.contextmanager
def limited(front, **limits):
    """Only these limits of the kernel for a while, when all connections of before have gone."""
    wait_until(lambda: front.lab.stats()["connections"] == 0, 10, "the end of all connections")
    keys = {"conn-source": 0, **limits}
    for key, value in keys.items():
        front.lab.ctl("limits", "set", key, value)
    try:
        yield
    finally:
        for key in reversed(keys):
            front.lab.ctl("limits", "set", key, "default")


def kernel(front, key):
    """SYNs that were stopped for a reason, as the metrics have it."""
    return front.guard.metric("postern_packets_total", reason=key, outcome="enforced")


# {limit: (who holds connections, who is one too many, who is not)}
CONNECTIONS = {
    "conn-source": ("203.0.113.70", "203.0.113.70", "203.0.113.71"), "conn-net": ("203.0.113.72", "203.0.113.73", "198.51.100.172"),
    "conn-total": ("203.0.113.74", "198.51.100.174", None), "conn-source ": ("2001:db8:900d:1::1", "2001:db8:900d:1::1", "2001:db8:900d:1::2"),
    "conn-net ": ("2001:db8:900d:2::1", "2001:db8:900d:2::2", "2001:db8:900d:3::1"), "conn-site": ("2001:db8:9:1::1", "2001:db8:9:2::1", "2001:db8:a:1::1"),
}


@pytest.mark.parametrize("key", CONNECTIONS)
def test_one_connection_too_many(front, key):
    """It is stopped at its SYN: there is no session of it, and no 421."""
    (holder, other, free), key = CONNECTIONS[key], key.strip()
    with limited(front, **{key: 3}), opened(front, holder, 3, GATEWAY6 if ":" in holder else GATEWAY4) as sockets:
        assert all(each.recv(100).startswith(b"220") for each in sockets)
        before, load = kernel(front, key), refused(front, "load")
        assert front.lab.connect(other) == "timeout" and kernel(front, key) > before
        assert free is None or front.lab.connect(free) == "open"
        assert refused(front, "load") == load


# {limit: (who comes too often, who is stopped then, who is not)}
RATES = {
    "rate-source": ("203.0.113.80", "203.0.113.80", "203.0.113.81"), "rate-net": ("203.0.113.82", "203.0.113.83", "198.51.100.182"),
    "rate-total": ("203.0.113.84", "198.51.100.184", None), "rate-site": ("2001:db8:b:1::1", "2001:db8:b:2::1", "2001:db8:c:1::1"),
}


@pytest.mark.parametrize("key", RATES)
def test_attempts_that_come_too_fast(front, key):
    """Two at once, and then one a second. They are stopped at their SYN, too."""
    source, other, free = RATES[key]
    with limited(front, **{key: 1, key.replace("rate", "burst"): 2}):
        before, sessions = kernel(front, key), front.guard.metric("postern_smtp_sessions_total")
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(started(front, each)) for each in [source] * 2 + [other] * 6]
            answered = [is_answered(client) for client in clients]
        assert answered[:2] == [True, True] and not all(answered), answered
        assert kernel(front, key) - before >= answered.count(False)
        assert front.guard.metric("postern_smtp_sessions_total") - sessions == answered.count(True)
        assert free is None or front.lab.connect(free) == "open"


def started(front, source):
    """A connection that has begun."""
    with inside(front.lab.internet):
        client = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET)
    client.bind((source, 0))
    client.setblocking(False)
    client.connect_ex((GATEWAY6 if ":" in source else GATEWAY4, 25))
    return client


def is_answered(client):
    client.settimeout(0.2)
    try:
        return client.recv(100).startswith(b"220")
    except OSError:
        return False


def test_overload_is_shed_at_the_syn_before_421(front):
    """With a limit of the kernel below connections-max nobody is told 421: what is too much never gets a socket."""
    with limited(front, **{"conn-total": TOTAL_MAX // 2}), opened(front, "203.0.113.90", TOTAL_MAX // 2) as sockets:
        assert all(each.recv(100).startswith(b"220") for each in sockets)
        before, load = kernel(front, "conn-total"), refused(front, "load")
        assert front.lab.connect("203.0.113.91") == "timeout"
        assert kernel(front, "conn-total") > before and refused(front, "load") == load
        assert front.lab.ctl("status", "--json").json["smtp"]["sessions"]["open"] == TOTAL_MAX // 2
        assert "conn-total" in front.lab.ctl("stats").out
    wait_until(lambda: front.lab.connect("203.0.113.91") == "open", 10, "service again")
