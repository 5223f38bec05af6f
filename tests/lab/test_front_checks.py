# SPDX-License-Identifier: GPL-2.0-only
"""What clients and senders are refused for, with real DNS: the code of each (RFC 7208 8, RFC 7372, RFC 7505), and that a DNS that cannot
tell is never a refusal for good.
"""
import itertools
import re

import pytest

import world
from frontbed import SENDER, Front
from frontclient import RCPT
from lab import GATEWAY4, GATEWAY6, Lab, wait_until
from wire import inside

from torture.client import Client

GOOD = world.NAMED  # its name is mail.example, and leads back
FRESH = (f"fresh{number}" for number in itertools.count())
# {what is wrong: (client, sender, the code that says so)}
REFUSED = {
    "SPF fail": ("198.51.100.11", "sender@sound.example", "550 5.7.23"),
    "a null MX": (GOOD, "sender@nullmx.example", "550 5.7.27"),
    "a domain that does not exist": (GOOD, "sender@nowhere.example", "550 5.1.8"),
    "a domain without an address": (GOOD, "sender@mute.example", "550 5.1.8"),
    "no host name": (world.NAMELESS, "sender@addressed.example", "550 5.7.25"),
    "a host name that leads elsewhere": (world.UNCONFIRMED, "sender@addressed.example", "550 5.7.25"),
}
TAKEN = {
    "SPF pass": (GOOD, "sender@sound.example"), "SPF none": (GOOD, "sender@addressed.example"), "IPv6": (world.NAMED6, "sender@sound.example"),
    "a bounce": (GOOD, ""), "a DNS that fails for the host name": (world.BROKEN, "sender@addressed.example"),
    "one name of many": (world.NAMES_MANY, "sender@addressed.example"),
}


@pytest.fixture(scope="module")
def front():
    with Lab("frontchecks") as lab:
        made = Front(lab, backends="sink")
        made.start(check={"rdns": "reject"})
        yield made


def tell(front, client, sender):
    """The first reply that refuses, the greeting's too, or the last one."""
    with inside(front.lab.internet):
        talk = Client((GATEWAY6 if ":" in client else GATEWAY4, 25), client, 30)
    reply = talk.reply()
    for line in (f"EHLO mail.{SENDER}", f"MAIL FROM:<{sender}>", RCPT):
        reply = talk.ask(line) if reply[0] == "2" else reply
    talk.close()
    return reply


@pytest.mark.parametrize("kind", REFUSED)
def test_refused(front, kind):
    """With the code of the reason, and an id that leads to it."""
    client, sender, code = REFUSED[kind]
    reply = tell(front, client, sender)
    found = re.fullmatch(rf"{re.escape(code)} refused: .*\(lookup id ([0-9A-Z]+)\)", reply)
    assert found, reply
    wait_until(lambda: any(row["id"] == found[1] and row["source"] == client for row in front.lab.log("smtp.refused")), 5, "a line of the log")


@pytest.mark.parametrize("kind", TAKEN)
def test_taken(front, kind):
    assert tell(front, *TAKEN[kind]).startswith("250"), kind


@pytest.mark.parametrize("how", ["fails", "is silent", "is gone"])
def test_a_dns_that_cannot_tell_refuses_nobody_for_good(front, how):
    """Of a domain whose server fails, and while the resolver is silent or gone; afterwards it is as before."""
    if how == "fails":
        assert tell(front, GOOD, "sender@servfail.test")[0] in "24"
        return
    if how == "is silent":
        with front.guard.world.resolver_stopped():
            check_all(front)
    else:
        front.guard.world.end_resolver()
        try:
            check_all(front)
        finally:
            front.guard.world.return_resolver()
    wait_until(lambda: tell(front, GOOD, f"sender@{next(FRESH)}.nowhere.example").startswith("550 5.1.8"), 10, "the resolver's return")


def check_all(front):
    """None is in any cache."""
    for sender in (f"sender@{next(FRESH)}.nowhere.example", f"sender@{next(FRESH)}.nullmx.example"):
        reply = tell(front, next(front.guard.good), sender)
        assert reply[0] in "24", reply
