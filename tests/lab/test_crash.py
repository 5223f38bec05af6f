# SPDX-License-Identifier: GPL-2.0-only
"""Races: changes that a crash cuts short, starts at the same moment, starts that fail beside a filter that works."""
import json
import random
import signal
import subprocess
import threading
import time

from bigfile import BOTH4, BOTH6, write_list
from lab import BUILD, SPOOFED4, wait_until

LISTED = "203.0.113.66"


def prefixes(lab):
    return {row["prefix"] for row in lab.ctl("block", "show", "--json").json}


def attached(lab, iface="g0"):
    """The id of the XDP program on an interface of the gateway, None without one."""
    link = json.loads(lab.ns(lab.gateway, "ip", "-j", "link", "show", iface).out)[0]
    return link["xdp"]["prog"]["id"] if "xdp" in link else None


def add_until_killed(lab, network, acknowledged):
    """Adds addresses one after the other; notes each that the agent has acknowledged."""
    for i in range(100000):
        address = f"{network}.{i // 250}.{i % 250}"
        if lab.ctl("block", "add", address, check=False).rc:
            return
        acknowledged.append(address)


def test_nothing_acknowledged_is_lost_whenever_it_is_killed(fresh, no_limits):
    """Two clients add without a pause while the agent is killed: at most the entry under way may be there as well."""
    fresh.start_posternd(limits=no_limits)
    number, known = random.Random(5), set()
    for turn in range(5):
        acknowledged = [[], []]
        clients = [threading.Thread(target=add_until_killed, args=(fresh, f"11.{turn * 2 + i}", acknowledged[i]))
                   for i in range(2)]
        for client in clients:
            client.start()
        wait_until(lambda: all(acknowledged), 10, "what both have added")
        time.sleep(number.random() * 0.3)
        fresh.stop_posternd(signal.SIGKILL)
        for client in clients:
            client.join()
        fresh.start_posternd(limits=no_limits)
        known.update(*acknowledged)
        there = prefixes(fresh)
        assert known <= there and len(there - known) <= len(clients) * (turn + 1)


def test_killed_in_the_middle_of_a_big_replacement(fresh, no_limits):
    """What is on both lists stays blocked through the kill, the restart and the load after it."""
    fresh.listen()
    versions = [write_list(fresh.directory / f"big{seed}", seed, 200000) for seed in (1, 2)]
    fresh.start_posternd(limits=no_limits, table={"capacity-ipv4": 200000, "capacity-ipv6": 100000})
    fresh.ctl("block", "load", "big", versions[0])
    sizes = [fresh.ctl("status", "--json").json["table"]["entries4"]]
    probes = [fresh.probe(BOTH4, rate=1000), fresh.probe(BOTH6, rate=1000)]
    for delay in (0.1, 0.2, 0.3):
        loading = subprocess.Popen([BUILD / "posternctl", "--socket", fresh.socket, "block", "load", "big",
                                    versions[1]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        fresh.stop_posternd(signal.SIGKILL)
        loading.wait()
        fresh.start_posternd(limits=no_limits, table={"capacity-ipv4": 200000, "capacity-ipv6": 100000})
        sizes.append(fresh.ctl("status", "--json").json["table"]["entries4"])
        fresh.ctl("block", "load", "big", versions[0])
    fresh.ctl("block", "load", "big", versions[1])
    sizes.append(fresh.ctl("status", "--json").json["table"]["entries4"])
    assert set(sizes) <= {sizes[0], sizes[-1]}, sizes
    for report in [probe.stop() for probe in probes]:
        assert report["sent"] > 500 and report["synack"] == report["rst"] == 0
    fresh.ctl("block", "clear", "big")
    assert fresh.connect(BOTH4) == fresh.connect(BOTH6) == "open"  # there was somebody who could have answered


def test_two_starts_at_the_same_moment(fresh, no_limits):
    """Exactly one runs; the other says so in one line and takes nothing from it."""
    path = fresh.write_config(limits=no_limits)
    command = ["nsenter", f"--net=/run/netns/{fresh.gateway}", BUILD / "posternd", "-c", path]
    for _ in range(3):
        both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        wait_until(lambda: [p for p in both if p.poll() is not None], 10, "the end of the second")
        loser, winner = sorted(both, key=lambda p: p.poll() is None)
        try:
            assert winner.poll() is None and loser.returncode == 1
            said = loser.stderr.read()
            assert said.count("\n") == 1 and "in use" in said, said
            wait_until(lambda: fresh.socket.exists() and fresh.ctl("status", check=False).rc == 0, 10, "an answer")
            status = fresh.ctl("status", "--json").json
            assert status["pid"] == winner.pid
            assert {row["iface"] for row in status["interfaces"]} == {"g0", "g1"}
        finally:
            for process in both:
                process.kill()
                process.communicate()


def test_a_start_that_fails_leaves_the_filter_as_it_was(fresh, no_limits):
    """The agent is gone, the filter works on. A start with a wrong interface fails, and takes nothing away."""
    fresh.listen()
    fresh.start_posternd(limits=no_limits)
    fresh.ctl("block", "add", LISTED)
    fresh.stop_posternd()
    knocking = fresh.probe(LISTED, rate=1000, least=101)
    path = fresh.write_config(limits=no_limits, interfaces=["g0", "g1", "nosuch0"])
    done = fresh.ns(fresh.gateway, BUILD / "posternd", "-c", path, check=False)
    assert done.rc == 1 and "nosuch0" in done.err.splitlines()[-1]
    assert attached(fresh) and attached(fresh, "g1")
    assert fresh.ctl("status", check=False).rc == 3
    assert fresh.connect(LISTED) == "timeout" and fresh.connect("198.51.100.9") == "open"
    fresh.start_posternd(limits=no_limits)
    assert fresh.log("gate.opened")[-1]["adopted"] is True and prefixes(fresh) == {LISTED}
    report = knocking.stop()
    assert report["sent"] > 100 and report["synack"] == report["rst"] == 0


def test_restarts_under_a_flood_let_nothing_through(fresh, no_limits):
    """Ended gently and by force, five times, while listed sources knock a hundred thousand times a second."""
    fresh.listen()
    fresh.start_posternd(limits=no_limits)
    fresh.ctl("block", "add", SPOOFED4)
    flood = fresh.flood(SPOOFED4, count=10**9, rate=100000)
    knocking = fresh.probe("198.18.7.7", rate=1000)
    for turn in range(5):
        fresh.stop_posternd(signal.SIGKILL if turn % 2 else signal.SIGTERM)
        fresh.start_posternd(limits=no_limits)
    sent = flood.stop()
    report = knocking.stop()
    assert report["sent"] > 200 and report["synack"] == report["rst"] == 0
    assert fresh.packets("listed") == sent["sent"] + report["sent"]
