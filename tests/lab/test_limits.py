# SPDX-License-Identifier: GPL-2.0-only
"""Concurrent connections counted on real sockets, and rates, at every level."""
import pytest

from lab import wait_until

SOURCE, NEIGHBOUR = "198.51.100.7", "198.51.100.8"
SOURCE6, NEIGHBOUR6, SITE6 = "2001:db8:1:1::7", "2001:db8:1:1::8", "2001:db8:1:2::7"


@pytest.fixture(scope="module")
def postfix(lab):
    return lab.start_postfix()


@pytest.fixture
def limit(lab):
    """Sets limits for one test."""
    made = []

    def set_limit(key, value):
        made.append(key)
        lab.ctl("limits", "set", key, value)
    yield set_limit
    for key in reversed(made):
        lab.ctl("limits", "set", key, "default")


def hold(lab, source, count):
    held = [lab.hold(source) for _ in range(count)]
    for process in held:
        assert process.stdout.readline().startswith(b"220")
    return held


def end(lab, held):
    for process in held:
        process.terminate()
        process.wait()
    wait_until(lambda: lab.stats()["connections"] == 0, 10, "the end of all connections")


@pytest.mark.parametrize("key, holder, other", [
    ("conn-source", SOURCE, SOURCE), ("conn-net", SOURCE, NEIGHBOUR), ("conn-source", SOURCE6, SOURCE6),
    ("conn-net", SOURCE6, NEIGHBOUR6), ("conn-site", SOURCE6, SITE6), ("conn-total", SOURCE6, SOURCE)])
def test_one_connection_too_many(lab, postfix, limit, key, holder, other):
    limit(key, 3)
    held = hold(lab, holder, 3)
    assert lab.stats()["connections"] == 3
    before = lab.packets(key)
    assert lab.connect(other) == "timeout"
    assert lab.packets(key) > before
    assert lab.connect("192.0.2.77") == ("timeout" if key == "conn-total" else "open")
    held.pop().terminate()
    wait_until(lambda: lab.stats()["connections"] == 2, 10, "the end of one connection")
    assert lab.connect(other) == "open"
    end(lab, held)


def test_connections_from_before_the_agent_are_counted(fresh, no_limits):
    fresh.start_postfix()
    held = hold(fresh, SOURCE, 2) + hold(fresh, SOURCE6, 1)
    fresh.start_posternd(limits={**no_limits, "conn-source": 2})
    assert fresh.stats()["connections"] == 3
    assert fresh.connect(SOURCE) == "timeout"
    assert fresh.connect(NEIGHBOUR) == "open"
    fresh.stop_posternd(9)
    fresh.start_posternd(limits={**no_limits, "conn-source": 2})
    assert fresh.stats()["connections"] == 3  # nobody is counted twice
    end(fresh, held)


@pytest.mark.parametrize("key, network", [("rate-source", "192.0.2.9/32"), ("rate-net", "192.0.2.0/24"),
                                          ("rate-source", "2001:db8::9/128"), ("rate-net", "2001:db8::/64"),
                                          ("rate-site", "2001:db8:5::/48"), ("rate-total", "198.18.0.0/15")])
def test_attempts_that_come_too_fast(lab, limit, key, network):
    limit(key, 50)
    limit(key.replace("rate", "burst"), 20)
    before = lab.packets(key)
    report = lab.flood(network, count=2000, rate=1000, port=25).result()
    passed = 2000 - (lab.packets(key) - before)
    allowed = 20 + 50 * report["seconds"]
    assert report["errors"] == 0
    assert allowed * 0.9 <= passed <= allowed * 1.1 + 2


def test_a_lower_limit_holds_at_once_and_a_higher_one_too(lab, limit):
    limit("rate-source", 1)
    limit("burst-source", 1)
    lab.flood("192.0.2.10/32", count=20).result()
    before = lab.packets("rate-source")
    lab.flood("192.0.2.10/32", count=50).result()
    assert lab.packets("rate-source") - before >= 49
    lab.ctl("limits", "set", "rate-source", 100000)
    lab.ctl("limits", "set", "burst-source", 1000)
    before = lab.packets("rate-source")
    lab.flood("192.0.2.10/32", count=50).result()
    assert lab.packets("rate-source") == before


def test_limits_show_where_a_value_comes_from(lab, limit):
    rows = lambda: {row["key"]: row for row in lab.ctl("limits", "show", "--json").json["limits"]}
    assert rows()["rate-source"]["origin"] == "config" and rows()["conn-total"]["origin"] == "default"
    limit("conn-total", 500)
    assert rows()["conn-total"]["origin"] == "operator" and rows()["conn-total"]["value"] == 500


def test_monitor_mode_counts_and_stops_nothing(lab, postfix):
    lab.ctl("block", "add", "203.0.113.0/24")
    lab.ctl("monitor", "on")
    before = lab.packets("listed", "monitored"), lab.packets("listed")
    assert lab.connect("203.0.113.5") == "open"
    assert lab.packets("listed", "monitored") == before[0] + 1
    assert lab.packets("listed") == before[1]
    assert lab.ctl("status", "--json").json["monitor"] is True
    lab.ctl("monitor", "off")
    assert lab.connect("203.0.113.5") == "timeout"


def test_monitor_mode_of_a_rate(lab, limit):
    """Each packet that is too fast is counted as monitored, and goes on."""
    limit("rate-source", 5)
    limit("burst-source", 5)
    lab.ctl("monitor", "on")
    before = [lab.packets("rate-source", "monitored"), lab.packets("rate-source"), lab.packets("accepted")]
    assert lab.flood("192.0.2.11/32", count=200).result()["sent"] == 200
    after = [lab.packets("rate-source", "monitored"), lab.packets("rate-source"), lab.packets("accepted")]
    assert 190 <= after[0] - before[0] <= 195
    assert after[1] == before[1] and after[2] == before[2] + 200


def test_monitor_mode_of_one_list(lab, postfix):
    lab.ctl("block", "add", "203.0.113.0/24", "--list", "new")
    lab.ctl("block", "add", "203.0.113.9", "--list", "old")
    lab.ctl("monitor", "on", "--list", "new")
    assert lab.connect("203.0.113.5") == "open"
    assert lab.connect("203.0.113.9") == "timeout"
    rows = {(row["list"], row["outcome"]): row["packets"] for row in lab.stats()["lists"]}
    assert rows["new", "monitored"] >= 1 and rows["old", "enforced"] >= 1
    lab.ctl("monitor", "off", "--list", "new")
    assert lab.connect("203.0.113.5") == "timeout"
