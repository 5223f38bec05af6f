# SPDX-License-Identifier: GPL-2.0-only
"""Real traffic: who is dropped, who is answered, who gets through while others flood."""
import time

import pytest

from lab import GATEWAY4, SPOOFED4, SPOOFED6, VLAN_GATEWAY4, VLAN_SENDER4, wait_until

LISTED4, LISTED6 = "203.0.113.66", "2001:db8:bad::66"
GOOD4, GOOD6 = "198.51.100.25", "2001:db8:900d::25"


@pytest.fixture(scope="module")
def postfix(lab):
    return lab.start_postfix()


@pytest.fixture(scope="module")
def sshd(lab):
    return lab.start_sshd()


@pytest.mark.parametrize("source", [LISTED4, LISTED6])
def test_a_listed_syn_is_dropped_before_there_is_a_socket(lab, postfix, source):
    lab.ctl("block", "add", source)
    before = lab.packets("listed")
    knocking = lab.probe(source, rate=200, seconds=1, least=51)
    states = [lab.ns(lab.gateway, "ss", "-Hatn", "state", "syn-recv").out for _ in range(20)]
    report = knocking.result()
    assert report["synack"] == report["rst"] == 0
    assert lab.packets("listed") - before == report["sent"] > 50
    assert not any(source in state for state in states)
    assert source not in postfix.log


@pytest.mark.parametrize("source, network", [(LISTED4, "203.0.113.0/24"), (LISTED6, "2001:db8:bad::/48")])
def test_reset_is_refused_at_once(lab, postfix, source, network):
    lab.ctl("block", "add", network, "--action", "reset")
    assert lab.connect(source) == "refused"
    assert lab.stats()["health"]["resets_sent"] > 0


@pytest.mark.parametrize("source", [LISTED4, LISTED6])
def test_ssh_from_a_listed_source_works(lab, postfix, sshd, source):
    lab.ctl("block", "add", source)
    assert lab.connect(source) == "timeout"
    assert sshd.greeting(lab, source).startswith("SSH-2.0-OpenSSH")


def test_an_allow_entry_wins_at_once(lab, postfix):
    lab.ctl("block", "add", "203.0.113.0/24")
    assert lab.connect(LISTED4) == "timeout"
    lab.ctl("allow", "add", LISTED4)
    assert lab.connect(LISTED4) == "open"
    assert lab.connect("203.0.113.67") == "timeout"
    lab.ctl("allow", "del", LISTED4)
    assert lab.connect(LISTED4) == "timeout"


def test_an_smtp_session_is_cut_by_a_new_entry_unless_it_is_allowed(lab, postfix):
    held = lab.hold(GOOD4)
    assert held.stdout.readline().startswith(b"220")
    lab.ctl("allow", "add", GOOD4)
    assert lab.ctl("block", "add", GOOD4, "--json").json["ended"] == 0
    held.stdin.write(b"NOOP\r\n")
    held.stdin.flush()
    assert held.stdout.readline().startswith(b"250")
    lab.ctl("allow", "del", GOOD4)
    assert lab.ctl("block", "add", GOOD4, "--json").json["ended"] == 1
    held.wait(1)


def test_the_sender_behind_a_vlan(lab, postfix):
    connect = lambda: lab.connect(VLAN_SENDER4, namespace=lab.vlan, dest=VLAN_GATEWAY4)
    assert connect() == "open"
    lab.ctl("block", "add", VLAN_SENDER4)
    assert connect() == "timeout"
    tags = {line["vlan"] for line in lab.log("connection.stopped") if line["source"] == VLAN_SENDER4}
    assert tags == {100}
    lab.ctl("block", "add", VLAN_SENDER4, "--action", "reset")
    assert connect() == "refused"


def test_mail_arrives_during_a_flood(lab, postfix, no_limits):
    """Floods from listed sources of both families and from one that exceeds its rate; good senders deliver."""
    lab.ctl("block", "add", SPOOFED4)
    lab.ctl("block", "add", SPOOFED6)
    lab.ctl("limits", "set", "rate-source", "10")
    lab.ctl("limits", "set", "burst-source", "10")
    before = {reason: lab.packets(reason) for reason in ("listed", "rate-source")}
    delivered = postfix.delivered()
    floods = [lab.flood(SPOOFED4, count=300000, rate=60000), lab.flood(SPOOFED6, count=300000, rate=60000),
              lab.flood("192.0.2.200/32", count=50000, rate=10000)]  # below flood.threshold
    sent = [lab.swaks(source) for source in (GOOD4, GOOD6, GOOD4)]
    reports = [flood.result() for flood in floods]
    lab.ctl("limits", "set", "burst-source", "default")
    lab.ctl("limits", "set", "rate-source", "default")
    assert all(sent)
    wait_until(lambda: postfix.delivered() == delivered + len(sent), 20, "delivery")
    assert not any(report["errors"] for report in reports)
    assert lab.packets("listed") - before["listed"] == reports[0]["sent"] + reports[1]["sent"] == 600000
    passed = 50000 - (lab.packets("rate-source") - before["rate-source"])
    assert 10 <= passed <= 10 + 10 * (reports[2]["seconds"] + 1)


def test_a_stopped_connection_can_be_looked_up_by_its_id(lab, postfix):
    source = "203.0.113.88"  # nobody else's, so that there is no older event
    lab.ctl("block", "add", source, "--reason", "a reason to be shown")
    time.sleep(1.5)  # a flood just before has used up what may be logged in a second
    lab.connect(source)
    event = wait_until(lambda: [line for line in lab.log("connection.stopped") if line["source"] == source],
                       5, "an event")[-1]
    shown = lab.ctl("why", event["id"], "--json").json["event"]
    assert (shown["source"], shown["dest"], shown["reason"], shown["list"]) == (source, GATEWAY4, "listed", "local")
    assert source in lab.ctl("why", event["id"]).out


def test_why_tells_entry_list_reason_time_hits_and_limits(lab, postfix):
    lab.ctl("block", "add", "203.0.113.0/24", "--list", "feeds", "--ttl", "1h", "--reason", "SBL1234")
    assert lab.connect("203.0.113.99") == "timeout"
    told = wait_until(lambda: (lambda w: w if w["offender"] else None)(lab.ctl("why", "203.0.113.99", "--json").json),
                      5, "a hit")
    assert told["verdict"] == "drop" and told["deciding"]["list"] == "feeds"
    assert told["deciding"]["reason"] == "SBL1234" and told["deciding"]["prefix"] == "203.0.113.0/24"
    assert told["deciding"]["expires"] > told["deciding"]["added"]
    assert told["offender"]["hits"] >= 1
    assert {row["level"] for row in told["limits"]} >= {"source", "net", "total"}
    text = lab.ctl("why", "203.0.113.99").out
    for word in ("dropped", "203.0.113.0/24", "feeds", "SBL1234", "59m"):
        assert word in text
