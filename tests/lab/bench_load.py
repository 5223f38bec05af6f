#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Time and memory of loading lists, by the command line, against a running agent: build/bench/load.json.

For 1 K, 100 K and 1 M entries of both families, and for 1 M and 10 M of IPv4 at a capacity of as many: the
whole `posternctl block load`, of it the store and the table; one more address added and taken off through the
command line; and what the maps and the agent take, in all and for each entry of the capacity beyond the
64 MiB that do not depend on it. Traffic is filtered meanwhile. The figures are medians of RUNS runs.
"""
import pathlib
import random
import re
import time

from bigfile import write_ipv4_list, write_list
from figures import Figures
from lab import SPOOFED4, Lab

RUNS = 5
SIZES = (1000, 100000, 1000000)
CAPACITY = {"capacity-ipv4": 1048576, "capacity-ipv6": 524288}
IPV4_SIZES = (1000000, 10000000)
IPV6_LEAST = 1000  # the smallest capacity
FIXED_MIB = 64
TRIM_SECONDS = 3  # after a large change the agent gives memory back within a second


def timed(lab, *command, **options):
    """Milliseconds that a posternctl command takes, and what it answers."""
    start = time.perf_counter()
    done = lab.ctl(*command, **options)
    return (time.perf_counter() - start) * 1000, done


def resident(lab):
    status = pathlib.Path(f"/proc/{lab.posternd.pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+)", status).group(1)) / 1024


def measure(lab, figures, paths, subject, runs=RUNS):
    number = random.Random(1)
    total, store, table, add, remove = [], [], [], [], []
    for turn in range(runs):
        elapsed, done = timed(lab, "block", "load", "bench", paths[turn % 2], "--json", timeout=120)
        total.append(elapsed)
        store.append(done.json["store_ms"])
        table.append(done.json["table_ms"])
        address = f"203.0.113.{number.randrange(1, 200)}"
        add.append(timed(lab, "block", "add", address)[0])
        remove.append(timed(lab, "block", "del", address)[0])
    figures.add("block load, whole command", "ms", subject, total)
    figures.add("block load, sort and store", "ms", subject, store)
    figures.add("block load, kernel table", "ms", subject, table)
    figures.add("block add, whole command", "ms", subject, add)
    figures.add("block del, whole command", "ms", subject, remove)
    time.sleep(TRIM_SECONDS)
    figures.add("agent, private memory", "MiB", subject, [resident(lab)])


def both_families(figures):
    with Lab("bench") as lab:
        lab.start_posternd(table=CAPACITY)
        lab.ctl("block", "add", SPOOFED4)
        flood = lab.flood(SPOOFED4, count=100_000_000, rate=20000)
        for size in SIZES:
            paths = [write_list(lab.directory / f"list{size}-{seed}", seed, size) for seed in (1, 2)]
            measure(lab, figures, paths, f"{size:,} entries")
        flood.stop()
        table = lab.ctl("status", "--json").json["table"]
        figures.add("kernel maps, all", "MiB", "default capacity", [table["bytes"] / 2**20])


def ipv4_at_capacity(figures, size):
    subject = f"{size:,} IPv4 at capacity"
    with Lab("bench") as lab:
        lab.start_posternd(table={"capacity-ipv4": size, "capacity-ipv6": IPV6_LEAST})
        paths = [write_ipv4_list(lab.directory / f"list4-{seed}", seed, size * 99 // 100) for seed in (1, 2)]
        flood = lab.flood(SPOOFED4, count=100_000_000, rate=20000)
        measure(lab, figures, paths, subject, 3)
        flood.stop()
        table, private = lab.ctl("status", "--json").json["table"], resident(lab)
        assert table["entries4"] > size * 0.98
        maps = table["bytes"] / 2**20
        figures.add("kernel maps, all", "MiB", subject, [maps])
        figures.add("maps and agent, an entry, beyond 64 MiB", "bytes", subject,
                    [max(0, (maps + private - FIXED_MIB)) * 2**20 / size])


def main():
    figures = Figures()
    both_families(figures)
    for size in IPV4_SIZES:
        ipv4_at_capacity(figures, size)
    figures.write("load")


if __name__ == "__main__":
    main()
