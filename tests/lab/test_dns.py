# SPDX-License-Identifier: GPL-2.0-only
"""The agent's resolver against real name servers. What these cannot be made to do is in tests/unit/test_dns_*.c."""
import signal

import pytest

from lab import wait_until
from nameservers import AUTHORITY, NOBODY, RESOLVER, REWRITER, SILENT, NameServers


@pytest.fixture(scope="module")
def servers():
    with NameServers() as made:
        yield made


@pytest.fixture
def resolve(servers):
    """Makes resolvers, and looks afterwards whether they leave nothing open."""
    made = []

    def make(*addresses, **options):
        made.append(servers.resolve(*addresses, **options))
        return made[-1]
    yield make
    assert [each.close() for each in made] == [0] * len(made)


def addresses(answer):
    return sorted(record["addr"] for record in answer["records"])


@pytest.mark.parametrize("server", [RESOLVER, AUTHORITY, "::1", "[::1]:53"])
def test_every_type(resolve, server):
    ours = resolve(server)
    found = ours.ask("www.lab.test")
    assert found["status"] == "found" and addresses(found) == ["192.0.2.1", "192.0.2.2"] and found["ttl"] <= 300
    assert addresses(ours.ask("www.lab.test", "AAAA")) == ["2001:db8::1"]
    assert sorted((record["preference"], record["text"]) for record in ours.ask("lab.test", "MX")["records"]) == \
        [(10, "mx.lab.test"), (20, "mx2.lab.test")]
    assert [record["text"] for record in ours.ask("nullmx.lab.test", "MX")["records"]] == [""]
    assert [record["text"] for record in ours.ask("lab.test", "TXT")["records"]] == ["v=spf1 ip4:192.0.2.0/24 -all"]
    assert [record["text"] for record in ours.ask("1.2.0.192.in-addr.arpa", "PTR")["records"]] == ["www.lab.test"]


def test_aliases(resolve):
    answer = resolve(RESOLVER).ask("alias2.lab.test")
    assert addresses(answer) == ["192.0.2.1", "192.0.2.2"]
    assert 0 < answer["ttl"] <= 60  # the least of the chain


@pytest.mark.parametrize("server", [RESOLVER, AUTHORITY])
def test_no_name_and_no_such_records(resolve, server):
    ours = resolve(server)
    for name, kind, status in (("nothing.lab.test", "A", "nxdomain"), ("www.lab.test", "MX", "nodata"),
                               ("wild.lab.test", "A", "nodata"), ("a.wild.lab.test", "TXT", "nodata")):
        answer = ours.ask(name, kind)
        assert answer["status"] == status and answer["records"] == []
        assert 10 <= answer["ttl"] <= 40  # the SOA's, unless it has aged below ttl-min


@pytest.mark.parametrize("server", [RESOLVER, AUTHORITY])
def test_an_answer_that_needs_tcp(resolve, server):
    ours = resolve(server)
    answer = ours.ask("big.lab.test", "TXT")
    assert answer["status"] == "found" and not answer["cut"]
    assert [record["length"] for record in answer["records"]] == [3000]
    assert ours.stats["tcp"] == 1


def test_the_cache(resolve):
    ours = resolve(RESOLVER)
    ours.ask("www.lab.test")
    assert addresses(ours.ask("WWW.lab.TEST.")) == ["192.0.2.1", "192.0.2.2"]
    assert ours.stats["hits"] == 1


def test_a_zone_that_nobody_serves(resolve):
    """The authority refuses, the resolver says SERVFAIL, and both are temporary."""
    ours = resolve(RESOLVER)
    assert ours.ask("www.unserved.test")["status"] == "temporary"
    assert resolve(AUTHORITY).ask("www.unserved.test")["status"] == "temporary"
    assert ours.stats["refusals"] >= 1 and ours.stats["down"] == 0


def test_nobody_is_there(resolve):
    assert resolve(NOBODY).ask("www.lab.test")["status"] == "temporary"
    ours = resolve(SILENT, timeout=200, tries=2)
    assert ours.ask("www.lab.test")["status"] == "temporary"
    assert ours.stats["timeouts"] >= 2  # and the one for what rewrites


def test_the_second_one_takes_over(resolve):
    assert resolve(NOBODY, RESOLVER).ask("www.lab.test")["status"] == "found"
    ours = resolve(SILENT, RESOLVER, timeout=1000)
    assert ours.ask("www.lab.test")["status"] == "found"
    assert ours.stats["timeouts"] >= 1


def test_a_resolver_that_rewrites(resolve):
    ours = resolve(REWRITER)
    wait_until(lambda: ours.stats["rewrites"] == 1, 20, "the discovery of what rewrites")
    honest = resolve(RESOLVER)
    assert honest.ask("www.lab.test")["status"] == "found"
    assert honest.stats["rewrites"] == 0


def test_more_than_a_budget(resolve):
    """All at once: as many as may be under way are asked, the rest is told so. So many datagrams in one moment
    may be too much for a socket: then they are asked again."""
    result = resolve(RESOLVER, timeout=1000, tries=10).do("burst", 1500, "a.wild.lab.test")
    assert result["found"] == 1000 and result["busy"] == 500


def test_a_storm_of_cancels(resolve):
    ours = resolve(RESOLVER, timeout=1000, tries=10)
    for turn in range(5):
        result = ours.do("storm", 900, f"storm{turn}.wild.lab.test")
        assert result["cancelled"] == 450 and result["found"] == 450
        wait_until(lambda: ours.stats["in_flight"] == 0, 30, "the end of what nobody waits for")


def burst_until(ours, what, condition):
    """Bursts of questions, until one of them has the result that is waited for."""
    turns = iter(range(100000))
    return wait_until(lambda: condition(ours.do("burst", 200, f"{what}{next(turns)}.wild.lab.test")), 60, what)


def test_death_and_return_under_load(servers, resolve):
    """Killed, the kernel refuses for it; stopped, it is silent. It serves again as soon as it is back."""
    ours = resolve(RESOLVER, timeout=300, tries=2)
    burst_until(ours, "alive", lambda result: result["found"] == 200)
    servers.end(servers.resolver, signal.SIGKILL)
    burst_until(ours, "dead", lambda result: result["temporary"] == 200)
    assert ours.stats["down"] == 1
    servers.resolver = servers.start_unbound(RESOLVER)
    burst_until(ours, "back", lambda result: result["found"] == 200)
    servers.resolver.send_signal(signal.SIGSTOP)
    try:
        burst_until(ours, "stopped", lambda result: result["temporary"] == 200)
    finally:
        servers.resolver.send_signal(signal.SIGCONT)
    burst_until(ours, "running", lambda result: result["found"] == 200)
    burst_until(ours, "up", lambda _: ours.stats["down"] == 0)


def test_the_end_with_questions_under_way(servers, resolve):
    ours = resolve(SILENT, timeout=20000)
    ours.say("burst", 500, "wild.lab.test")
    assert ours.stats["in_flight"] == 500
