#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Postern beside what else could do its work, in one run: build/bench/peers.json, docs/bench-peers.json and .svg.

For lists of 10 K, 1 M and 10 M entries: packets dropped a second when every packet is a hit, CPU time a packet, time to
load, to replace and to add one, memory. Then the ratios that are wanted at line rate, and mail during a flood
(bench_flood.py). All peers of a size are loaded first and then measured in turn, several times over, so that what
disturbs the machine disturbs all.

usage: bench_peers.py [--sizes N,N,...] [--rounds N] [--no-flood] [--record]    --record writes docs/ too
"""
import argparse
import pathlib
import shutil
import subprocess
import tempfile
import time

import bench_flood
import plot
from figures import Figures, Missing
from lab import Failed
from peers import PEERS, Entries, Bare, Hash, Nft, NftNetworks, Postern, PosternLimits

SIZES = (10_000, 1_000_000, 9_990_000)  # the last one leaves room for one more in what holds 10 M
ASKED = 1_000_000  # entries that the wanted ratios are about
ROUNDS, SECONDS = 5, 0.5
REPEATS, SHORT_MS = 3, 5000  # operations that take less are done more often
EXCEEDING = 100_000  # sources
ADDED = [f"10.200.0.{i}" for i in range(1, 1 + REPEATS)]
RATE, CPU, WHOLE = "dropped, as measured", "CPU a packet", "dropped by a whole CPU"


def spelled(count):
    return f"{round(count / 1e6)} M" if count >= 999_000 else f"{count // 1000} K"


def timed(operation, *arguments):
    """Milliseconds that it takes; Missing if it does not end within its budget or does not work."""
    start = time.perf_counter()
    try:
        operation(*arguments)
    except subprocess.TimeoutExpired as error:
        raise Missing(f"over budget: {error.timeout:.0f} s") from None
    except Failed as error:
        raise Missing(f"failed: {str(error).strip().splitlines()[-1][:120]}") from None
    return (time.perf_counter() - start) * 1000


def repeated(operation, arguments):
    """Times of the operation with each argument in turn, until they are long enough."""
    values = []
    for argument in arguments:
        values.append(timed(operation, argument))
        if sum(values) > SHORT_MS:
            break
    return values


def report(figures, subject, runs):
    """The rate of a whole CPU follows from the CPU time: what else the machine does meanwhile does not lower it."""
    figures.add(RATE, "M packets/s", subject, [run["rate"] / 1e6 for run in runs])
    figures.add(CPU, "ns", subject, [run["ns"] for run in runs])
    figures.add(WHOLE, "M packets/s", subject, [1e3 / run["ns"] for run in runs])


class Measurement:
    """The peers with lists of one size."""

    def __init__(self, figures, size, directory):
        self.figures, self.size = figures, size
        self.lists = [Entries(directory, size, seed) for seed in (1, 2)]
        self.loaded, self.runs = [], {}

    def subject(self, peer):
        return f"{peer.name}, {spelled(self.size)}"

    def keep(self, figure, unit, peer, operation, *arguments):
        """Whether there was a value."""
        try:
            self.figures.add(figure, unit, self.subject(peer), operation(*arguments))
        except Missing as why:
            self.figures.missing(figure, unit, self.subject(peer), why)
            return False
        return True

    def start(self, kind):
        peer = kind()
        try:
            self._start(peer)
        except BaseException:
            peer.close()
            raise

    def _start(self, peer):
        if not peer.limit:
            peer.load(None)
            self.loaded.append(peer)
            return
        for entries in self.lists:
            peer.prepare(entries)
        first, other = self.lists
        if not self.keep("load", "ms", peer, lambda: [timed(peer.load, first)]):
            for figure, unit in (("replace", "ms"), ("memory", "MiB"), (CPU, "ns"), (WHOLE, "M packets/s")):
                self.figures.missing(figure, unit, self.subject(peer), "not loaded")
            peer.close()
            return
        self.loaded.append(peer)
        self.keep("memory", "MiB", peer, lambda: [peer.memory()])

    def replacements(self):
        """After the flood, which rotates over the first list."""
        for peer in self.loaded:
            if peer.limit:
                self.keep("replace", "ms", peer, repeated, peer.replace, [self.lists[1], self.lists[0], self.lists[1]])

    def rounds(self, rounds):
        results = {peer.name: [] for peer in self.loaded}
        for _ in range(rounds):
            for peer in self.loaded:
                results[peer.name].append(peer.bed.spray(self.lists[0].path("sources"), SECONDS))
        for peer in self.loaded:
            report(self.figures, self.subject(peer), results[peer.name])
        self.runs = results

    def additions(self):
        for peer in self.loaded:
            if peer.limit:
                self.keep("add one", "ms", peer, repeated, peer.add, ADDED)

    def close(self):
        for peer in self.loaded:
            peer.close()
        for entries in self.lists:
            entries.remove()


class Asked:
    """
    The ratios that are wanted, from rounds in which those compared stand next to each other. Shares are taken of
    CPU time a packet, which is what a rate comes from and does not count what else the machine does meanwhile.
    """

    def __init__(self, figures, measurement, rounds):
        self.figures, self.rounds = figures, rounds
        self.lists, self.peers = measurement.lists, {type(peer): peer for peer in measurement.loaded}

    def ratio(self, figure, wanted, above, below):
        self.figures.add(figure, f"(asked: {wanted})", "Postern", [b["ns"] / a["ns"] for a, b in zip(above, below)])

    def hits(self, runs):
        for wanted, kind in ((0.5, Bare), (3.3, Nft), (3.3, NftNetworks), (1.9, Hash)):
            if kind.name in runs:
                self.ratio(f"every packet a hit, of {kind.name}", wanted, runs[Postern.name], runs[kind.name])

    def against_bare(self, peer, figure, wanted, sources):
        """The peer and the bare drop in turn."""
        runs = []
        peer.bed.spray(sources, SECONDS)
        for _ in range(self.rounds):
            runs.append((peer.bed.spray(sources, SECONDS), self.peers[Bare].bed.spray(sources, SECONDS)))
        report(self.figures, figure, [own for own, _ in runs])
        self.ratio(f"{figure}, of {Bare.name}", wanted, *zip(*runs))

    def limits(self):
        peer = PosternLimits()
        try:
            misses = self.lists[0].path("misses")
            few = self.lists[0].path("exceeding")
            few.write_bytes(misses.read_bytes()[:4 * EXCEEDING])
            peer.prepare(self.lists[0])
            peer.load(self.lists[0])
            self.against_bare(peer, "every packet a miss within its limits", 0.6, misses)
            before = peer.bed.packets("rate-source")
            peer.exceed()
            self.against_bare(peer, f"every packet over its rate, {EXCEEDING:,} sources", 0.3, few)
            if peer.bed.packets("rate-source") == before:
                raise Failed("no packet was over its rate")
        finally:
            peer.close()


def measure_size(figures, size, rounds, directory):
    print(f"\n== {size:,} entries", flush=True)
    measurement = Measurement(figures, size, directory)
    try:
        for kind in PEERS:
            if kind.limit and size > kind.limit:
                for figure, unit in (("load", "ms"), (WHOLE, "M packets/s")):
                    figures.missing(figure, unit, measurement.subject(kind), kind.beyond.format(limit=kind.limit))
                continue
            measurement.start(kind)
        measurement.rounds(rounds)
        if size == ASKED:
            asked = Asked(figures, measurement, rounds)
            asked.hits(measurement.runs)
            asked.limits()
        measurement.replacements()
        measurement.additions()
    finally:
        measurement.close()


def write(figures, record):
    """Also what a run that failed has found out."""
    path = figures.write("peers")
    drawing = plot.draw(figures.rows)
    path.with_suffix(".svg").write_text(drawing)
    print(f"The figures are in {path}, the plot beside it.")
    if record:
        pathlib.Path("docs/bench-peers.json").write_text(path.read_text())
        pathlib.Path("docs/bench-peers.svg").write_text(drawing)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--no-flood", action="store_true")
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    figures, directory = Figures(), tempfile.mkdtemp(prefix="postern-peers-")
    try:
        for size in filter(None, arguments.sizes.split(",")):
            measure_size(figures, int(size), arguments.rounds, directory)
        if not arguments.no_flood:
            bench_flood.measure(figures)
    finally:
        shutil.rmtree(directory)
        write(figures, arguments.record)


if __name__ == "__main__":
    main()
