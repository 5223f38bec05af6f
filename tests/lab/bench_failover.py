#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""5,000 messages while servers are killed at random: what became of each, in build/bench/failover.json.

Every half second or so one of these happens: a backend is killed, both are, the agent is killed, the agent is told to end; and what
has gone is started again. It fails if a message is lost, or doubled without its sender having been left in doubt.

usage: bench_failover.py [COUNT [SEED]]
"""
import json
import random
import sys
import time

from frontbed import Front
from lab import BUILD, Lab
from mailrun import Run

SECONDS = 400


def one_backend(front):
    with front.without(front.backends[:1]):
        time.sleep(0.2)


def other_backend(front):
    with front.without(front.backends[1:]):
        time.sleep(0.2)


def both_backends(front):
    with front.without(front.backends):
        time.sleep(0.3)


def agent_killed(front):
    front.lab.posternd.kill()
    front.lab.posternd.wait(20)
    front.start()


def agent_ended(front):
    front.lab.stop_posternd()
    front.start()


EVENTS = [one_backend, other_backend, both_backends, agent_killed, agent_ended]


def main():
    count, seed = map(int, sys.argv[1:] + ["5000", "1"][len(sys.argv) - 1:])
    chance, happened = random.Random(seed), {event.__name__: 0 for event in EVENTS}
    with Lab("benchfail") as lab:
        front = Front(lab, backends="sink")
        front.start()
        run = Run(front, "bench", count, SECONDS)
        while run.process.poll() is None:
            time.sleep(chance.uniform(0.1, 0.8))
            event = chance.choice(EVENTS)
            event(front)
            happened[event.__name__] += 1
        table = {"messages": count, "seed": seed, **happened, **run.end()}
    path = BUILD / "bench/failover.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(table, indent=1) + "\n")
    print(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
