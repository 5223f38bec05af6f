# SPDX-License-Identifier: GPL-2.0-only
"""`posternctl check ip` on the gateway: every kind of DNS list, of host name and of HELO name, and what follows from it."""
import collections

import pytest

import guardbed
import lists
import world
from lab import BUILD, Lab

# Zones that work, with weights that tell who has counted, and zones that do not.
WORKING = ["bl.test*10", "wl.test*-6", "mask.test=127.0.0.&4*3", "mask.test=127.0.0.&8*2",
           "multi.test=127.0.0.[2;10]*2", "multi.test=127.0.0.4*5", "slow.test*2", "big.test*7"]
UNLISTED4, UNLISTED6 = "203.0.113.77", "2001:db8:900d::77"
NOT_COUNTED = {"out", "error", "temporary"}

Case = collections.namedtuple("Case", "address listed decision")
CASES = {
    "on no list": Case(UNLISTED4, {}, "accept"),
    "IPv6 on no list": Case(UNLISTED6, {}, "accept"),
    "listed": Case("203.0.113.200", {"bl.test": (10, ["127.0.0.2"])}, "reject"),
    "IPv6 listed": Case("2001:db8:bad::7", {"bl.test": (10, ["127.0.0.2"])}, "reject"),
    "allow list": Case("198.51.100.70", {"wl.test": (-6, ["127.0.0.2"])}, "accept"),
    "block and allow list": Case(lists.BOTH, {"bl.test": (10, ["127.0.0.2"]), "wl.test": (-6, ["127.0.0.2"])}, "slow"),
    "a bit that does not count": Case(lists.REASONS[2], {}, "accept"),
    "a bit": Case(lists.REASONS[4], {"mask.test": (3, ["127.0.0.4"])}, "accept"),
    "another bit": Case(lists.REASONS[8], {"mask.test": (2, ["127.0.0.8"])}, "accept"),
    "bits of which one counts": Case(lists.REASONS[6], {"mask.test": (3, ["127.0.0.6"])}, "accept"),
    "several answers, and one by TCP": Case(
        lists.SEVERAL, {"multi.test": (7, ["127.0.0.10", "127.0.0.2", "127.0.0.4"]), "big.test": (7, None)}, "reject"),
    "a slow list": Case(lists.SLOW, {"slow.test": (2, ["127.0.0.2"])}, "accept"),
}


@pytest.fixture(scope="module")
def bed():
    """All zones at once, those that do not work among them. Host names count nothing, unless a test is about them."""
    with Lab("dnsbl") as lab:
        made = guardbed.Guard(lab, mail=False)
        made.start(dnsbl={"zones": [*WORKING, *(f"{zone}*100" for zone in sorted(lists.BROKEN))], "domains": ["dbl.test*8"]},
                   dns={"servers": [world.RESOLVER], "timeout": 1500, "tries": 1}, policy={"greylist": 0},
                   guard={"timeout": 5000})
        yield made


def zones(found):
    return {row["zone"]: row for row in found["zones"]}


@pytest.mark.parametrize("name", CASES)
def test_lists(bed, name):
    case = CASES[name]
    done = bed.check_ip(case.address)
    found, rows = done.json, zones(done.json)
    assert {zone: row["score"] for zone, row in rows.items() if row["outcome"] == "listed"} == \
        {zone: score for zone, (score, _) in case.listed.items()}
    for zone, (_, codes) in case.listed.items():
        assert codes is None or sorted(rows[zone]["codes"]) == codes
    # A list without IPv6 is not asked for it.
    assert {rows[zone]["outcome"] for zone in lists.BROKEN if ":" not in case.address or zone in rows} <= NOT_COUNTED
    assert all(rows[zone]["score"] == 0 for zone in rows if zone not in case.listed)
    assert found["score"] == sum(score for score, _ in case.listed.values())
    assert found["decision"] == case.decision and done.rc == (case.decision == "reject")


def test_the_text_of_a_list(bed):
    row = zones(bed.check_ip("203.0.113.201").json)["bl.test"]
    assert row["text"] == "Listed, see https://lists.example.net/?203.0.113.201"
    assert 0 < row["ttl"] <= 60 and row["age"] == 0
    assert zones(bed.check_ip(lists.REASONS[4]).json)["mask.test"]["text"] == ""


def test_people_read_it_too(bed):
    done = bed.check_ip("203.0.113.201", json=False)
    assert done.rc == 1
    for word in ("203.0.113.201", "reject", "bl.test", "https://lists.example.net/?203.0.113.201"):
        assert word in done.out


def test_a_list_of_domains(bed):
    found = bed.check_ip(UNLISTED4, "--helo", "host.spam.example").json
    assert zones(found)["dbl.test"]["outcome"] == "listed" and zones(found)["dbl.test"]["score"] == 8
    found = bed.check_ip(UNLISTED4, "--helo", "host.ham.example").json
    assert zones(found)["dbl.test"]["outcome"] == "clean"


NAMES = {
    "confirmed": (world.NAMED, {"rdns-confirmed"}, "mail.example"),
    "IPv6 confirmed": (world.NAMED6, {"rdns-confirmed"}, "mail.example"),
    "one of several": (world.NAMES_MANY, {"rdns-confirmed"}, "second.example"),
    "missing": (world.NAMELESS, {"rdns-missing"}, ""),
    "unconfirmed": (world.UNCONFIRMED, {"rdns-unconfirmed"}, "other.example"),
    "temporary": (world.BROKEN, {"rdns-temporary"}, ""),
    "generic": (world.GENERIC, {"rdns-confirmed", "rdns-generic"}, "198-51-100-16.dyn.example"),
}


@pytest.mark.parametrize("name", NAMES)
def test_host_names(bed, name):
    address, findings, host = NAMES[name]
    found = bed.check_ip(address).json
    assert {row["finding"] for row in found["findings"]} == findings
    assert found["rdns"]["name"] == host
    assert found["decision"] == "accept" and found["temporary"] == ("rdns-temporary" in findings)


def test_host_names_of_an_enemy(bed):
    """None of them is asked for or shown."""
    for done in (bed.check_ip(world.HOSTILE), bed.check_ip(world.HOSTILE, json=False)):
        assert all(character.isprintable() or character == "\n" for character in done.out)
        assert "script" not in done.out and "evil" not in done.out and "31m" not in done.out
    assert bed.check_ip(world.HOSTILE).json["rdns"]["invalid"] >= 3


@pytest.mark.parametrize("address, helo, wanted", [
    (world.NAMED, "mail.example", {"helo-confirmed", "helo-match"}),
    (world.NAMES_MANY, "mail.example", {"helo-mismatch"}),
    (world.NAMED, "mail", {"helo-bare"}), (world.NAMED, "mail_.example..", {"helo-syntax"}),
    (world.NAMED, f"[{world.NAMED}]", {"helo-literal"}), (world.NAMED, "[192.0.2.1]", {"helo-literal-wrong"})])
def test_helo(bed, address, helo, wanted):
    found = bed.check_ip(address, "--helo", helo).json
    assert {row["finding"] for row in found["findings"] if row["finding"].startswith("helo")} == wanted


def test_spf_of_the_helo_name(bed):
    assert bed.check_ip(world.NAMED, "--helo", "mail.example").json["spf"]["result"] == "pass"
    found = bed.check_ip(UNLISTED4, "--helo", "mail.example").json
    assert found["spf"]["result"] == "fail" and "spf-helo-fail" in {row["finding"] for row in found["findings"]}


def check(bed, *words):
    """The checks that need no agent, through the gateway's resolver."""
    return bed.lab.ns(bed.lab.gateway, BUILD.resolve() / "posternctl", "check", *words, "--dns", world.RESOLVER, "--json",
                      check=False).json


@pytest.mark.parametrize("domain, wanted", [("sound.example", "listed"), ("nullmx.example", "null"),
                                            ("addressed.example", "implicit"), ("mute.example", "missing"),
                                            ("nothing.example", "missing"), ("servfail.test", "temporary")])
def test_the_mail_hosts_of_a_domain(bed, domain, wanted):
    assert check(bed, "mx", domain)["mx"] == wanted


@pytest.mark.parametrize("address, domain, wanted", [
    (world.NAMED, "sound.example", "pass"), (world.NAMED6, "sound.example", "pass"), (UNLISTED4, "sound.example", "fail"),
    (UNLISTED4, "mute.example", "none"), (UNLISTED4, "servfail.test", "temperror")])
def test_spf(bed, address, domain, wanted):
    assert check(bed, "spf", "--ip", address, "--helo", "mail.example", "--from", f"user@{domain}")["result"] == wanted


def test_the_resolver_is_gone(bed):
    """Nothing is known, nothing counts, and it is said."""
    with bed.world.resolver_stopped():
        done = bed.check_ip("203.0.113.202")
    assert done.rc == 0 and done.json["temporary"] and done.json["decision"] == "accept"
