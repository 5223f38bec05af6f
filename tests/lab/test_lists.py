# SPDX-License-Identifier: GPL-2.0-only
"""Lists at work: a million entries, replacement without a gap, overlaps, expiry, and every bad input."""
import json
import os
import time

import pytest

from bigfile import BOTH4, BOTH6, write_list
from lab import BUILD, run, wait_until

def state(lab):
    """Everything that a bad input must not change."""
    status, stats = lab.ctl("status", "--json").json, lab.stats()
    stopped = [row for row in stats["reasons"] if row["kind"] == "stop"]
    return (lab.ctl("block", "show", "--json").out, lab.ctl("allow", "show", "--json").out,
            lab.ctl("limits", "show", "--json").out, stopped, stats["lists"], status["table"]["entries4"],
            status["table"]["entries6"], *(status[name] for name in ("lists", "interfaces", "monitor", "ports")))


def test_a_million_entries_and_replacement_without_a_gap(fresh, no_limits):
    """The whole time an address that is on every version knocks, over both families, and nobody answers."""
    versions = [write_list(fresh.directory / f"big{seed}", seed, 1000000) for seed in (1, 2)]
    fresh.start_posternd(limits=no_limits, table={"capacity-ipv4": 1048576, "capacity-ipv6": 524288})
    fresh.listen()
    fresh.ctl("block", "load", "big", versions[0])
    loaded = fresh.ctl("status", "--json").json["lists"][0]
    assert loaded["ipv4"] + loaded["ipv6"] > 990000  # the rest are duplicates
    probes = [fresh.probe(BOTH4, rate=2000), fresh.probe(BOTH6, rate=2000)]
    for version in (1, 0, 1):
        fresh.ctl("block", "load", "big", versions[version])
    reports = [probe.stop() for probe in probes]
    assert all(report["sent"] > 500 and report["synack"] == report["rst"] == 0 for report in reports), reports
    fresh.ctl("block", "clear", "big")
    assert fresh.connect(BOTH4) == fresh.connect(BOTH6) == "open"


def test_one_address_takes_effect_and_goes_again(lab):
    lab.listen()
    for prefix, source in (("203.0.113.1", "203.0.113.1"), ("2001:db8:5::/48", "2001:db8:5::9")):
        assert lab.connect(source) == "open"
        lab.ctl("block", "add", prefix)
        assert lab.connect(source) == "timeout"
        assert lab.ctl("block", "test", source, check=False).rc == 1
        lab.ctl("block", "del", prefix)
        assert lab.connect(source) == "open"
        assert lab.ctl("block", "test", source, check=False).rc == 0


def test_a_cleared_list_is_gone_and_its_slot_is_anothers(lab):
    """Sixty-three names and one more; counters, monitor mode and lookup ids do not pass to the next list."""
    lab.listen()
    for i in range(63):
        lab.ctl("block", "add", f"198.18.0.{i}", "--list", f"n{i}")
    lab.ctl("block", "add", "203.0.113.7", "--list", "n5")
    assert lab.connect("203.0.113.7") == "timeout"
    lab.ctl("monitor", "on", "--list", "n5")
    lookup = wait_until(lambda: [line for line in lab.log("connection.stopped") if line["list"] == "n5"], 5, "the event")[0]["id"]
    said = lab.ctl("block", "add", "203.0.113.8", "--list", "other", check=False)
    assert said.rc == 4 and "none of them is empty" in said.err
    lab.ctl("block", "del", "198.18.0.9")
    said = lab.ctl("block", "add", "203.0.113.8", "--list", "other", check=False)
    assert "clear: n9" in said.err
    slot = next(row["slot"] for row in lab.ctl("status", "--json").json["lists"] if row["list"] == "n5")
    lab.ctl("block", "clear", "n5")
    assert lab.connect("203.0.113.7") == "open"
    lab.ctl("block", "add", "203.0.113.8", "--list", "other")
    row = next(row for row in lab.ctl("status", "--json").json["lists"] if row["list"] == "other")
    assert row["slot"] == slot and not row["monitor"]
    assert not [row for row in lab.stats()["lists"] if row["list"] == "other"]
    assert lab.connect("203.0.113.8") == "timeout"
    assert [row for row in lab.stats()["lists"] if row["list"] == "other"]
    assert not [row for row in lab.ctl("top", "--count", "1", "--json").json["offenders"]
                if row["source"] == "203.0.113.7" and row["list"] == "other"]
    lab.stop_posternd()
    lab.start_posternd(**lab.config)  # nothing is remembered of the event but its id
    said = lab.ctl("why", lookup, check=False)
    assert said.rc == 4 and "has been removed since" in said.err


def test_the_list_that_postern_keeps(lab):
    for words in (("add", "192.0.2.1", "--list", "learned"), ("load", "learned", "-")):
        said = lab.ctl("block", *words, check=False, **({"input": "192.0.2.1\n"} if words[0] == "load" else {}))
        assert said.rc == 4 and said.err == "posternctl: learned is kept by Postern itself\n"
    assert lab.ctl("allow", "clear", "learned", check=False).rc == 4
    assert lab.ctl("block", "clear", "learned").rc == 0  # it forgives all, also where there is nobody


@pytest.mark.parametrize("name, text, expected", [
    ("plain", "192.0.2.1 # one\n192.0.2.4 - 192.0.2.7\n2001:db8::/64\n", 3),
    ("netset", "#\n# example.netset\n#\n192.0.2.0/25\n198.51.100.1\n", 2),
    ("drop", "; Spamhaus DROP List\n192.0.2.0/24 ; SBL1\n198.51.100.0/24 ; SBL2\n", 2),
    ("dropjson", '{"cidr":"192.0.2.0/24","sblid":"SBL1","rir":"arin"}\n{"type":"metadata","records":1}\n', 1),
    ("ipset", "create bad hash:net family inet\nadd bad 192.0.2.0/24 timeout 3600\nadd bad 198.51.100.7\n", 2),
    ("rbldnsd", "$SOA 3600 ns.example.net. host.example.net. 0 600 300 86400 300\n"
                ":127.0.0.2:Listed, see example.net\n192.0.2.0/24\n198.51.100.7\n", 2)])
def test_formats_are_recognised(lab, name, text, expected):
    path = lab.directory / f"{name}.txt"
    path.write_text(text)
    lab.ctl("block", "load", name, path)
    rows = lab.ctl("block", "show", "--list", name, "--json").json
    assert len(rows) == expected
    assert lab.ctl("block", "test", "192.0.2.5" if name != "plain" else "192.0.2.1", check=False).rc == 1


def test_overlapping_entries(lab):
    """Allow first, then the longest, then the strictest; removing or expiring one uncovers the other."""
    lab.listen()
    lab.ctl("block", "add", "198.51.100.0/24", "--list", "wide", "--action", "reset")
    assert lab.connect("198.51.100.9") == "refused"
    lab.ctl("block", "add", "198.51.100.9", "--list", "narrow", "--action", "drop", "--ttl", "3s")
    assert lab.connect("198.51.100.9") == "timeout"
    lab.ctl("block", "add", "198.51.100.0/24", "--list", "strict", "--action", "drop")
    assert lab.connect("198.51.100.8") == "timeout"
    lab.ctl("allow", "add", "198.51.0.0/16")
    assert lab.connect("198.51.100.9") == "open"
    lab.ctl("allow", "del", "198.51.0.0/16")
    lab.ctl("block", "del", "198.51.100.0/24", "--list", "strict")
    assert lab.connect("198.51.100.8") == "refused"
    wait_until(lambda: lab.connect("198.51.100.9") == "refused", 10, "expiry")


def test_fifty_thousand_entries_expire_in_one_second(lab):
    """A listed address stays out, a good one gets in, and the agent answers all the while."""
    lab.listen()
    path = lab.directory / "short.ipset"
    with open(path, "w") as out:
        out.write("create short hash:ip family inet timeout 0\n")
        for i in range(50000):
            out.write(f"add short 198.19.{i // 200 % 250}.{i % 200} timeout 3\n" if i < 49000 else
                      f"add short 100.64.{i // 200 % 250}.{i % 200} timeout 3\n")
    lab.ctl("block", "add", "203.0.113.50")
    lab.ctl("block", "load", "short", path)
    held = lab.ctl("status", "--json").json["lists"]
    assert sum(row["ipv4"] for row in held if row["list"] == "short") == 50000
    bad, good = lab.probe("203.0.113.50", rate=500), lab.probe("203.0.113.51", rate=500)
    slowest = 0
    end = time.monotonic() + 40
    while any(row["ipv4"] for row in lab.ctl("status", "--json").json["lists"] if row["list"] == "short"):
        start = time.monotonic()
        lab.ctl("limits", "show")
        slowest = max(slowest, time.monotonic() - start)
        assert time.monotonic() < end, "the entries are still there"
    bad, good = bad.stop(), good.stop()
    assert bad["synack"] == bad["rst"] == 0 and bad["sent"] > 100
    assert good["synack"] >= good["sent"] * 0.98
    assert slowest < 5
    assert lab.ctl("block", "test", "198.19.0.1", check=False).rc == 0


def refused(lab, rc, *arguments, **options):
    """The command must be refused: one line on standard error, nothing on the output, nothing changed."""
    before = state(lab)
    done = lab.ctl(*arguments, check=False, **options)
    assert done.rc == rc, done
    assert done.err.count("\n") == 1 and done.err.startswith("posternctl: ") and not done.out, done
    assert state(lab) == before
    return done.err


@pytest.mark.parametrize("arguments, rc, words", [
    (["block", "add", "192.0.2.300"], 2, ["192.0.2.300"]),
    (["block", "add", "192.0.2.0/33"], 2, ["192.0.2.0/33"]),
    (["block", "add", "192.0.2.1/24"], 2, ["192.0.2.1/24", "192.0.2.0/24"]),
    (["block", "add", "2001:db8::1/64"], 2, ["2001:db8::/64"]),
    (["block", "add", "example.net"], 2, ["example.net"]),
    (["block", "add", "192.0.2.1", "--ttl", "never"], 2, ["never"]),
    (["block", "add", "192.0.2.1", "--action", "explode"], 2, ["explode"]),
    (["block", "load", "x", "-", "--action", "bounce"], 2, ["bounce"]),
    (["block", "add", "192.0.2.1", "--list", "no/slash"], 2, ["no/slash"]),
    (["block", "del", "192.0.2.99"], 4, ["192.0.2.99"]),
    (["block", "clear", "nosuch"], 4, ["nosuch"]),
    (["block", "load", "x", "/nonexistent/file"], 4, ["/nonexistent/file"]),
    (["limits", "set", "rate-source", "fast"], 2, ["fast"]),
    (["limits", "set", "rate-sauce", "5"], 2, ["rate-sauce"]),
    (["limits", "set", "rate-source", "99999999999"], 2, ["rate-source"]),
    (["monitor", "on", "--list", "nosuch"], 4, ["nosuch"]),
    (["attach", "nosuch0"], 4, ["nosuch0"]),
    (["detach", "lo"], 4, ["lo"]),
    (["why", "not-an-address"], 2, ["not-an-address"]),
    (["blok", "add", "192.0.2.1"], 2, ["block"])])
def test_bad_input_gets_one_line_and_changes_nothing(lab, arguments, rc, words):
    lab.ctl("block", "add", "192.0.2.5", "--reason", "stays")
    said = refused(lab, rc, *arguments)
    for word in words:
        assert word in said


def test_one_bad_line_in_a_million(lab):
    path = write_list(lab.directory / "bad", 3, 1000000)
    lines = path.read_text().splitlines()
    lines[777776] = "192.0.2.1/24"
    path.write_text("\n".join(lines) + "\n")
    said = refused(lab, 4, "block", "load", "big", path)
    assert f"{path}:777777: 192.0.2.1/24" in said
    small = lab.directory / "small"
    small.write_text("192.0.2.1\nnonsense\n192.0.2.2\n300.1.1.1\n")
    said = refused(lab, 4, "block", "load", "small", small)
    assert ":2:" in said and ":4:" in said
    done = lab.ctl("block", "load", "small", small, "--skip-bad")
    assert "2" in done.out + done.err
    assert lab.ctl("block", "test", "192.0.2.2", check=False).rc == 1


def test_a_full_table(lab):
    path = lab.directory / "many"
    path.write_text("".join(f"11.{i // 65536}.{i // 256 % 256}.{i % 256}\n" for i in range(100001)))
    lab.ctl("block", "add", "192.0.2.5", "--list", "many")
    said = refused(lab, 4, "block", "load", "many", path)
    assert "table.capacity-ipv4" in said and "100000" in said.replace(",", "")


def test_a_reader_of_the_socket_without_rights(lab):
    assert oct(os.stat(lab.socket).st_mode & 0o777) == "0o660"
    done = run("setpriv", "--reuid", "33", "--regid", "33", "--clear-groups", BUILD / "posternctl", "--socket",
               lab.socket, "status", check=False)
    assert done.rc == 3 and done.err.count("\n") == 1


def test_no_agent(lab):
    done = run(BUILD / "posternctl", "--socket", lab.directory / "nosuch.sock", "status", check=False)
    assert done.rc == 3 and done.err.count("\n") == 1 and "nosuch.sock" in done.err


def test_json_is_what_the_agent_says(lab):
    lab.ctl("block", "add", "192.0.2.8", "--reason", "r", "--json")
    for words in (["status"], ["stats"], ["block", "show"], ["limits", "show"], ["why", "192.0.2.8"],
                  ["top", "--count", "1"]):
        json.loads(lab.ctl(*words, "--json").out)
