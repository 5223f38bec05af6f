# SPDX-License-Identifier: GPL-2.0-only
"""DNS lists in the lab's internet, served by a real rbldnsd, each with another character.

    bl.test        a block list, of IPv4 and IPv6, with texts
    wl.test        an allow list
    mask.test      says why in the bits of its answer
    multi.test     several answers for one address
    dbl.test       domains
    refusing.test  answers everybody with an error code, as for resolvers that ask too much
    world.test     lists everything
    closed.test    refuses all queries
    slow.test      is behind a relay that takes its time

What is wrong with a list is what rbldnsd can be told: by its data, or by who may ask (data set "acl").
"""
import os
import signal

from lab import wait_until

LISTS, SLOW_LISTS = "192.0.2.54", "192.0.2.55"
SLOW_MS = 300
TTL = 2  # seconds, of all answers, so that changes are seen soon
TEXT = "Listed, see https://lists.example.net/?$"

# Whole networks, so that each test has addresses of its own. The test points are those of RFC 5782 5.
LISTED4, LISTED6 = "203.0.113.128/25", "2001:db8:bad::/48"
FRIENDS4 = "198.51.100.64/27"
BOTH = "203.0.113.99"       # on bl.test and on wl.test
NOBODYS4 = "198.18.200.0/24"  # listed on bl.test, and in no namespace
CAUGHT = "203.0.113.100"    # on bl.test, apart from the network
REASONS = {2: "203.0.113.2", 4: "203.0.113.4", 8: "203.0.113.8", 6: "203.0.113.6"}  # bits of mask.test
SEVERAL = "203.0.113.11"    # three answers of multi.test
SLOW = "203.0.113.12"       # on slow.test only
POINT4, POINT6 = "127.0.0.2", "::ffff:7f00:2"

REFUSED = ":127.255.255.254:Error: open resolver, see https://lists.example.net/errors"
ZONES = {
    "bl.test": {"ip4set": f":2:{TEXT}\n{POINT4}\n{LISTED4}\n{BOTH}\n{CAUGHT}\n{NOBODYS4}\n", "ip6trie": f":2:{TEXT}\n{POINT6}\n{LISTED6}\n"},
    "wl.test": {"ip4set": f":2:\n{POINT4}\n{FRIENDS4}\n{BOTH}\n"},
    "mask.test": {"ip4set": f"{POINT4} :2:\n" + "".join(f"{address} :{code}:\n" for code, address in REASONS.items())},
    "multi.test": {"ip4set": f"{POINT4} :2:\n" + "".join(f"{SEVERAL} :{code}:Reason {code}\n" for code in (2, 4, 10))},
    "dbl.test": {"dnset": f":2:{TEXT}\ntest\n.spam.example\n"},
    "refusing.test": {"ip4set": f"{POINT4}\n", "acl": f"0.0.0.0/0 {REFUSED}\n"},
    "world.test": {"ip4trie": ":2:Everybody\n0.0.0.0/0\n"},
    "closed.test": {"ip4set": f"{POINT4}\n", "acl": "0.0.0.0/0 :refuse\n"},
    "slow.test": {"ip4set": f":2:Late\n{POINT4}\n{SLOW}\n"},
}
BROKEN = {"refusing.test", "world.test", "closed.test", "dead.test", "servfail.test"}  # the last two are no rbldnsd's
SOA = f"$SOA {TTL} ns.lab.example hostmaster.lab.example 1 3600 600 86400 {TTL}\n"


class Lists:
    """rbldnsd for all of ZONES. Its data can be changed while it runs."""

    def __init__(self, lab):
        self.lab, self.directory = lab, lab.directory / "lists"
        self.directory.mkdir()
        words = []
        for zone, sets in ZONES.items():
            for kind, text in {"acl": "0.0.0.0/0 :pass\n", **sets}.items():
                self._file(zone, kind).write_text(text if kind == "acl" else SOA + text)
                words.append(f"{zone}:{kind}:{self._file(zone, kind).name}")
        log = open(self.directory / "log", "w")
        self.process = lab.start(lab.internet, "/usr/sbin/rbldnsd", "-n", "-a", "-u", "nobody:nogroup", "-w",
                                 self.directory, "-b", f"{LISTS}/53", "-t", TTL, "-c", "0", *words, stdout=log, stderr=log)
        log.close()
        wait_until(lambda: self.process.poll() is not None or f"{LISTS}:53 " in lab.ns(lab.internet, "ss", "-Hlun").out,
                   20, "rbldnsd")
        assert self.process.poll() is None, (self.directory / "log").read_text()

    def _file(self, zone, kind):
        return self.directory / f"{zone}.{kind}"

    def _change(self, zone, kind, text):
        """A file is read again when its time has changed, which rbldnsd knows in seconds."""
        file = self._file(zone, kind)
        then = file.stat().st_mtime
        file.write_text(text)
        os.utime(file, (then + 2, then + 2))
        self.process.send_signal(signal.SIGHUP)

    def mute(self, zone):
        """The zone answers nobody from now on; the others go on."""
        self._change(zone, "acl", "0.0.0.0/0 :ignore\n")

    def refuse(self, zone):
        self._change(zone, "acl", f"0.0.0.0/0 {REFUSED}\n")

    def unmute(self, zone):
        self._change(zone, "acl", "0.0.0.0/0 :pass\n")

    def publish(self, zone, kind, text):
        self._change(zone, kind, SOA + text)
