#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What boot.py runs on the other kernel: all packet tests, and the agent on the lab's links. Says at the end that it has passed.

usage: inside.py BUILD
"""
import os
import pathlib
import platform
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))

from lab import GATEWAY4, GATEWAY6, SPOOFED4, Lab, wait_until  # noqa: E402: it is found by the line above
import senders  # noqa: E402

PASSED = "kernel: passed"
GOOD, BAD = ("203.0.113.20", "2001:db8:20::1"), ("203.0.113.66", "2001:db8:66::1")
PATIENCE = 60  # seconds


def packets(build):
    """Says more only if one fails."""
    done = subprocess.run([build / "tests/packet/packet"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\n{done.stderr}")
    print(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.stdout.strip().splitlines()[-1], flush=True)


def expect(what, found, wanted):
    print(f"{what}: {found}", flush=True)
    if found != wanted:
        sys.exit(f"kernel: {what}: {found} instead of {wanted}")


def traffic(lab):
    """Who is on no list gets in, who is on one does not; and in a flood by a cookie."""
    lab.listen()
    lab.start_posternd(wait=False, flood={"threshold": 200, "hold": 30})
    wait_until(lab._answers, PATIENCE, "the agent's answer")
    for interface in lab.ctl("status", "--json").json["interfaces"]:
        expect(f"{interface['iface']} has a program", interface["mode"], "native")
    lab.ctl("block", "add", *BAD[:1])
    lab.ctl("block", "add", *BAD[1:])
    for source in GOOD:
        expect(source, lab.connect(source, timeout=PATIENCE), "open")
    for source in BAD:
        expect(source, lab.connect(source, timeout=2), "timeout")
    flood = lab.flood(SPOOFED4, count=1000000, rate=1000)
    wait_until(lambda: lab.stats()["health"]["cookies_sent"] > 0, PATIENCE, "cookies")
    for source, dest in (("192.0.2.30", GATEWAY4), ("2001:db8:30::1", GATEWAY6)):
        with senders.connect(senders.Way(lab.internet, source, dest)):
            print(f"{source}: in by a cookie", flush=True)
    flood.stop()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(f"kernel: {platform.release()}, {os.cpu_count()} CPUs", flush=True)
    packets(pathlib.Path(sys.argv[1]))
    with Lab("kernel") as lab:
        traffic(lab)
    print(PASSED, flush=True)


if __name__ == "__main__":
    main()
