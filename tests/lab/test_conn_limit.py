# SPDX-License-Identifier: GPL-2.0-only
"""Limits of connections against clients that hold the last segment of many handshakes back, and send them at once."""
import pytest

from lab import wait_until
from wire import ACK, FIN, PSH, RST, SYN, Peer, Tap

NOBODY = {"ipv4": "198.18.7.7", "ipv6": "3fff:bad::7"}
NEIGHBOUR = {"ipv4": "198.18.7.8", "ipv6": "3fff:bad::8"}
LIMIT, MANY = 20, 100
OVER = 8  # segments that the driver may hand over before the stack counts the first of them
FLOOD = {"threshold": 1000, "hold": 3}


@pytest.fixture
def mx(fresh, no_limits):
    """A lab with a listener; the test starts Postern."""
    fresh.listen()
    fresh.limits = no_limits
    return fresh


@pytest.fixture(params=NOBODY)
def family(request):
    return request.param


@pytest.fixture
def tap(mx, family):
    """What comes to two addresses that nobody has."""
    with Tap(mx, NOBODY[family], NEIGHBOUR[family]) as made:
        yield made


def begin(tap, *sources, count=MANY, first=41000):
    """Clients with a SYN-ACK each, which they have not answered; the sources take turns."""
    peers = [Peer(tap, sources[i % len(sources)], first + i) for i in range(count)]
    for peer in peers:
        peer.ask(SYN)
    wait_until(lambda: len(tap.answers()) >= count, 10, "SYN-ACKs")
    answers = {answer.dest_port: answer for answer in tap.answers() if answer.flags == SYN | ACK}
    for peer in peers:
        peer.sequence, peer.acknowledged = peer.sequence + 1, answers[peer.port].next
    return peers


def established(lab):
    """The clients' ports with which the kernel has connections."""
    lines = lab.ns(lab.gateway, "ss", "-Htn", "state", "established", "sport = :25").out.split("\n")
    return {int(line.split()[-1].rpartition(":")[2]) for line in lines if line}


def finish(lab, peers):
    """All answer at once; returns those who are connected then."""
    for peer in peers:
        peer.ask(ACK)
    wait_until(lambda: lab.stats()["connections"] == len(established(lab)) > 0, 10, "connections")
    ports = established(lab)
    return [peer for peer in peers if peer.port in ports]


def answered(peer, text=b"NOOP\r\n"):
    """Whether what a client says is acknowledged."""
    peer.ask(PSH | ACK, data=text)
    peer.sequence += len(text)
    return wait_until(lambda: any(a.acknowledged == peer.sequence for a in peer.answers()), 5, "an ACK")


def check_limit(lab, reason, connected):
    assert LIMIT <= len(connected) <= LIMIT + OVER
    assert lab.packets(reason) >= MANY - LIMIT - OVER


@pytest.mark.parametrize("key", ["conn-source", "conn-net", "conn-total"])
def test_acks_that_were_held_back(mx, tap, family, key):
    mx.start_posternd(limits={**mx.limits, key: LIMIT})
    sources = [NOBODY[family]] if key == "conn-source" else [NOBODY[family], NEIGHBOUR[family]]
    peers = begin(tap, *sources)
    connected = finish(mx, peers)
    check_limit(mx, key, connected)
    # Who is connected is left alone, and who leaves makes room for one whose request is still kept.
    assert all(answered(peer) for peer in connected)
    waiting = [peer for peer in peers if peer not in connected]
    assert len(finish(mx, waiting)) == 0
    for peer in connected:
        peer.ask(RST | ACK)
    wait_until(lambda: mx.stats()["connections"] == 0, 10, "the end of the connections")
    check_limit(mx, key, finish(mx, waiting))


def test_cookies_that_were_collected(mx, tap, family):
    """In a flood a SYN is answered before the limits are asked."""
    mx.start_posternd(limits={**mx.limits, "conn-source": LIMIT}, flood=FLOOD)
    flood = mx.flood("198.19.0.0/16", count=3000000, rate=5000)
    wait_until(lambda: mx.stats()["health"]["cookies_sent"] > 0, 10, "cookies")
    check_limit(mx, "conn-source", finish(mx, begin(tap, NOBODY[family])))
    flood.stop()


def test_a_limit_that_is_lowered_meanwhile(mx, tap, family):
    mx.start_posternd(limits=mx.limits)
    peers = begin(tap, NOBODY[family])
    assert len(finish(mx, peers[:LIMIT])) == LIMIT
    mx.ctl("limits", "set", "conn-source", LIMIT // 2)
    assert len(finish(mx, peers[LIMIT:])) == 0
    assert all(answered(peer) for peer in peers[:LIMIT])


def test_an_allowed_source(mx, tap, family):
    mx.start_posternd(limits={**mx.limits, "conn-source": LIMIT})
    mx.ctl("allow", "add", NOBODY[family])
    assert len(finish(mx, begin(tap, NOBODY[family]))) == MANY
    assert mx.packets("conn-source") == 0


def test_monitor_mode(mx, tap, family):
    mx.start_posternd(limits={**mx.limits, "conn-source": LIMIT}, monitor=True)
    assert len(finish(mx, begin(tap, NOBODY[family]))) == MANY
    assert mx.packets("conn-source") == 0
    assert mx.packets("conn-source", "monitored") >= MANY - LIMIT - OVER
    assert mx.packets("accepted") == MANY


def test_others_go_on(mx, tap, family):
    """A source at its limit costs nobody else a connection, old or new."""
    mx.start_posternd(limits={**mx.limits, "conn-source": LIMIT})
    before, = finish(mx, begin(tap, NEIGHBOUR[family], count=1, first=40000))
    tap.seen.clear()
    check_limit(mx, "conn-source", finish(mx, begin(tap, NOBODY[family])))
    assert answered(before)
    assert mx.connect("192.0.2.9") == "open"
    before.ask(FIN | ACK)
    wait_until(lambda: any(answer.flags & FIN for answer in before.answers()), 5, "the end")
