# SPDX-License-Identifier: GPL-2.0-only
"""The lab itself: it counts exactly, keeps its floods to itself, and takes everything away again."""
import os
import pathlib
import signal
import subprocess
import sys

import pytest

from lab import BUILD, SPOOFED4, SPOOFED6, VLAN_SENDER4, Lab, run, wait_until

# A lab in full use. It tells its namespaces' inodes, and then ends in the way that is asked for.
CHILD = """
import os, sys, time
sys.path.insert(0, "tests/lab")
from lab import Lab
lab = Lab("child")
lab.start_posternd()
lab.start_postfix()
lab.start_sshd()
lab.flood("198.18.0.0/15", count=10**9, rate=100)
print(*[os.stat(f"/run/netns/{name}").st_ino for name in (lab.internet, lab.gateway, lab.vlan)], flush=True)
if sys.argv[1] == "signal":
    time.sleep(60)
if sys.argv[1] == "exception":
    raise RuntimeError("the test has failed")
"""


def processes_in(inodes):
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/ns/net"):
        try:
            link = os.readlink(path)
        except OSError:
            continue
        if link in [f"net:[{inode}]" for inode in inodes]:
            found.append(path.parts[2])
    return found


@pytest.mark.parametrize("end", ["normal", "exception", "signal"])
def test_nothing_is_left_behind(end):
    child = subprocess.Popen([sys.executable, "-c", CHILD, end], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             text=True)
    inodes = child.stdout.readline().split()
    assert len(inodes) == 3
    if end == "signal":
        assert len(processes_in(inodes)) >= 5  # the agent, its keeper, Postfix, sshd, the flood
        child.send_signal(signal.SIGTERM)
    status = child.wait(30)
    child.stdout.close()
    assert (status == 0) == (end == "normal")
    name = f"child{child.pid}"
    wait_until(lambda: not processes_in(inodes), 5, "the end of all processes")
    assert name not in run("ip", "netns", "list").out
    assert not os.path.exists(f"/sys/fs/bpf/postern-{name}")
    assert not list(pathlib.Path("/tmp").glob(f"postern-{name}-*"))


@pytest.mark.parametrize("program, arguments", [
    ("flood", ["lo", "02:00:00:00:00:01", "127.0.0.1", "25", "1", "0", "1", "198.18.0.0/15"]),
    ("probe", ["lo", "02:00:00:00:00:01", "198.18.0.1", "127.0.0.1", "25", "1", "1", "0"])])
def test_the_generators_do_not_run_on_the_machine_itself(program, arguments):
    done = run(BUILD / "tests" / program, *arguments, check=False)
    assert done.rc == 2 and "network namespace" in done.err and not done.out


@pytest.mark.parametrize("prefix, rate, vlan", [(SPOOFED4, 0, False), (SPOOFED6, 0, False), (SPOOFED4, 50000, False),
                                                (f"{VLAN_SENDER4}/32", 0, True)])
def test_every_packet_of_a_flood_is_counted(lab, prefix, rate, vlan):
    lab.ctl("block", "add", prefix)
    before = lab.packets("listed")
    report = lab.flood(prefix, count=100000, rate=rate, vlan=vlan).result()
    assert report["errors"] == 0 and report["sent"] == 100000
    assert lab.packets("listed") - before == 100000
    if rate:
        assert report["seconds"] > 0.95 * 100000 / rate  # never faster than was asked for


def test_two_labs_side_by_side(lab):
    with Lab("second") as other:
        other.start_posternd()
        other.ctl("block", "add", "203.0.113.1")
        assert not lab.ctl("block", "show", "--json").json
        assert set(run("ip", "netns", "list").out.split()) >= {lab.gateway, other.gateway}
