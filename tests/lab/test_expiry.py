# SPDX-License-Identifier: GPL-2.0-only
"""Fifty thousand entries of both families expire in one second, and nobody is disturbed.

All the while one client keeps asking over one connection and another one adds entries; a listed address
and a good one knock.
"""
import json
import socket
import time

import pytest

ENTRIES = 25000  # of each family
TTL = 4
ANSWER_SECONDS = 1.0  # a few hundredths on an idle machine
EXPIRY_SECONDS = 10  # from the first that goes to the last
LISTED, GOOD = {"ipv4": "203.0.113.50", "ipv6": "2001:db8:50::1"}, {"ipv4": "203.0.113.51", "ipv6": "2001:db8:51::1"}


class Client:
    """A connection to the control socket that stays open."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rwb", 0)
        self.slowest = 0

    def ask(self, **request):
        start = time.monotonic()
        self.file.write(json.dumps(request).encode() + b"\n")
        answer = json.loads(self.file.readline())
        self.slowest = max(self.slowest, time.monotonic() - start)
        assert answer["ok"], answer
        return answer["result"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()


def entries_of(status, name):
    return sum(row["ipv4"] + row["ipv6"] for row in status["lists"] if row["list"] == name)


def load_short_lived(lab):
    for family, pattern in (("inet", "198.19.{}.{}"), ("inet6", "3fff:{:x}:{:x}::1")):
        path = lab.directory / family
        lines = (f"add {family} {pattern.format(i // 200, i % 200)} timeout {TTL}\n" for i in range(ENTRIES))
        path.write_text(f"create {family} hash:ip family {family} timeout 0\n" + "".join(lines))
        lab.ctl("block", "load", family, path)


@pytest.mark.parametrize("family", LISTED)
def test_expiry_disturbs_nobody(lab, family):
    lab.listen()
    lab.ctl("block", "add", LISTED[family])
    load_short_lived(lab)
    bad, good = lab.probe(LISTED[family], rate=500), lab.probe(GOOD[family], rate=500)
    left, first, added, end = ENTRIES * 2, None, 0, time.monotonic() + 30
    with Client(lab.socket) as asking, Client(lab.socket) as adding:
        assert entries_of(asking.ask(cmd="status"), "inet") == entries_of(asking.ask(cmd="status"), "inet6") == ENTRIES
        while left:
            status = asking.ask(cmd="status")
            left = entries_of(status, "inet") + entries_of(status, "inet6")
            adding.ask(cmd="list.add", kind="block", list="added", prefix=f"192.0.2.{added % 256}")
            added += 1
            first = first or (time.monotonic() if left < ENTRIES * 2 else None)
            assert time.monotonic() < end, f"{left} entries are still there"
            time.sleep(0.005)
        assert time.monotonic() - first < EXPIRY_SECONDS
        assert max(asking.slowest, adding.slowest) < ANSWER_SECONDS
        assert entries_of(asking.ask(cmd="status"), "added") == min(added, 256)
    bad, good = bad.stop(), good.stop()
    assert bad["sent"] > 100 and bad["synack"] == bad["rst"] == 0
    assert good["sent"] > 100 and good["synack"] == good["sent"]
    for address in ("198.19.0.1", "3fff:0:1::1"):
        assert lab.ctl("block", "test", address, check=False).rc == 0
