# SPDX-License-Identifier: GPL-2.0-only
"""Other DNS lists by `posternctl reload`, while mail flows: lists of a real rbldnsd behind unbound, in mode proxy."""
import concurrent.futures
import re

import pytest

import lists
from frontbed import Front, dialogue
from frontclient import MAIL, RCPT, Session
from lab import Lab, wait_until

STAYS, ADDED = "multi.test*1", "bl.test*10"
CLIENT = lists.CAUGHT  # on bl.test alone
OTHER = lists.SEVERAL  # on multi.test
DOMAINS = "dbl.test*10"
PATIENCE = 10
RELOADS = 30
# Verdicts hold for longer than a test takes: what a reload changes, it changes at once.
MORE = {"guard": {"ttl-min": 60, "ttl-max": 60}, "check": {"score": "reject", "stage": "rcpt"}}


@pytest.fixture(scope="module")
def front():
    with Lab("zones") as lab:
        made = Front(lab)
        made.start(dnsbl={"zones": [STAYS]}, **MORE)
        yield made


def reload(front, check=True, **dnsbl):
    """Without a pause: what the answer says is in effect."""
    front.lab.write_config(**front.settings(dnsbl={"zones": [STAYS], **dnsbl}, **MORE))
    return front.lab.ctl("reload", check=check)


def answers(front, source=CLIENT, **options):
    """What a client is answered at MAIL and RCPT."""
    return dialogue(front, source, MAIL, RCPT, **options)


def is_refused(front, source=CLIENT, **options):
    reply = answers(front, source, **options)[-1]
    assert reply.startswith(("250", "554 5.7.1")), reply
    return reply.startswith("554")


def zone(front, name, of="address"):
    """What `status` says of a zone, or None."""
    rows = front.lab.ctl("status", "--json").json["guard"]["zones"]
    return next((row for row in rows if (row["zone"], row["of"]) == (name, of)), None)


def asked(front, name):
    return front.guard.metric("postern_dnsbl_queries_total", zone=name)


def verdict_zones(front):
    """The zones by which `why` explains the client's verdict, and those that it is looked up in now."""
    found = front.lab.ctl("why", CLIENT, "--json").json["reputation"]
    return {row["zone"] for row in found["verdict"]["zones"]}, {row["zone"] for row in found["now"]["zones"]}


def test_a_list_comes_and_goes(front):
    idle, busy = Session(front, CLIENT), Session(front, "203.0.113.26")
    assert busy.mail()[0].startswith("250")
    assert not is_refused(front) and not is_refused(front, OTHER)
    before, since = asked(front, "multi.test"), zone(front, "multi.test")["seconds"]
    assert before >= 2 and verdict_zones(front) == (set(), {"multi.test"})

    said = reload(front, zones=[STAYS, ADDED])
    assert "in effect now: dnsbl.zones" in said.out and "restart" not in said.out, said
    assert is_refused(front)
    assert verdict_zones(front) == ({"bl.test"}, {"multi.test", "bl.test"})
    assert re.search(r"\bbl\.test\b", front.lab.ctl("why", CLIENT).out)
    assert zone(front, "bl.test")["health"] == "serving" and front.guard.zone_up("bl.test")
    assert asked(front, "multi.test") > before and zone(front, "multi.test")["seconds"] >= since
    assert busy.data(b"Subject: staysopenx\r\n\r\nThe text.\r\n").startswith("250")
    front.wait_for_mail("staysopenx")

    before = asked(front, "multi.test")
    reload(front)
    assert not is_refused(front)
    assert verdict_zones(front) == (set(), {"multi.test"})
    assert zone(front, "bl.test") is None and 'zone="bl.test"' not in front.guard.page()
    assert asked(front, "multi.test") > before
    # A session that was there all the time goes on, and what it is told is by the verdict that it has.
    idle.says("NOOP", "250")
    assert idle.mail()[0].startswith("250")
    assert busy.mail()[0].startswith("250")
    for session in (idle, busy):
        session.says("QUIT", "221")


def test_a_block_in_the_kernel_is_lifted(front):
    """From the second offence on the kernel answers."""
    reload(front, zones=[STAYS, ADDED])
    assert is_refused(front)
    wait_until(lambda: front.lab.connect(CLIENT) == "timeout" or not answers(front), PATIENCE, "the kernel's block")
    reload(front)
    assert front.lab.connect(CLIENT) == "open" and not is_refused(front)
    assert front.lab.log("guard.judged-anew")[-1]["lifted"] >= 1
    reload(front, zones=[STAYS, "bl.test*1"])
    assert not is_refused(front)
    reload(front)


def test_other_points(front):
    """Of a list that stays: neither its counters nor its health begin anew."""
    assert not is_refused(front, OTHER)
    before, since = asked(front, "multi.test"), zone(front, "multi.test")["seconds"]
    reload(front, zones=["multi.test*10"])
    assert is_refused(front, OTHER)
    assert asked(front, "multi.test") > before and zone(front, "multi.test")["seconds"] >= since
    reload(front)
    assert not is_refused(front, OTHER)


def test_many_reloads_while_mail_flows(front):
    """Nobody who is on no list notices, whatever is looked up while the lists change; and what is counted only grows."""
    choices = [{"zones": [STAYS, ADDED, "mask.test*1"], "domains": [DOMAINS]}, {"zones": [ADDED, STAYS]}, {"zones": ["multi.test*2"]}]
    session, before = Session(front, next(front.guard.good)), asked(front, "multi.test")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        reloads = pool.submit(lambda: [reload(front, **choices[number % len(choices)]).rc for number in range(RELOADS)])
        clients = 0
        while not reloads.done() or not clients:
            assert not is_refused(front, next(front.guard.good))
            clients += 1
        assert reloads.result() == [0] * RELOADS
    assert session.mail()[0].startswith("250")
    assert asked(front, "multi.test") >= before + clients
    assert front.lab.posternd.poll() is None
    reload(front)
    assert not is_refused(front)


def test_a_list_that_does_not_work_counts_nothing(front):
    """It is tested before it counts."""
    reload(front, zones=[STAYS, "world.test*100", "refusing.test*100"])
    assert not is_refused(front, "203.0.113.27")
    wait_until(lambda: zone(front, "world.test")["health"] == "world" and zone(front, "refusing.test")["health"] == "refusing",
               PATIENCE, "the end of both tests")
    assert not is_refused(front, "203.0.113.28")
    reload(front)
    assert zone(front, "world.test") is None


def test_lists_of_domains(front):
    """They are the workers' own, each of which has its turn soon."""
    name, before = "host.spam.example", asked(front, "multi.test")
    sources = (f"203.0.113.{number}" for number in range(30, 50))  # whichever worker it is; and the kernel has nothing to answer
    assert not is_refused(front, next(sources), helo=name)
    reload(front, domains=[DOMAINS])
    wait_until(lambda: (row := zone(front, "dbl.test", "domain")) and row["health"] == "serving", PATIENCE, "the test of dbl.test")
    for _ in range(4):
        assert is_refused(front, next(sources), helo=name)
    assert not is_refused(front, next(sources))
    assert zone(front, "dbl.test", "domain")["listed"] >= 1
    assert front.guard.metric("postern_dnsbl_zone_up", zone="dbl.test", of="domain") == 1
    reload(front)
    for _ in range(4):
        assert not is_refused(front, next(sources), helo=name)
    assert zone(front, "dbl.test", "domain") is None and asked(front, "multi.test") >= before


@pytest.mark.parametrize("wanted, why", [
    ({"dnsbl": {"zones": [ADDED, "bl..test"]}}, "dnsbl.zones"),
    ({"dnsbl": {"zones": [ADDED]}, "tls": {"certificates": ["/nowhere/chain.pem /nowhere/key.pem"]}}, "/nowhere/chain.pem"),
])
def test_all_or_nothing(front, wanted, why):
    """One line says what is wrong, and the lists are those of before."""
    reload(front)
    before = asked(front, "multi.test")
    front.lab.write_config(**front.settings(**MORE, **wanted))
    done = front.lab.ctl("reload", check=False)
    assert done.rc == 4 and not done.out and done.err.count("\n") == 1 and why in done.err, done
    assert zone(front, "bl.test") is None and zone(front, "multi.test") and not is_refused(front)
    assert asked(front, "multi.test") >= before
