# SPDX-License-Identifier: GPL-2.0-only
"""Mode proxy and 15,000 clients of whom each sends an octet a second: they hold up nobody.

One of run.py's ALONE, because it compares times. bench_front.py has the exact ratio: what is asserted here has room for a noisy machine.
The connections take as many descriptors in one process on either side, of 20,000.
"""
import time

import pytest

import bench_front
import fronts
from frontclient import Drip
from lab import Lab

SLOW, MAILS, TRIES = 15000, 400, 5
RATIO_MAX = 2  # 1.2 on a machine with nothing else to do
PAUSE = 0.5    # seconds between two tries


@pytest.fixture(scope="module")
def bed():
    with Lab("slow") as lab:
        yield bench_front.Bed(lab)


def best(bed):
    """Milliseconds from connect to the final 250, the median of MAILS sessions, in the best of TRIES."""
    medians = []
    for _ in range(TRIES):
        said = bed.load("mail", MAILS, 1, bench_front.GOOD_NET)
        assert said["good"] == MAILS, said
        medians.append(said["median"])
        time.sleep(PAUSE)
    return min(medians)


def test_15000_slow_connections_hold_up_nobody(bed):
    front = fronts.Postern(bed)
    try:
        quiet = best(bed)
        slow = Drip(bed.lab, SLOW, bench_front.SLOW_NET, bench_front.SLOW_LINE)
        assert slow.opened() == SLOW
        loaded = best(bed)
        told = slow.end()
        assert told["open"] == SLOW and not told["ended"] and told["octets"] > SLOW * TRIES * PAUSE, told
        assert loaded < quiet * RATIO_MAX, (quiet, loaded)
    finally:
        front.close()
