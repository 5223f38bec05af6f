#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Verdicts a second, of the guard's thread: build/bench/evaluate.json.

Each of SOURCES sources has a host name that leads back to it, and is looked up on ZONES lists; one in LISTED of them is on the
first list. They come (tests/lab/newcomers.c)

    with a verdict that still holds, when the kernel knows it, and when the kernel has forgotten it;
    without one, and all answers are in the cache of the resolver's client;
    without one, and nothing is in that cache, but all in unbound, on the other processor: so many sources under way at once.

"of processor" is the rate over the processor's time of the guard's thread alone, so that of a core. unbound answers as fast as
it can; where it is the slower one, the other rate is its own.
"""
import contextlib
import json
import os

import dnsconf
from figures import Figures
from lab import BUILD, Lab, wait_until

RUNS = 5
SOURCES, ZONES, LISTED = 4096, 5, 8
QUESTIONS = ZONES + 2  # PTR, and A of the host name
ADDRESS = "127.0.0.1"
MINE, UNBOUNDS = 0, min(1, os.cpu_count() - 1)  # processors
CACHE = 100000
CONFIG = {
    "mode": "guard",
    "dns": {"servers": [ADDRESS], "in-flight": 8000, "in-flight-zone": 1000},
    # A name could save those that are listed, so it is waited for.
    "score": {"rdns-confirmed": -1},
    "dnsbl": {"zones": ["bl1.bench.test*11"] + [f"bl{number}.bench.test*2" for number in range(2, ZONES + 1)]},
}
# (figure, way, answers that are kept, sources under way, rounds)
CASES = [
    ("verdict in the cache, kernel knows", "known", CACHE, 64, 200),
    ("verdict in the cache, kernel forgot", "forgotten", CACHE, 64, 100),
    ("all answers in the cache", "asked", CACHE, 64, 20),
    *((f"through unbound, {number} at once", "asked", 0, number, 3) for number in (64, 256, 512)),
]
UNBOUND = """\
    so-rcvbuf: 4m
    so-sndbuf: 4m
    local-zone: "bench.test." static
    local-zone: "bench.example." static
    local-zone: "18.198.in-addr.arpa." static
    include: "{data}"
"""


def records():
    """(name, type, data)"""
    for zone in ("bench.test", "bench.example", "18.198.in-addr.arpa"):
        yield zone, "SOA", "ns.bench.example. hostmaster.bench.example. 1 3600 600 86400 3600"
    for number in range(SOURCES):
        high, low = divmod(number, 256)
        yield f"{low}.{high}.18.198.in-addr.arpa", "PTR", f"h{number}.bench.example"
        yield f"h{number}.bench.example", "A", f"198.18.{high}.{low}"
        if number % LISTED == 0:
            yield f"{low}.{high}.18.198.bl1.bench.test", "A", "127.0.0.2"


@contextlib.contextmanager
def resolver(lab):
    data = lab.directory / "data.conf"
    data.write_text("server:\n" + "".join(f"local-data: '{name}. 3600 IN {kind} {value}'\n" for name, kind, value in records()))
    config = lab.directory / "unbound.conf"
    config.write_text(dnsconf.unbound(lab.directory, ADDRESS, [], UNBOUND.format(data=data)))
    server = lab.start(lab.gateway, "taskset", "-c", UNBOUNDS, "unbound", "-d", "-c", config)
    wait_until(lambda: server.poll() is not None or f"{ADDRESS}:53 " in lab.ns(lab.gateway, "ss", "-Hlun").out, 20, "unbound")
    assert server.poll() is None, "unbound does not start"
    yield
    server.terminate()
    server.wait(20)


def run(lab, way, entries, at_once, rounds):
    config = lab.write_config(**{**CONFIG, "dns": {**CONFIG["dns"], "cache-entries": entries}})
    done = json.loads(lab.ns(lab.gateway, "taskset", "-c", MINE, BUILD / "tests/newcomers", config, way, at_once, SOURCES, rounds,
                             timeout=300).out)
    assert not done["temporary"] and not done["timeouts"], done
    assert way != "asked" or done["questions"] == done["count"] * QUESTIONS, done
    return done


def measure(lab, figures, figure, *case):
    done = [run(lab, *case) for _ in range(RUNS)]
    figures.add(figure, "verdicts/s of processor", "guard", [row["count"] / row["cpu"] for row in done])
    figures.add(figure, "verdicts/s", "guard", [row["count"] / row["seconds"] for row in done])


def main():
    figures = Figures()
    with Lab("benchverdict") as lab, resolver(lab):
        for case in CASES:
            measure(lab, figures, *case)
    figures.write("evaluate")


if __name__ == "__main__":
    main()
