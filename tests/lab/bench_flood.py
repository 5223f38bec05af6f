#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Mail while a flood of SYNs from a million forged sources goes on, with each defence: for bench_peers.py.

A real Postfix takes mail behind the defence; senders deliver to it in a loop, without the flood and then with it. The
flood, and what receives it, has one CPU; Postfix and the senders have the other, so that what is lost is lost to the
defence and not to the scheduler. The link has a queue for each CPU, as a NIC has. The flood goes as fast as that one CPU
can make and take it, so a cheaper defence has to stand a faster flood.

usage: bench_flood.py [NAME ...]     only the defences whose names hold one of the words
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import mailer
import servers
from bed import MAIL_CPU, TOOLS, Bed
from figures import Figures, Missing
from lab import GATEWAY4, run

TURNS, SECONDS, SENDERS = 3, 3, 4
SETTLE = 1  # seconds of flood before mail is counted
FLOOD_SOURCES, FLOOD_MAX = 1_000_000, 60
SENDERS_NET = "10.90.0.0/16"  # many networks, so that none is over its limit
ADDRESSES = [f"10.90.{net}.{host}" for host in range(1, 11) for net in range(100)]

NFT_LIMIT = """
table ip t {
    set seen { type ipv4_addr; flags dynamic, timeout; timeout 10s; size 262144; }
    chain c {
        type filter hook prerouting priority raw;
        tcp dport 25 tcp flags & (syn | ack) == syn update @seen { ip saddr limit rate over 20/second burst 40 packets } drop
    }
}
"""


class Defence:
    """What stands against the flood: a value of tcp_syncookies, nftables rules, and options of an agent (None: no agent)."""

    def __init__(self, name, syncookies, nft=None, postern=None):
        self.name, self.syncookies, self.nft, self.postern = name, syncookies, nft, postern

    def start(self, bed):
        bed.ns(bed.gateway, "sysctl", "-qw", f"net.ipv4.tcp_syncookies={self.syncookies}")
        if self.nft:
            bed.ns(bed.gateway, "nft", self.nft)
        if self.postern is not None:
            bed.start_posternd(**{"interfaces": ["g0"], "table": {}, **self.postern})


DEFENCES = [
    Defence("none", 0),
    Defence("kernel SYN cookies when full", 1),
    Defence("kernel SYN cookies always", 2),
    Defence("nftables, limit per source", 1, nft=NFT_LIMIT),
    Defence("Postern, limits alone", 1, postern={"flood": {"threshold": 0}}),
    Defence("Postern, SYN cookies from XDP", 1, postern={}),
]


class MailBed(Bed):
    """A bed whose link has a queue for each of the two CPUs, and a Postfix that throws away what it has taken."""

    def __init__(self):
        tempfile.tempdir = "/dev/shm"  # the queue, too: a disk that others use would be measured instead
        try:
            super().__init__("flood")
        finally:
            tempfile.tempdir = None
        for namespace, iface in ((self.internet, "i0"), (self.gateway, "g0")):
            script = "".join(f"echo {1 << cpu} >/sys/class/net/{iface}/queues/tx-{cpu}/xps_cpus;" for cpu in (0, 1))
            run("ip", "netns", "exec", namespace, "sh", "-ec", script)
        self.ns(self.internet, "ip", "route", "add", "local", SENDERS_NET, "dev", "lo")
        self.postfix = servers.Postfix(self, settings={"virtual_transport": "discard"})
        for pid in run("ip", "netns", "pids", self.gateway).out.split():
            os.sched_setaffinity(int(pid), {MAIL_CPU})

    def link(self, left, left_name, right, right_name):
        queues = ["numtxqueues", 2, "numrxqueues", 2]
        run("ip", "link", "add", left_name, "netns", left, *queues, "type", "veth", "peer", "name", right_name, "netns",
            right, *queues)
        for namespace, name in ((left, left_name), (right, right_name)):
            self.ns(namespace, "ip", "link", "set", name, "up")

    def mail(self, seconds):
        """What the senders report."""
        return json.loads(self.ns(self.internet, "taskset", "-c", MAIL_CPU, sys.executable, "tests/lab/mailer.py",
                                  GATEWAY4, seconds, SENDERS, *ADDRESSES, timeout=seconds + 60).out)

    def start_flood(self, sources):
        return self.start(self.internet, *self.spray_command(sources, FLOOD_MAX), stdout=subprocess.PIPE, text=True)


def per_second(report):
    """Mails that arrived while they were counted."""
    return sum(end <= report["seconds"] for end, _ in report["mails"]) / report["seconds"]


def percentile(reports, share):
    """Milliseconds within which that share of mails was delivered; Missing if it was not."""
    taken = sorted(latency for report in reports for _, latency in report["mails"])
    place = int(share * (len(taken) + sum(report["failed"] for report in reports)))
    if place >= len(taken):
        raise Missing(f"not within {mailer.PATIENCE} s")
    return [taken[place] * 1000]


class Run:
    """One defence: mail without the flood and then with it, each time in a new bed, as a flood may leave something behind."""

    def __init__(self, figures, defence, sources):
        self.figures, self.defence, self.sources = figures, defence, sources
        self.quiet, self.flooded, self.sent, self.received = [], [], [], []

    def measure(self):
        with MailBed() as bed:
            self.defence.start(bed)
            bed.mail(1)  # Postfix has its processes
            self.quiet.append(bed.mail(SECONDS))
            self.turn(bed)

    def turn(self, bed):
        flood = bed.start_flood(self.sources)
        try:
            time.sleep(SETTLE)
            received, begin = bed.received(), time.monotonic()
            self.flooded.append(bed.mail(SECONDS))
            self.received.append((bed.received() - received) / (time.monotonic() - begin))
        finally:
            flood.terminate()
        sent = json.loads(flood.communicate(timeout=30)[0])
        self.sent.append(sent["sent"] / sent["seconds"])

    def report(self):
        subject, add = self.defence.name, self.figures.add
        add("flood, sent", "M packets/s", subject, [rate / 1e6 for rate in self.sent])
        add("flood, received", "M packets/s", subject, [rate / 1e6 for rate in self.received])
        for when, reports in (("without flood", self.quiet), ("during flood", self.flooded)):
            add(f"mails {when}", "mails/s", subject, [per_second(report) for report in reports])
            for share in (0.5, 0.99):
                self.latency(f"mail {when}, {share * 100:.0f} % within", reports, share)
            add(f"mails {when}, failed", "mails", subject, [sum(report["failed"] for report in reports)])
        add("mails during flood, share", "of the rate without", subject,
            [per_second(with_it) / per_second(without) for with_it, without in zip(self.flooded, self.quiet)])

    def latency(self, figure, reports, share):
        try:
            self.figures.add(figure, "ms", self.defence.name, percentile(reports, share))
        except Missing as why:
            self.figures.missing(figure, "ms", self.defence.name, why)


def measure(figures, words=()):
    print("\n== mail during a flood", flush=True)
    chosen = [defence for defence in DEFENCES if not words or any(word in defence.name for word in words)]
    with tempfile.TemporaryDirectory(prefix="postern-flood-") as directory:
        run(TOOLS / "entries", FLOOD_SOURCES, 7, directory)
        runs = [Run(figures, defence, pathlib.Path(directory) / "misses") for defence in chosen]
        for _ in range(TURNS):
            for one in runs:
                one.measure()
    for one in runs:
        one.report()


if __name__ == "__main__":
    made = Figures()
    measure(made, sys.argv[1:])
    made.write("flood")
