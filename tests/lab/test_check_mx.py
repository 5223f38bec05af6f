# SPDX-License-Identifier: GPL-2.0-only
"""`posternctl check mx` against real name servers and real mail servers: Postfix, and what no Postfix would do.

The dialogue itself, octet by octet, is tested in tests/unit/test_check_mx.c.
"""
import types
from unittest import mock

import pytest

import nameservers
from lab import BUILD, wait_until
from nameservers import AUTHORITY, RESOLVER, NameServers
from servers import Postfix

ONE, TWO, NEAR, STRICT, DOWN, ODD = ("192.0.2.10", "198.51.100.10", "192.0.2.20", "203.0.113.10", "192.0.2.30",
                                     "203.0.113.20")
SIX = "2001:db8:5::10"
DOMAINS = ["good", "near", "down", "single", "same", "refused", "odd", "six", "own"]

RECORDS = f"""
mx1     IN A    {ONE}
mx2     IN A    {TWO}
mx3     IN A    {NEAR}
strict  IN A    {STRICT}
dead    IN A    {DOWN}
odd1    IN A    {ODD}
both    IN A    {DOWN}
both    IN AAAA {SIX}
other   IN A    {ONE}
self    IN A    127.0.0.1
good    IN MX 10 mx1
good    IN MX 20 mx2
near    IN MX 10 mx1
near    IN MX 20 mx3
down    IN MX 10 mx1
down    IN MX 20 dead
single  IN MX 10 mx1
same    IN MX 10 mx1
same    IN MX 20 other
refused IN MX 10 mx1
refused IN MX 20 strict
odd     IN MX 10 odd1
odd     IN MX 20 mx2
six     IN MX 10 mx1
six     IN MX 20 both
own     IN A    {ONE}
gone    IN MX 10 no
gone    IN MX 20 self
"""

# Answers each line with the next of its own, whatever it is asked.
ODD_SERVER = r"""
import socketserver, sys
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for reply in (b"220-hello\r\n220 \x1b[2Jodd\r\n", b"250-odd\r\n250-STARTTLS\r\n250 x\r\n", b"250 ok\r\n", b"nonsense\r\n"):
            self.wfile.write(reply)
            self.rfile.readline()
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True
Server((sys.argv[1], 25), Handler).serve_forever()
"""


class Site:
    """Name servers and mail servers in one namespace."""

    def __init__(self, names):
        self.names = names
        for address in (ONE, TWO, NEAR, STRICT, DOWN, ODD):
            names.ns("ip", "addr", "add", f"{address}/32", "dev", "lo")
        names.ns("ip", "addr", "add", f"{SIX}/128", "dev", "lo", "nodad")
        # What Postfix needs of a lab.
        place = types.SimpleNamespace(directory=names.directory, gateway=names.namespace,
                                      ns=lambda _, *command, **options: names.ns(*command, **options),
                                      start=lambda _, *command, **options: names.start(*command, **options))
        names.directory.chmod(0o755)
        mine = " ".join(f"{domain}.lab.test" for domain in DOMAINS)
        for name, listens, domains in (("good", [ONE, TWO, NEAR, SIX], mine), ("strict", [STRICT], "another.test")):
            Postfix(place, name, settings={"inet_interfaces": ", ".join(listens), "virtual_mailbox_domains": domains})
        names.start("/usr/bin/python3", "-c", ODD_SERVER, ODD)
        wait_until(lambda: f"{ODD}:25 " in names.ns("ss", "-Hltn").out, 20, "the odd server")

    def check(self, name, *options, server=RESOLVER):
        domain = name if "." in name else f"{name}.lab.test"
        return self.names.ns(BUILD / "posternctl", "check", "mx", domain, "--dns", server, *options, check=False)


@pytest.fixture(scope="module")
def site():
    with mock.patch.object(nameservers, "ZONE", nameservers.ZONE + RECORDS), NameServers() as names:
        yield Site(names)


@pytest.mark.parametrize("domain, code, reason", [
    ("good", 0, "2 MX hosts work, in different networks"),
    ("near", 0, "2 MX hosts work, but in one network"),
    ("six", 0, "2 MX hosts work, in different networks"),
    ("down", 1, "1 of 2 MX hosts works; dead.lab.test: connect: connection refused"),
    ("refused", 1, "1 of 2 MX hosts works; strict.lab.test: RCPT TO: 554 5.7.1 "),
    ("odd", 1, "1 of 2 MX hosts works; odd1.lab.test: RCPT TO: the answer is no SMTP reply"),
    ("gone", 1, "0 of 2 MX hosts work; no.lab.test: the host has no address"),
    ("same", 1, "have an address in common"),
    ("single", 1, "the domain has only one MX host"),
    ("nullmx", 1, "takes no mail (null MX)"),
    ("own", 1, "the domain has no MX"),
    ("nothing", 1, "there is no such domain"),
])
def test_verdicts(site, domain, code, reason):
    result = site.check(domain, "--json")
    assert result.rc == code and result.err == ""
    assert reason in result.json["reason"]
    assert result.json["verdict"] == ("fault" if code else "good")
    text = site.check(domain)
    assert text.rc == code and text.err == ""
    assert text.out.splitlines()[0] == f"mail hosts of {domain}.lab.test: {'fault' if code else 'good'}"
    assert result.json["reason"] in text.out.splitlines()[1]
    assert "\x1b" not in text.out


def test_what_is_told_of_a_host(site):
    answer = site.check("good", "--json").json
    assert [(row["host"], row["preference"], row["works"], row["problem"]) for row in answer["hosts"]] == \
        [("mx1.lab.test", 10, True, ""), ("mx2.lab.test", 20, True, "")]
    assert answer["working"] == {"hosts": 2, "addresses": 2, "networks": 2}
    assert answer["independent"] and answer["different_networks"] and answer["mx"] == "listed"
    address, = answer["hosts"][0]["addresses"]
    assert address["address"] == ONE and address["works"] and not address["starttls"]
    assert [(step["step"], step["code"]) for step in address["steps"]] == \
        [("greeting", 220), ("EHLO", 250), ("MAIL FROM", 250), ("RCPT TO", 250), ("QUIT", 221)]


def test_one_address_of_a_host_is_enough(site):
    answer = site.check("six", "--json").json
    down, up = answer["hosts"][1]["addresses"]
    assert (down["address"], down["works"], down["problem"]) == (DOWN, False, "connect: connection refused")
    assert (up["address"], up["works"], up["problem"]) == (SIX, True, "")
    assert answer["hosts"][1]["works"]


def test_hostile_replies_are_shown_clean(site):
    address, = site.check("odd", "--json").json["hosts"][0]["addresses"]
    assert address["starttls"] and not address["works"]
    assert address["steps"][0] == {"step": "greeting", "code": 220, "text": "?[2Jodd"}


def test_nothing_is_delivered(site):
    """No server has seen DATA, and each was told QUIT."""
    site.check("refused")
    log = (site.names.directory / "good/mail.log").read_text() + (site.names.directory / "strict/mail.log").read_text()
    assert "ehlo=1 mail=1 rcpt=1 quit=1 commands=4" in log
    assert "ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4" in log
    assert "data=" not in log


def test_the_dns_cannot_tell(site):
    result = site.check("x.unserved.test", server=AUTHORITY)
    assert result.rc == 4 and "could not tell the mail hosts of the domain" in result.err
    assert result.err.count("\n") == 1


def test_a_host_that_never_answers(site):
    """The command ends a silent host's probe itself; the others are not held up by it."""
    sink = site.names.start("/usr/bin/python3", "-c",
                            "import socket, sys, time\ns = socket.create_server((sys.argv[1], 25))\ntime.sleep(600)", DOWN)
    try:
        wait_until(lambda: f"{DOWN}:25 " in site.names.ns("ss", "-Hltn").out, 20, "the silent server")
        result = site.check("down", "--json")
    finally:
        sink.kill()
        sink.wait()
    assert result.rc == 1
    assert result.json["hosts"][0]["works"]
    assert result.json["hosts"][1]["problem"] == "greeting: no answer within 30 seconds"
