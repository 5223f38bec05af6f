# SPDX-License-Identifier: GPL-2.0-only
"""The Prometheus page tells the same as `posternctl stats`, and who may open the control socket."""
import grp
import os
import re
import subprocess

import pytest

from lab import BUILD, SPOOFED4, SPOOFED6, run


def page(lab):
    return lab.ns(lab.gateway, "curl", "-sS", "http://127.0.0.1:9125/metrics").out


def samples(text):
    """{(name, labels as a frozen set of pairs): value}"""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line).groups()
            found[name, frozenset(re.findall(r'(\w+)="([^"]*)"', labels or ""))] = float(value)
    return found


def sample(found, name, **labels):
    return found[name, frozenset(labels.items())]


@pytest.fixture
def busy(lab):
    """Traffic of both families: listed, reset, monitored, allowed, too fast, accepted."""
    lab.ctl("block", "add", SPOOFED4)
    lab.ctl("block", "add", SPOOFED6, "--list", "six", "--action", "reset")
    lab.ctl("block", "add", "203.0.113.0/24", "--list", "watched")
    lab.ctl("monitor", "on", "--list", "watched")
    lab.ctl("allow", "add", "198.51.100.0/24")
    lab.ctl("limits", "set", "rate-source", "5")
    for number, prefix in enumerate((SPOOFED4, SPOOFED6, "203.0.113.0/24", "198.51.100.0/24", "192.0.2.1/32")):
        lab.flood(prefix, count=500 + number).result()
    yield lab
    lab.ctl("limits", "set", "rate-source", "default")


def test_the_page_agrees_with_the_command_line(busy):
    stats, status, found = busy.stats(), busy.ctl("status", "--json").json, samples(page(busy))
    quiet = [row for row in stats["reasons"] if row["reason"] not in ("other", "established", "port")]
    assert {row["reason"] for row in quiet} >= {"listed", "allowed", "accepted", "rate-source"}
    for row in quiet:
        labels = {key: row[key] for key in ("reason", "family", "outcome")}
        assert sample(found, "postern_packets_total", **labels) == row["packets"], row
        assert sample(found, "postern_packet_bytes_total", **labels) == row["bytes"], row
    assert {row["list"] for row in stats["lists"]} >= {"local", "six", "watched"}
    for row in stats["lists"]:
        labels = {key: row[key] for key in ("list", "kind", "family", "outcome")}
        assert sample(found, "postern_list_packets_total", **labels) == row["packets"] > 0, row
    for row in status["lists"]:
        for family in ("ipv4", "ipv6"):
            labels = {"list": row["list"], "kind": row["kind"], "family": family}
            assert sample(found, "postern_list_entries", **labels) == row[family]
        assert sample(found, "postern_list_monitor", list=row["list"], kind=row["kind"]) == row["monitor"]
    for row in busy.ctl("limits", "show", "--json").json["limits"]:
        assert sample(found, "postern_limit", key=row["key"]) == row["value"]
    assert sample(found, "postern_table_entries", family="ipv4") == status["table"]["entries4"]
    assert sample(found, "postern_table_capacity", family="ipv6") == status["table"]["capacity6"]
    assert sample(found, "postern_resets_sent_total") == stats["health"]["resets_sent"] > 0
    assert sample(found, "postern_connections") == stats["connections"]


def test_what_each_flood_came_to(busy):
    """Every packet has exactly one reason, and each list counts its own."""
    lists = {(row["list"], row["family"], row["outcome"]): row["packets"] for row in busy.stats()["lists"]}
    before = dict(lists)
    for number, prefix in enumerate((SPOOFED4, SPOOFED6, "203.0.113.0/24")):
        busy.flood(prefix, count=1000 + number, seed=2).result()
    lists = {(row["list"], row["family"], row["outcome"]): row["packets"] for row in busy.stats()["lists"]}
    gained = {key: lists[key] - before.get(key, 0) for key in lists if lists[key] != before.get(key, 0)}
    assert gained == {("local", "ipv4", "enforced"): 1000, ("six", "ipv6", "enforced"): 1001,
                      ("watched", "ipv4", "monitored"): 1002}


def test_promtool_accepts_the_page_of_a_busy_gateway(busy):
    checked = subprocess.run(["promtool", "check", "metrics"], input=page(busy), capture_output=True, text=True)
    assert checked.returncode == 0 and not checked.stdout + checked.stderr, checked


def test_the_page_is_on_loopback_only(lab):
    done = lab.ns(lab.internet, "curl", "-sS", "-m", "2", "http://10.77.0.1:9125/metrics", check=False)
    assert done.rc != 0 and not done.out


def test_the_group_of_the_control_socket(fresh, no_limits):
    """Who is in the group may command the agent; who is not gets one line and exit status 3."""
    fresh.start_posternd(limits=no_limits, control={"socket": str(fresh.socket), "group": "mail"})
    info = os.stat(fresh.socket)
    assert info.st_mode & 0o777 == 0o660 and grp.getgrgid(info.st_gid).gr_name == "mail"
    ask = lambda gid: run("setpriv", "--reuid", "33", "--regid", gid, "--clear-groups", BUILD / "posternctl",
                          "--socket", fresh.socket, "status", check=False)
    assert ask(info.st_gid).rc == 0
    refused = ask(33)
    assert refused.rc == 3 and refused.err.count("\n") == 1 and str(fresh.socket) in refused.err
