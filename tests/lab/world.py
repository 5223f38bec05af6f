# SPDX-License-Identifier: GPL-2.0-only
"""The DNS of the lab's internet, and the gateway's own resolver, all real servers.

    internet  192.0.2.53  nsd: the root, everything below "example", and the reverse zones of the lab's addresses
              192.0.2.54  rbldnsd: DNS lists (lists.py)
              192.0.2.55  the same behind a relay that takes its time (relay.py)
              192.0.2.57  nobody: what is sent there is lost
    gateway   127.0.0.1   unbound, which begins at the root and asks for itself
              127.0.0.9   a relay in front of it, where a test wants the resolver to be far away
"""
import contextlib
import ipaddress
import pathlib
import re
import signal
import sys

import dnsconf
from lab import run, wait_until
from lists import LISTS, SEVERAL, SLOW_LISTS, SLOW_MS, TTL, ZONES, Lists

AUTHORITY, LOST = "192.0.2.53", "192.0.2.57"
RESOLVER, FAR_RESOLVER = "127.0.0.1", "127.0.0.9"
RELAY = pathlib.Path(__file__).with_name("relay.py")

# Clients, and what their addresses' host names are like.
NAMED, NAMED6 = "198.51.100.10", "2001:db8::10"
NAMES_MANY, NAMELESS, UNCONFIRMED = "198.51.100.11", "198.51.100.12", "198.51.100.13"
HOSTILE, BROKEN, GENERIC, CROWDED = "198.51.100.14", "198.51.100.15", "198.51.100.16", "198.51.100.17"
LONG = ".".join(letter * 60 for letter in "abc")  # makes an answer long, because no name is repeated

HEAD = f"@ {TTL} IN SOA ns.lab.example. hostmaster.lab.example. 1 3600 600 86400 {TTL}\n@ {TTL} IN NS ns.lab.example.\n"

ROOT = HEAD + f"""\
ns.lab.example. IN A {AUTHORITY}
lists.lab.example. IN A {LISTS}
slow.lab.example. IN A {SLOW_LISTS}
lost.lab.example. IN A {LOST}
dead.test. IN NS lost.lab.example.
"""

EXAMPLE = HEAD + f"""\
ns.lab     IN A {AUTHORITY}
lists.lab  IN A {LISTS}
slow.lab   IN A {SLOW_LISTS}
lost.lab   IN A {LOST}
mail       IN A {NAMED}
mail       IN AAAA {NAMED6}
second     IN A {NAMES_MANY}
other      IN A 198.51.100.99
198-51-100-16.dyn IN A {GENERIC}
last.crowd IN A {CROWDED}
*.crowd    IN A 198.51.100.98
sound      IN MX 10 mail
sound      IN TXT "v=spf1 ip4:{NAMED} ip6:{NAMED6} -all"
mail       IN TXT "v=spf1 a -all"
addressed  IN A {NAMED}
nullmx     IN MX 0 .
mute       IN TXT "no mail here"
"""

REVERSE4 = HEAD + """\
10 IN PTR mail.example.
11 IN PTR other.example.
11 IN PTR second.example.
11 IN PTR nothing.example.
13 IN PTR other.example.
14 IN PTR "evil name".example.
14 IN PTR \\010\\027[31mred.example.
14 IN PTR <script>.example.
14 IN PTR a\\.b\\000c.example.
15 IN CNAME 15.servfail.test.
16 IN PTR 198-51-100-16.dyn.example.
""" + "".join(f"17 IN PTR host{number}.crowd.example.\n" for number in range(40)) + "17 IN PTR last.crowd.example.\n"

REVERSE6 = HEAD + f"{ipaddress.ip_address(NAMED6).reverse_pointer}. IN PTR mail.example.\n"

# The answer has a chain of aliases and as many records as fit: too long for UDP on every way.
BIG = HEAD + f"""\
2.0.0.127 IN A 127.0.0.2
{ipaddress.ip_address(SEVERAL).reverse_pointer.removesuffix(".in-addr.arpa")} IN CNAME {LONG}.one
{LONG}.one IN CNAME {LONG.upper()[::-1]}.two
{LONG.upper()[::-1]}.two IN A 127.0.0.2
""" + "".join(f"{LONG.upper()[::-1]}.two IN A 127.0.1.{number}\n" for number in range(2, 62))

NETWORKS = ["100.51.198.in-addr.arpa", "113.0.203.in-addr.arpa", "2.0.192.in-addr.arpa", "77.10.in-addr.arpa"]
REVERSE_ZONES = {NETWORKS[0]: REVERSE4, **{name: HEAD for name in NETWORKS[1:]}, "8.b.d.0.1.0.0.2.ip6.arpa": REVERSE6}
# Of servfail.test nsd has no data, so it says SERVFAIL.
SERVED = {"example": EXAMPLE, "big.test": BIG, "servfail.test": None, **REVERSE_ZONES}
# Names that unbound would answer for itself: RFC 6303, RFC 6761.
OWN = ["test.", "10.in-addr.arpa.", *(f"{name}." for name in [*NETWORKS[:3], "8.b.d.0.1.0.0.2.ip6.arpa"])]

# Everything is asked for in one step, and what was lost is tried again as soon as somebody wants it.
UNBOUND_MORE = """\
    root-hints: "{directory}/root.hints"
    qname-minimisation: no
    infra-keep-probing: yes
    infra-host-ttl: 5
    so-rcvbuf: 4m
"""


class World:
    """See the module's text. Belongs to a lab, whose close() ends it. `zones`: {name: text} of more zones that nsd has."""

    def __init__(self, lab, zones=None):
        self.served = {**SERVED, **{zone: HEAD + text for zone, text in (zones or {}).items()}}
        self.lab, self.directory = lab, lab.directory / "world"
        self.directory.mkdir()
        lab.ns(lab.internet, "ip", "route", "add", "blackhole", LOST, "table", "local")
        self.nsd = self._start_nsd()
        self.lists = Lists(lab)
        self.relay(lab.internet, SLOW_LISTS, LISTS, SLOW_MS)
        self.resolver = self.start_resolver()

    def _start(self, namespace, address, name, text, *command):
        config = self.directory / f"{name}.conf"
        config.write_text(text)
        with open(self.directory / f"{name}.log", "a") as log:
            process = self.lab.start(namespace, *command, config, stdout=log, stderr=log)
        self._wait(namespace, address, process, self.directory / f"{name}.log")
        return process

    def _wait(self, namespace, address, process, log=None):
        there = lambda: f"{address}:53 " in self.lab.ns(namespace, "ss", "-Hlun").out
        wait_until(lambda: process.poll() is not None or there(), 20, f"a server on {address}")
        assert process.poll() is None, log and log.read_text()

    def _start_nsd(self):
        servers = {**{zone: "lists" for zone in ZONES}, "slow.test": "slow", **{zone: "ns" for zone in self.served}}
        root = ROOT + "".join(f"{zone}. IN NS {server}.lab.example.\n" for zone, server in servers.items())
        for zone, text in {"root": root, **self.served}.items():
            if text:
                (self.directory / f"{zone}.zone").write_text(f"$ORIGIN {'' if zone == 'root' else zone}.\n$TTL {TTL}\n{text}")
        files = {".": "root.zone", **{zone: f"{zone}.zone" for zone in self.served}}
        return self._start(self.lab.internet, AUTHORITY, "nsd", dnsconf.nsd(self.directory, [AUTHORITY], files),
                           "/usr/sbin/nsd", "-d", "-c")

    def relay(self, namespace, address, server, milliseconds):
        """A server that is far away; returns its process."""
        process = self.lab.start(namespace, sys.executable, RELAY, address, server, milliseconds)
        self._wait(namespace, address, process)
        return process

    # ---- the gateway's resolver

    def start_resolver(self, more=""):
        """`more`: lines of the section "server"."""
        hints = self.directory / "root.hints"
        hints.write_text(f". 3600 IN NS ns.lab.example.\nns.lab.example. 3600 IN A {AUTHORITY}\n")
        text = dnsconf.unbound(self.directory, RESOLVER, OWN, UNBOUND_MORE.format(directory=self.directory) + more,
                               control=self.directory / "unbound.sock")
        return self._start(self.lab.gateway, RESOLVER, "unbound", text, "/usr/sbin/unbound", "-d", "-c")

    def end_resolver(self, how=signal.SIGKILL):
        self.resolver.send_signal(how)
        self.resolver.wait(20)

    def return_resolver(self, more=""):
        self.resolver = self.start_resolver(more)

    def queries(self):
        """How many questions the resolver was asked."""
        out = run("unbound-control", "-c", self.directory / "unbound.conf", "stats_noreset").out
        return int(re.search(r"^total\.num\.queries=(\d+)", out, re.M).group(1))

    def forget(self, zone="."):
        """Empties the resolver's cache, of a zone and of what it knows about servers."""
        for words in (["flush_zone", zone], ["flush_infra", "all"]):
            run("unbound-control", "-c", self.directory / "unbound.conf", *words)

    @contextlib.contextmanager
    def resolver_stopped(self):
        """The resolver is there and silent meanwhile."""
        self.resolver.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.resolver.send_signal(signal.SIGCONT)
