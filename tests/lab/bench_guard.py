#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""How early a verdict is there: build/bench/guard.json.

The resolver is RESOLVER_MS away, and each of CLIENTS clients answers the SYN-ACK LINE_MS later. Guard mode starts its
lookups when the SYN arrives; what that gains is measured against lookups that start when the connection is accepted, which is
what the same agent does while a flood is on and SYNs are answered with cookies. A verdict is ready if it was found no later
than the listener on the gateway had accepted the connection; the wait is what is missing to it then. Figures are medians
of RUNS runs, and of what happened in all of them for waits.
"""
import guardbed
import world
from figures import Figures
from lab import Lab, wait_until
from slowclients import Clients

CLIENTS, RUNS = 200, 3
RESOLVER_MS, LINE_MS = 50, 100
QUIET = {"zones": ["bl.test*10", "wl.test*-10"], "test-interval": 3600}
# A threshold of one SYN a second keeps the flood on while the clients come.
WAYS = {"lookups from the SYN on": {"threshold": 0}, "lookups from the accepted connection on": {"threshold": 1}}


def measure(guard, number):
    """[(seconds that the verdict was ahead of the accepted connection, milliseconds that it took)]"""
    sources = [f"198.18.{number}.{host}" for host in range(1, CLIENTS + 1)]
    accepted = Clients(guard.lab, sources, line=LINE_MS / 1000).run()
    wait_until(lambda: set(accepted) <= {line["source"] for line in guard.lab.log("guard.verdict")}, 20, "all verdicts")
    verdicts = {line["source"]: line for line in guard.lab.log("guard.verdict")}
    rows = []
    for source, (opened, at) in accepted.items():
        took = verdicts[source]["ms"]
        begun = opened if verdicts[source]["evidence"] == "syn" else at
        rows.append((at - begun - took / 1000, took))
    return rows


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def way(guard, figures, name, flood, number):
    guard.start(dns={**guardbed.SETTINGS["dns"], "servers": [world.FAR_RESOLVER]}, dnsbl=QUIET, flood=flood)
    try:
        if flood["threshold"]:
            guard.lab.flood("198.18.128.0/17", count=500, rate=1000).result()
        runs = [measure(guard, number + turn) for turn in range(RUNS)]
    finally:
        guard.end()
    figures.add("verdict ready when accepted", "%", name, [100 * sum(ahead >= 0 for ahead, _ in rows) / CLIENTS for rows in runs])
    waits = [[max(0, -ahead) * 1000 for ahead, _ in rows] for rows in runs]
    figures.add("wait for the verdict, median", "ms", name, [percentile(row, 0.5) for row in waits])
    figures.add("wait for the verdict, 99th percentile", "ms", name, [percentile(row, 0.99) for row in waits])
    figures.add("verdict, median", "ms", name, [percentile([took for _, took in rows], 0.5) for rows in runs])


def main():
    figures = Figures()
    with Lab("benchguard") as lab:
        guard = guardbed.Guard(lab, mail=False)
        guard.world.relay(lab.gateway, world.FAR_RESOLVER, world.RESOLVER, RESOLVER_MS)
        for turn, (name, flood) in enumerate(WAYS.items()):
            way(guard, figures, name, flood, turn * RUNS)
    figures.write("guard")


if __name__ == "__main__":
    main()
