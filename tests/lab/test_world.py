# SPDX-License-Identifier: GPL-2.0-only
"""The lab's DNS (world.py) is as it says, asked through the gateway's resolver: what other tests stand on."""
import ipaddress
import subprocess

import pytest

import lists
import world
from lab import BUILD, Lab, wait_until
from nameservers import Resolve


@pytest.fixture(scope="module")
def there():
    with Lab("world") as made:
        yield world.World(made)


@pytest.fixture
def ask(there):
    """Without a cache, so that what changes is seen."""
    resolve = Resolve(there.lab.start(there.lab.gateway, BUILD / "tests/resolve", 1000, 1, world.RESOLVER,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    yield resolve.ask
    assert resolve.close() == 0


def codes(answer):
    return sorted(record["addr"] for record in answer["records"]) or answer["status"]


def below(address, zone):
    reverse = ipaddress.ip_address(address).reverse_pointer
    return f"{reverse.removesuffix('.in-addr.arpa').removesuffix('.ip6.arpa')}.{zone}"


@pytest.mark.parametrize("zone", ["bl.test", "wl.test", "mask.test", "multi.test", "slow.test", "big.test"])
def test_a_list_that_works(ask, zone):
    """It has the test point of RFC 5782 and not its opposite."""
    wait_until(lambda: codes(ask(below(lists.POINT4, zone))) == ["127.0.0.2"], 10, "an answer")
    assert codes(ask(below("127.0.0.1", zone))) == "nxdomain"


def test_what_lists_say(ask):
    assert codes(ask(below(lists.POINT6, "bl.test"))) == ["127.0.0.2"]
    assert codes(ask(below("::ffff:7f00:1", "bl.test"))) == "nxdomain"
    text = ask(below("2001:db8:bad::7", "bl.test"), "TXT")["records"][0]["text"]
    assert text == "Listed, see https://lists.example.net/?2001:db8:bad::7"
    assert {codes(ask(below(address, "mask.test")))[0] for address in lists.REASONS.values()} == \
        {f"127.0.0.{code}" for code in lists.REASONS}
    assert codes(ask(below(lists.SEVERAL, "multi.test"))) == ["127.0.0.10", "127.0.0.2", "127.0.0.4"]
    assert codes(ask("test.dbl.test")) == codes(ask("a.spam.example.dbl.test")) == ["127.0.0.2"]
    assert codes(ask("invalid.dbl.test")) == "nxdomain"


@pytest.mark.parametrize("zone, wanted", [
    ("refusing.test", ["127.255.255.254"]), ("world.test", ["127.0.0.2"]), ("closed.test", "temporary"),
    ("servfail.test", "temporary"), ("dead.test", "temporary")])
def test_a_list_that_does_not_work(ask, zone, wanted):
    assert codes(ask(below("127.0.0.1", zone))) == wanted


def test_an_answer_that_needs_tcp(ask, there):
    resolve = Resolve(there.lab.start(there.lab.gateway, BUILD / "tests/resolve", 1000, 1, world.RESOLVER,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    assert "127.0.0.2" in codes(resolve.ask(below(lists.SEVERAL, "big.test")))
    assert resolve.stats["tcp"] == 1
    assert resolve.close() == 0


def test_a_list_that_falls_silent_and_comes_back(there):
    """Each question by a resolver of its own, because that has a cache."""
    def answer(zone):
        resolve = Resolve(there.lab.start(there.lab.gateway, BUILD / "tests/resolve", 300, 1, world.RESOLVER,
                                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        try:
            return codes(resolve.ask(below(lists.POINT4, zone)))
        finally:
            resolve.close()
    there.lists.mute("bl.test")
    wait_until(lambda: answer("bl.test") == "temporary", 10, "silence")
    assert answer("wl.test") == ["127.0.0.2"]
    there.lists.unmute("bl.test")
    wait_until(lambda: answer("bl.test") == ["127.0.0.2"], 10, "an answer")
