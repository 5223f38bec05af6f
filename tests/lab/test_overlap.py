# SPDX-License-Identifier: GPL-2.0-only
"""Overlapping entries against a model of the rules: allow first, then the longest, then the strictest.

Random entries are added, taken off and left to expire. After each change one SYN comes from each of a few
addresses around them, and the lists' own counters tell which entry decided.
"""
import ipaddress
import random
import time

import pytest

from lab import wait_until

STEPS = 60
SEED = 20
LISTS = {"soft": ("block", "reset"), "hard": ("block", "drop"), "friends": ("allow", None)}
STRICTNESS = {"reset": 1, "drop": 2}
# Addresses that the nested prefixes hold some of, and the lengths of the prefixes, around the tables' levels.
AROUND = {
    "ipv4": ("198.51.100.0", [8, 12, 16, 17, 20, 23, 24, 25, 28, 31, 32], [0, 1, 2, 9, 17, 100, 200, 255, 256, 4096]),
    "ipv6": ("2001:db8:aa00::", [16, 20, 32, 40, 47, 48, 56, 63, 64, 65, 96, 127, 128],
             [0, 1, 2, 1 << 31, 1 << 62, 1 << 63, 1 << 64, 1 << 72, 1 << 81, 1 << 88])}


def deciding(entries, address):
    """The list whose entry decides about an address, None if it is on no list."""
    matches = [(name, prefix) for name, prefix in entries if address in prefix]
    allowed = [match for match in matches if LISTS[match[0]][0] == "allow"]
    best = max(allowed or matches, key=lambda m: (m[1].prefixlen, STRICTNESS.get(LISTS[m[0]][1], 0)), default=None)
    return best and best[0]


def expected(entries, addresses):
    names = [deciding(entries, address) for address in addresses]
    return {name: names.count(name) for name in LISTS if name in names}


def counted(lab):
    rows = [row for row in lab.stats()["lists"] if row["outcome"] == "enforced"]
    return {(row["list"], row["family"]): row["packets"] for row in rows}


def knock(lab, family, addresses):
    """{list: packets} that one SYN from each address came to."""
    before = counted(lab)
    report = lab.flood(*[f"{address}/{address.max_prefixlen}" for address in addresses], count=len(addresses)).result()
    assert report["sent"] == len(addresses)
    after = counted(lab)
    gained = {name: after.get((name, family), 0) - before.get((name, family), 0) for name in LISTS}
    return {name: packets for name, packets in gained.items() if packets}


def change(lab, word, name, prefix, *options):
    kind, action = LISTS[name]
    chosen = ["--action", action] if word == "add" and action else []
    lab.ctl(kind, word, prefix, "--list", name, *chosen, *options)


@pytest.mark.parametrize("family", AROUND)
def test_what_decides_is_what_the_rules_say(lab, family):
    base, lengths, offsets = AROUND[family]
    number, entries = random.Random(SEED), set()
    addresses = [ipaddress.ip_address(base) + offset for offset in offsets]
    for step in range(STEPS):
        if entries and number.random() < 0.4:
            name, prefix = number.choice(sorted(entries, key=str))
            change(lab, "del", name, prefix)
            entries.remove((name, prefix))
        else:
            name = number.choice(list(LISTS))
            prefix = ipaddress.ip_network((number.choice(addresses), number.choice(lengths)), strict=False)
            change(lab, "add", name, prefix)
            entries.add((name, prefix))
        assert knock(lab, family, addresses) == expected(entries, addresses), (step, sorted(entries, key=str))
    for address in addresses:
        told = lab.ctl("why", address, "--json").json["deciding"]
        assert (told and told["list"]) == deciding(entries, address)


@pytest.mark.parametrize("family", AROUND)
def test_expiry_uncovers_what_an_entry_overruled(lab, family):
    base, lengths, _ = AROUND[family]
    addresses = [ipaddress.ip_address(base)]
    nested = [ipaddress.ip_network((base, length), strict=False) for length in (lengths[3], lengths[6], lengths[-1])]
    change(lab, "add", "soft", nested[0])
    change(lab, "add", "hard", nested[1], "--ttl", "2s")
    change(lab, "add", "friends", nested[2], "--ttl", "4s")
    start = time.monotonic()
    assert knock(lab, family, addresses) == {"friends": 1}
    told = lab.ctl("why", base, "--json").json
    assert told["verdict"] == "pass" and {row["list"] for row in told["matches"]} == set(LISTS)
    wait_until(lambda: knock(lab, family, addresses) == {"soft": 1}, 10, "expiry")
    assert time.monotonic() - start > 2.5  # the allow entry, which went last, held for its time
    assert {row["prefix"] for row in lab.ctl("block", "show", "--json").json} == {str(nested[0])}
