#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Time and memory of loading lists, by the command line, against a running agent: build/bench/load.json.

For 1 K, 100 K and 1 M entries of both families: the whole `posternctl block load`, of it the store and the
table; one more address added and taken off through the command line; and what the maps and the agent
take. Traffic is filtered meanwhile. The figures are medians of RUNS runs.
"""
import json
import pathlib
import random
import re
import statistics
import time

from bigfile import write_list
from lab import BUILD, SPOOFED4, Lab

RUNS = 5
SIZES = (1000, 100000, 1000000)
CAPACITY = {"capacity-ipv4": 1048576, "capacity-ipv6": 524288}


class Figures:
    def __init__(self):
        self.rows = []

    def add(self, figure, unit, subject, values):
        row = {"figure": figure, "value": statistics.median(values), "unit": unit, "subject": subject,
               "runs": len(values), "min": min(values), "max": max(values)}
        self.rows.append(row)
        print(f"{subject:20} {figure:34} {row['value']:10.1f} {unit}  ({row['min']:.1f} to {row['max']:.1f})", flush=True)

    def write(self):
        path = BUILD / "bench/load.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.rows, indent=2) + "\n")


def timed(lab, *command):
    """Milliseconds that a posternctl command takes, and what it answers."""
    start = time.perf_counter()
    done = lab.ctl(*command)
    return (time.perf_counter() - start) * 1000, done


def resident(lab):
    status = pathlib.Path(f"/proc/{lab.posternd.pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+)", status).group(1)) / 1024


def measure(lab, figures, size, number):
    paths = [write_list(lab.directory / f"list{size}-{seed}", seed, size) for seed in (1, 2)]
    subject = f"{size:,} entries"
    total, store, table, add, remove = [], [], [], [], []
    for turn in range(RUNS):
        elapsed, done = timed(lab, "block", "load", "bench", paths[turn % 2], "--json")
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
    figures.add("agent, private memory", "MiB", subject, [resident(lab)])


def main():
    figures, number = Figures(), random.Random(1)
    with Lab("bench") as lab:
        lab.start_posternd(table=CAPACITY)
        lab.ctl("block", "add", SPOOFED4)
        flood = lab.flood(SPOOFED4, count=100_000_000, rate=20000)
        for size in SIZES:
            measure(lab, figures, size, number)
        flood.stop()
        table = lab.ctl("status", "--json").json["table"]
        figures.add("kernel maps, all", "MiB", "default capacity", [table["bytes"] / 2**20])
    figures.write()


if __name__ == "__main__":
    main()
