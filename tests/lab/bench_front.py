#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Mode proxy beside Postfix, postscreen, HAProxy and nginx under the same load: build/bench/front.json.

    refusing        20,000 clients that are on a DNS list, each from an address of its own: clients a second, CPU each
    mail            MAILS messages of 10 KB, 20 at a time, into smtp-sink: messages a second, CPU each
    one client      the same one at a time: milliseconds from connect to the final 250; client, front and sink go before what
                    else the machine does (SCHED_FIFO), because that is what the slowest in a hundred wait for otherwise
    STARTTLS        HANDSHAKES full handshakes of TLS 1.3, and of TLS 1.2, with a certificate of P-256 and one of RSA-2048: CPU each, in turns; all of a front
                    goes before what else the machine does, too. "tls" in a row is what was agreed on, which has to be the same for all fronts
    idle            15,000 connections that say nothing, nothing after EHLO, or nothing inside of TLS after EHLO: memory each
                    (PSS of all processes)
    slow            the one client beside as many connections of which each sends an octet a second (tests/lab/drip.c): how much longer it takes

CPU and memory are those of all processes of a front, not of the sink, the resolver and the clients (tests/lab/load.c).

usage: bench_front.py [PART ...] [NAME ...]     only these of PARTS, and these fronts (classes of fronts.py)
"""
import contextlib
import json
import signal
import statistics
import subprocess
import sys
import time

import frontbed
import frontclient
import fronts
import lists
import torturebed
from figures import Figures
from lab import BUILD, GATEWAY4, Failed, Lab, run, wait_until

LISTED_NET, GOOD_NET, SLOW_NET = "100.64.0.0/13", "198.51.100.128/25", "198.19.0.0/20"
MAILS, SINGLE, HANDSHAKES, RUNS = 5000, 500, 2000, 3
ROUNDS = 5  # of handshakes: the fronts take turns, because the machine is not as fast at one time as at another
SIZE = 10000
SLOW_LINE = "NOOP " + "x" * 400  # is never ended
FIRST = 10  # of the priorities of SCHED_FIFO, 1 to 99


class Bed:
    """A lab with the sink, the listed network and a front that is not started yet."""

    def __init__(self, lab):
        self.lab = lab
        self.ahead = ()  # of the clients' command
        self.front = frontbed.Front(lab, backends="none")
        self.certificates = {kind: torturebed.certificate(lab.directory, kind=kind, name=f"bench-{kind}")[:2] for kind in ("ec", "rsa")}
        self.certify("ec")
        lab.ns(lab.internet, "ip", "route", "add", "local", LISTED_NET, "dev", "lo")
        lab.ns(lab.gateway, "ip", "route", "add", LISTED_NET, "via", "10.77.0.2")
        self.front.guard.world.lists.publish("bl.test", "ip4set", lists.ZONES["bl.test"]["ip4set"] + LISTED_NET + "\n")
        for namespace in (lab.internet, lab.gateway):
            lab.ns(namespace, "sysctl", "-qw", "net.ipv4.ip_local_port_range=1024 65535", "net.core.somaxconn=8192", "net.ipv4.tcp_max_syn_backlog=8192",
                   "net.ipv4.tcp_tw_reuse=1", "net.ipv4.tcp_fin_timeout=5")
        with open(lab.directory / "sink.log", "w") as log:
            self.sink = lab.start(lab.gateway, "/usr/sbin/smtp-sink", "-u", "postfix", "-c", "-m", "20000", f"inet:{fronts.SINK}", "8192", stdout=log, stderr=log)

    def certify(self, kind):
        """What the fronts that are started from here on show."""
        self.chain, self.key = self.front.chain, self.front.key = self.certificates[kind]

    @contextlib.contextmanager
    def hurry(self, front):
        """Meanwhile front, sink and clients go before what else runs on the machine."""
        self._schedule(front, "-f", FIRST)
        self.ahead = ("chrt", "-f", FIRST)
        yield
        self.ahead = ()
        self._schedule(front, "-o", 0)

    def _schedule(self, front, *policy):
        for pid in fronts.family(front.process.pid) + fronts.family(self.sink.pid):
            run("chrt", "-a", *policy[:1], "-p", *policy[1:], pid, check=False)  # one may have ended meanwhile

    def load(self, mode, count, clients, sources, size=SIZE):
        done = self.lab.ns(self.lab.internet, *self.ahead, BUILD.resolve() / "tests/load", mode, GATEWAY4, 25, count, clients, sources, size, timeout=600)
        return json.loads(done.out.splitlines()[-1])


def good(_turn):
    return GOOD_NET


def listed(turn):
    """Addresses for one run: nobody comes twice, because the kernel has an entry then."""
    return f"100.{64 + turn}.0.0/17"


AGREED = {}  # by figure
TURNS = {}  # values, by figure and front


def same_for_all(what, agreed):
    """What TLS has agreed on."""
    if AGREED.setdefault(what, agreed) != agreed:
        raise Failed(f"{what}: {agreed}, and {AGREED[what]} with another front")
    return agreed


def measure(bed, front, figures, mode, count, clients, sources, what, outcome):
    """CPU milliseconds each, and how many a second; returns the medians of the times, and the 99th percentiles."""
    each, rate, medians, tails = [], [], [], []
    bed.load(mode, min(count, 200), min(clients, 20), sources(0))  # what begins with the first
    for turn in range(1, RUNS + 1):
        before = fronts.cpu(front.process.pid)
        said = bed.load(mode, count, clients, sources(turn))
        time.sleep(0.2)
        if said[outcome] < count * 0.99:
            figures.missing(f"{what}, CPU", "ms", front.name, f"only {said[outcome]} of {count}: {said}")
            return None
        each.append((fronts.cpu(front.process.pid) - before) * 1000 / count)
        rate.append(count / said["seconds"])
        medians.append(said["median"])
        tails.append(said["p99"])
    figures.add(f"{what}, CPU", "ms", front.name, each)
    figures.add(f"{what}, rate", "/s", front.name, rate)
    return medians, tails


def refusing(bed, front, figures):
    measure(bed, front, figures, "connect", front.listed, front.crowd, listed, "refusing a listed client", "refused")


def mail(bed, front, figures):
    measure(bed, front, figures, "mail", MAILS, 20, good, "10 KB mail, 20 at a time", "good")
    with bed.hurry(front):
        one = measure(bed, front, figures, "mail", SINGLE, 1, good, "10 KB mail, one client", "good")
    if one:
        figures.add("connect to final 250, median", "ms", front.name, one[0])
        figures.add("connect to final 250, 99th percentile", "ms", front.name, one[1])


def handshakes(bed, front, figures, mode, what):
    """One of ROUNDS; the last one adds the figure."""
    bed.load(mode, 200, 20, GOOD_NET)  # what begins with the first
    before = fronts.cpu(front.process.pid)
    said = bed.load(mode, HANDSHAKES, 20, GOOD_NET)
    time.sleep(0.2)
    if said["good"] < HANDSHAKES:
        raise Failed(f"{what}, {front.name}: only {said['good']} of {HANDSHAKES}: {said}")
    each = TURNS.setdefault((what, front.name), [])
    each.append((fronts.cpu(front.process.pid) - before) * 1000 / HANDSHAKES)
    agreed = same_for_all(what, said["tls"])
    if len(each) == ROUNDS:
        figures.add(f"{what}, CPU", "ms", front.name, each, tls=agreed)


def starttls(bed, front, figures, kind="P-256"):
    with bed.hurry(front):
        handshakes(bed, front, figures, "starttls", f"STARTTLS session ({kind}, 1.3)")
        handshakes(bed, front, figures, "tls12", f"STARTTLS session ({kind}, 1.2)")


def starttls_rsa(bed, front, figures):
    starttls(bed, front, figures, "RSA-2048")


def held(bed, front, figures, mode, what):
    before = fronts.pss(front.process.pid)
    process = bed.lab.start(bed.lab.internet, BUILD.resolve() / "tests/load", mode, GATEWAY4, 25, front.held, front.held, GOOD_NET, SIZE, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    opened = json.loads(line or "{}").get("open", 0)
    time.sleep(1)
    grown = fronts.pss(front.process.pid) - before
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    if opened < front.held * 0.99:
        figures.missing(f"idle connection, {what}", "KiB", front.name, f"only {opened} of {front.held} opened")
    else:
        figures.add(f"idle connection, {what}", "KiB", front.name, [grown / opened])


def hold(bed, front, figures):
    held(bed, front, figures, "hold", "plain")


def hold_ehlo(bed, front, figures):
    held(bed, front, figures, "holdehlo", "after EHLO")


def hold_tls(bed, front, figures):
    held(bed, front, figures, "holdtls", "TLS")


def slow(bed, front, figures):
    one = lambda: bed.load("mail", front.few, 1, GOOD_NET)["median"]
    one()  # what begins with the first
    quiet = [one() for _ in range(RUNS)]
    drip = frontclient.Drip(bed.lab, front.held, SLOW_NET, SLOW_LINE)
    opened, beside = drip.opened(), [one() for _ in range(RUNS)]
    told = drip.end()
    what = f"one client beside {front.held} slow connections"
    if opened < front.held or told["ended"]:
        figures.missing(what, "times", front.name, f"{opened} opened, {told['ended']} ended")
    else:
        figures.add(what, "times", front.name, [ms / statistics.median(quiet) for ms in beside])


PARTS = {"connect": refusing, "mail": mail, "starttls": starttls, "starttls-rsa": starttls_rsa, "hold": hold, "hold-ehlo": hold_ehlo, "hold-tls": hold_tls, "slow": slow}


def chosen(words):
    """(part, class), one part after the other, so that what is compared is measured in a row."""
    parts, names = [word for word in words if word in PARTS], [word for word in words if word not in PARTS]
    return [(part, kind) for part in parts or PARTS for _ in range(ROUNDS if part.startswith("starttls") else 1)
            for kind in fronts.FRONTS if part in kind.does and (not names or kind.__name__ in names)]


def main():
    figures = Figures()
    with Lab("benchfront") as lab:
        bed = Bed(lab)
        for part, kind in chosen(sys.argv[1:]):
            bed.certify("rsa" if part == "starttls-rsa" else "ec")
            front = kind(bed)  # a new one each time: memory that is left of one part would hide what another takes
            try:
                PARTS[part](bed, front, figures)
                wait_until(lambda: front.process.poll() is None, 1, "a front that lives")
            finally:
                front.close()
    print(figures.write("front"))


if __name__ == "__main__":
    main()
