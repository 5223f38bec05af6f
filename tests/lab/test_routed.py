# SPDX-License-Identifier: GPL-2.0-only
"""
A gateway that forwards to a mail server behind it. Lists, refusals, the tarpit and limits work for what is routed;
there are no SYN cookies for it, because no socket of the gateway could take them back.

    internet --- gateway g2 --- b0  behind: Postfix on 10.79.0.2 and fd00:79::2
"""
import pytest

import senders
from conftest import NO_LIMITS
from lab import GATEWAY4, GATEWAY6, SPOOFED4, SPOOFED6, Lab, wait_until
from senders import Way
from wire import ACK, SYN, Tap

GATEWAYS, BEHIND4, BEHIND6 = ("10.79.0.1", "fd00:79::1"), "10.79.0.2", "fd00:79::2"
DESTS = {"ipv4": ("203.0.113.66", BEHIND4), "ipv6": ("2001:db8:bad::66", BEHIND6)}
FLOODS = {"ipv4": (SPOOFED4, BEHIND4), "ipv6": (SPOOFED6, BEHIND6)}
FLOOD = {"threshold": 1000, "hold": 1}
RATE, COUNT, LIMIT = 5000, 20000, 100


def put_behind(lab):
    """Adds the third namespace and its routes; returns its name."""
    behind = f"{lab.id}-back"
    lab.add_namespace(behind)
    lab.link(behind, "b0", lab.gateway, "g2")
    lab.address(lab.gateway, "g2", f"{GATEWAYS[0]}/24", f"{GATEWAYS[1]}/64")
    lab.address(behind, "b0", f"{BEHIND4}/24", f"{BEHIND6}/64")
    for gateway in GATEWAYS:
        lab.ns(behind, "ip", "route", "add", "default", "via", gateway)
    lab.ns(lab.internet, "ip", "route", "add", "10.79.0.0/24", "via", GATEWAY4)
    lab.ns(lab.internet, "ip", "route", "add", "fd00:79::/64", "via", GATEWAY6)
    lab.ns(lab.gateway, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
           "net.ipv4.tcp_syncookies=1", "net.ipv4.tcp_timestamps=1")
    return behind


@pytest.fixture(scope="module")
def lab():
    with Lab("routed") as made:
        made.behind = put_behind(made)
        made.postfix = made.start_postfix(namespace=made.behind)
        made.start_posternd(limits={**NO_LIMITS, "rate-total": LIMIT, "burst-total": LIMIT}, flood=FLOOD)
        made.listen()
        yield made


def way_of(lab, family):
    return Way(lab.internet, *DESTS[family])


def syns(tap):
    """How many connection attempts have come through to the server."""
    return sum(1 for s in tap.segments() if not s.outgoing and s.flags & (SYN | ACK) == SYN)


def is_on(lab):
    return any(row["active"] for row in lab.ctl("status", "--json").json["floods"])


@pytest.mark.parametrize("family", DESTS)
def test_mail_passes(lab, family):
    before = lab.postfix.delivered()
    source, dest = DESTS[family]
    assert lab.swaks(source, dest=dest)
    wait_until(lambda: lab.postfix.delivered() == before + 1, 10, "delivery")


@pytest.mark.parametrize("family", DESTS)
def test_refuse(lab, family):
    way = way_of(lab, family)
    lab.ctl("block", "add", way.source, "--action", "refuse")
    with Tap(lab, way.source, namespace=lab.behind, iface="b0", gateway_iface="g2") as tap:
        assert f"client [{way.source}]; id " in senders.greeting(way)
        assert "554 5.7.1 refused: listed in local" in senders.curl(lab, way)
        assert not tap.segments()
    lab.ctl("block", "del", way.source)
    assert senders.greeting(way).startswith("220")


@pytest.mark.parametrize("family", DESTS)
def test_tarpit(lab, family):
    way = way_of(lab, family)
    lab.ctl("block", "add", way.source, "--action", "tarpit")
    with Tap(lab, way.source, namespace=lab.behind, iface="b0", gateway_iface="g2") as tap:
        assert "Timeout" in senders.swaks(lab, way, timeout=1)
        assert not tap.segments()


@pytest.mark.parametrize("action, outcome", [("reset", "refused"), ("drop", "timeout")])
@pytest.mark.parametrize("family", DESTS)
def test_reset_and_drop(lab, family, action, outcome):
    way = way_of(lab, family)
    lab.ctl("block", "add", way.source, "--action", action)
    assert lab.connect(way.source, dest=way.dest) == outcome


@pytest.mark.parametrize("family", FLOODS)
def test_a_flood_is_limited_and_gets_no_cookies(lab, family):
    """The limit of all holds; who is on an allow list delivers meanwhile."""
    prefix, dest = FLOODS[family]
    friend = DESTS[family][0]
    lab.ctl("allow", "add", friend)
    health = lambda: lab.stats()["health"]
    before, delivered, limited = health(), lab.postfix.delivered(), lab.packets("rate-total")
    with Tap(lab, GATEWAY4, GATEWAY6, dest, namespace=lab.behind, iface="b0", gateway_iface="g2") as tap:
        flood = lab.flood(prefix, count=COUNT, rate=RATE, dest=dest)
        wait_until(lambda: is_on(lab), 5, "a flood")
        assert lab.swaks(friend, dest=dest)
        report = flood.result()
        through = syns(tap)
    after = health()
    assert after["cookies_sent"] == before["cookies_sent"] and after["cookies_skipped"] > before["cookies_skipped"]
    assert LIMIT / 2 < through <= LIMIT * (report["seconds"] + 2) * 1.1
    assert lab.packets("rate-total") - limited >= COUNT - through
    wait_until(lambda: lab.postfix.delivered() == delivered + 1, 10, "delivery")


@pytest.mark.parametrize("source", ["192.0.2.40", "2001:db8:40::1"])
def test_the_gateway_s_own_server_is_still_reached_by_cookies(lab, source):
    sent = lambda: lab.stats()["health"]["cookies_sent"]
    before = sent()
    flood = lab.flood(SPOOFED4, count=RATE * 600, rate=RATE)
    wait_until(lambda: sent() > before, 10, "cookies")
    assert lab.connect(source, timeout=5) == "open"
    flood.stop()
    wait_until(lambda: not is_on(lab), 10, "the end of the flood")
