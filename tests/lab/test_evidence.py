# SPDX-License-Identifier: GPL-2.0-only
"""What connection attempts make the agent ask for: no more than it is allowed to, and in time for those that are real."""
import ipaddress
import random
import statistics
import subprocess
import time

import pytest

import guardbed
import lists
import world
from bed import FLOOD_CPU, TOOLS
from lab import GATEWAY4, INTERNET4, Generator, Lab, wait_until
from slowclients import Clients

RATE = 50           # sources a second that may be looked up
QUESTIONS = 3       # of one source: two lists and its host name
NAMES_MAX = 10      # host names of one address that are asked for
FORGED, FORGED_RATE, SECONDS = "100.64.0.0/10", 100_000, 3
NEWCOMERS = 7
OTHER_PORT = 2525   # nobody listens there yet
ALLOWANCE_MS = 50
QUIET = {"zones": ["bl.test*10", "wl.test*-10"], "test-interval": 3600}  # no tests of zones while questions are counted


@pytest.fixture(scope="module")
def bed():
    with Lab("evidence") as lab:
        made = guardbed.Guard(lab, mail=False)
        lab.ns(lab.gateway, "ip", "route", "add", "default", "via", INTERNET4)
        lab.listen()
        sources = lab.directory / "sources"
        first = int(ipaddress.ip_network(FORGED).network_address)
        numbers = random.Random(1).sample(range(1 << 22), FORGED_RATE * SECONDS)
        sources.write_bytes(b"".join((first + number).to_bytes(4, "big") for number in numbers))
        made.forged = sources
        yield made


@pytest.fixture
def guard(bed):
    yield bed
    bed.end()


def spray(guard, seconds=SECONDS, rate=FORGED_RATE):
    """SYNs from forged addresses, each its own."""
    lab = guard.lab
    return Generator(lab.start(lab.internet, TOOLS / "spray", TOOLS / "spray.bpf.o", "i0", lab.mac(), GATEWAY4, 25,
                               guard.forged, seconds, rate, FLOOD_CPU, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True))


def newcomers(guard, count=NEWCOMERS):
    """The milliseconds that the verdicts on real newcomers take, who come so slowly that the budget is none of their concern."""
    found = []
    for _ in range(count):
        time.sleep(0.15)
        source = next(guard.good)
        assert guard.lab.connect(source, timeout=3) == "open"
        found.append(guard.wait_for_verdict(source)["ms"])
    return found


@pytest.mark.parametrize("threshold", [0, 10000])
def test_forged_sources_cost_no_more_than_the_budget(guard, threshold):
    """With the defence against floods, and without: then the budget is all that there is."""
    guard.start(dnsbl=QUIET, guard={**guardbed.SETTINGS["guard"], "rate": RATE}, flood={"threshold": threshold})
    quiet = newcomers(guard)
    before = guard.world.queries()
    flood = spray(guard)
    busy = newcomers(guard)
    report = flood.result()
    asked = guard.world.queries() - before
    assert report["sent"] > FORGED_RATE  # it was one
    most = (RATE * (report["seconds"] + 1) + 2 * NEWCOMERS) * QUESTIONS
    assert asked <= most
    if not threshold:
        assert asked > RATE * QUESTIONS  # and forged ones were asked for, so the budget has worked
    assert statistics.median(busy) <= statistics.median(quiet) + ALLOWANCE_MS


def test_a_verdict_is_there_before_the_connection(guard):
    """The resolver is 50 ms away, the client 100: what its SYN has set off is done when it is accepted."""
    relay = guard.world.relay(guard.lab.gateway, world.FAR_RESOLVER, world.RESOLVER, 50)
    guard.start(dns={**guardbed.SETTINGS["dns"], "servers": [world.FAR_RESOLVER]}, dnsbl=QUIET,
                ports=[25, OTHER_PORT])
    try:
        sources = [f"198.18.0.{host}" for host in range(1, 41)]
        accepted = Clients(guard.lab, sources, line=0.1, port=OTHER_PORT).run()
        assert set(accepted) == set(sources)
        wait_until(lambda: all(guard.verdicts(source) for source in sources), 10, "all verdicts")
        ready = [opened + guard.verdicts(source)[0]["ms"] / 1000 <= at for source, (opened, at) in accepted.items()]
        assert sum(ready) > len(ready) / 2  # bench_guard.py has the share
    finally:
        relay.terminate()


@pytest.mark.parametrize("first, action", [(0, "refuse"), (10, "tarpit")])
def test_a_block_does_not_catch_the_handshake_that_it_is_about(guard, first, action):
    """The verdict comes between SYN-ACK and ACK, and answers for later connections only: so the mail server sees the first."""
    guard.start(dnsbl=QUIET, ports=[25, OTHER_PORT], escalation={"first-action": action, "ttl": 60})
    sources = list(map(str, ipaddress.ip_network(lists.NOBODYS4).hosts()))[first:first + 10]
    assert set(Clients(guard.lab, sources, port=OTHER_PORT, ready=guard.blocks).run()) == set(sources)
    assert [row["action"] for source in sources for row in guard.blocks(source)] == [action] * len(sources)


def test_one_source_is_asked_for_once(guard):
    """However often it knocks while its verdict holds."""
    guard.start(dnsbl=QUIET, guard={**guardbed.SETTINGS["guard"], "ttl-min": 60, "ttl-max": 60})
    source = next(guard.good)
    before = guard.world.queries()
    probe = guard.lab.probe(source, rate=500, seconds=1, least=101)
    assert probe.result()["sent"] > 100
    assert len(guard.verdicts(source)) == 1
    assert guard.world.queries() - before <= QUESTIONS


def test_the_agent_says_what_it_left_out(guard):
    guard.start(dnsbl=QUIET, guard={**guardbed.SETTINGS["guard"], "rate": 1}, flood={"threshold": 0})
    report = guard.lab.flood("198.18.0.0/16", count=2000, rate=2000).result()
    assert report["sent"] == 2000
    wait_until(lambda: guard.metric("postern_newcomers_skipped_total") > 1000, 10, "a count of those left out")


def test_a_crowd_of_host_names(guard):
    """Some of forty are asked for, and no more."""
    guard.start(dnsbl=QUIET)
    before = guard.world.queries()
    assert guard.lab.connect(world.CROWDED) == "open"
    guard.wait_for_verdict(world.CROWDED)
    assert QUESTIONS < guard.world.queries() - before <= QUESTIONS + NAMES_MAX
