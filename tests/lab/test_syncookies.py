# SPDX-License-Identifier: GPL-2.0-only
"""Mail during a flood of SYNs: senders that have not proved themselves deliver through SYN cookies, with all options."""
import hashlib
import re
import smtplib
import time

import pytest

import senders
from lab import GATEWAY4, GATEWAY6, SPOOFED4, wait_until
from senders import Way
from wire import inside

FLOOD = {"threshold": 1000, "hold": 3}
RATE = 5000  # SYNs a second
FOREVER = RATE * 600
NEW = {"ipv4": ("192.0.2.30", GATEWAY4), "ipv6": ("2001:db8:30::1", GATEWAY6)}
HEADERS = {"ipv4": 40, "ipv6": 60}
MEGABYTES = 20


@pytest.fixture
def mx(fresh, no_limits):
    """A lab with Postfix and Postern, and both settings as they are by default."""
    fresh.ns(fresh.gateway, "sysctl", "-qw", "net.ipv4.tcp_syncookies=1", "net.ipv4.tcp_timestamps=1")
    fresh.postfix = fresh.start_postfix(settings={"message_size_limit": 2 * MEGABYTES << 20})
    fresh.limits = no_limits
    return fresh


def flooded(lab, *prefixes, rate=RATE):
    """Starts a flood, and waits until there are cookies."""
    flood = lab.flood(*(prefixes or [SPOOFED4]), count=FOREVER, rate=rate)
    wait_until(lambda: lab.stats()["health"]["cookies_sent"] > 0, 10, "cookies")
    return flood


def kernel(lab, name):
    """A counter of the gateway's kernel, of the group TcpExt."""
    lines = [line.split() for line in lab.ns(lab.gateway, "cat", "/proc/net/netstat").out.splitlines()]
    names, values = (line for line in lines if line[0] == "TcpExt:")
    return int(dict(zip(names, values))[name])


def seen_by(lab, namespace, filter_):
    """What a kernel knows of the one connection."""
    return lab.ns(namespace, "ss", "-Htino", "state", "established", *filter_.split()).out


def options(text):
    """The TCP options of a connection, as ss tells them."""
    return {word for word in ("ts", "sack") if re.search(rf"\b{word}\b", text)} | (
        {"wscale"} if "wscale:" in text else set())


@pytest.mark.parametrize("family", NEW)
def test_a_new_sender_delivers(mx, family):
    """By a cookie, with window scale, SACK, time stamps and the link's segments, and then a mail."""
    source, dest = NEW[family]
    mx.start_posternd(limits=mx.limits, flood=FLOOD)
    flood = flooded(mx)
    before = kernel(mx, "SyncookiesRecv")
    with senders.connect(Way(mx.internet, source, dest)) as client:
        assert client.recv(100).startswith(b"220")
        assert kernel(mx, "SyncookiesRecv") == before + 1
        for text in (seen_by(mx, mx.gateway, f"sport = :25 dst {senders.bracketed(source)}"),
                     seen_by(mx, mx.internet, f"dport = :25 src {senders.bracketed(source)}")):
            assert options(text) == {"wscale", "sack", "ts"}, text
            assert int(re.search(r" mss:(\d+)", text)[1]) == 1500 - HEADERS[family] - 12, text
    assert mx.swaks(source)
    wait_until(mx.postfix.delivered, 10, "delivery")
    assert kernel(mx, "SyncookiesFailed") == 0
    flood.stop()


@pytest.mark.parametrize("family", NEW)
def test_the_cookie_offers_what_the_link_holds(mx, family):
    """The gateway's own link is narrower than the sender's: only the cookie can tell the sender."""
    source, dest = NEW[family]
    mx.ns(mx.gateway, "ip", "link", "set", "g0", "mtu", 1400)
    mx.start_posternd(limits=mx.limits, flood=FLOOD)
    flood = flooded(mx)
    with senders.connect(Way(mx.internet, source, dest)) as client:
        assert client.recv(100).startswith(b"220")
        known = seen_by(mx, mx.internet, f"dport = :25 src {senders.bracketed(source)}")
        assert int(re.search(r" mss:(\d+)", known)[1]) == 1400 - HEADERS[family] - 12, known
    flood.stop()


def test_a_proved_sender_is_not_challenged(mx):
    """
    When the SYNs have stopped and the flood is not over yet, each cookie can be told from the others. To the proved
    sender the program sends none; the kernel does, because it answers everybody so while tcp_syncookies is 2.
    """
    mx.start_posternd(limits=mx.limits, flood={**FLOOD, "hold": 600})
    cookies = lambda: mx.stats()["health"]["cookies_sent"]
    assert mx.connect("192.0.2.31", timeout=5) == "open"
    flooded(mx).stop()
    for source, challenged in (("192.0.2.31", 0), ("192.0.2.32", 1), ("192.0.2.32", 0), ("2001:db8:32::1", 1),
                               ("2001:db8:32::2", 0), ("2001:db8:32:1::1", 1)):  # IPv6 stands for its /64
        before, accepted = cookies(), mx.packets("accepted")
        assert mx.swaks(source)
        assert cookies() - before == challenged and mx.packets("accepted") - accepted == 1 - challenged


def deliver(lab, source, dest):
    """A large mail; returns whether it is in the mailbox as it was sent."""
    line = "".join(chr(33 + i % 90) for i in range(76))
    text = "\n".join([line] * (MEGABYTES << 20 >> 6))[:MEGABYTES << 20] + "\n"
    with inside(lab.internet), smtplib.SMTP(dest, timeout=30, source_address=(source, 0)) as client:
        client.sendmail("sender@example.net", "user@lab.example", f"Subject: large\n\n{text}")
    wait_until(lab.postfix.delivered, 20, "delivery")
    body = lab.postfix.mails()[0].partition("\n\n")[2]
    return hashlib.sha256(body.encode()).digest() == hashlib.sha256(text.encode()).digest()


@pytest.mark.parametrize("family", NEW)
def test_a_large_mail_arrives_whole(mx, family):
    mx.start_posternd(limits=mx.limits, flood=FLOOD)
    flood = flooded(mx)
    before = kernel(mx, "SyncookiesRecv")
    assert deliver(mx, *NEW[family])
    assert kernel(mx, "SyncookiesRecv") == before + 1
    flood.stop()


def test_time_stamps_that_cannot_be_changed(mx):
    """Cookies without options then; the mail arrives all the same."""
    stamps = "/proc/sys/net/ipv4/tcp_timestamps"
    mx.start_posternd(limits=mx.limits, flood=FLOOD, within=mx.read_only(stamps))
    flood = flooded(mx)
    assert mx.ns(mx.gateway, "cat", stamps).out == "1\n"
    source, dest = NEW["ipv4"]
    before = kernel(mx, "SyncookiesRecv")
    with senders.connect(Way(mx.internet, source, dest)) as client:
        assert client.recv(100).startswith(b"220") and kernel(mx, "SyncookiesRecv") == before + 1
        assert options(seen_by(mx, mx.gateway, f"sport = :25 dst {source}")) == set()
    assert mx.swaks("192.0.2.33") and kernel(mx, "SyncookiesRecv") == before + 2
    wait_until(mx.postfix.delivered, 10, "delivery")
    flood.stop()


def test_bursts_are_one_flood(mx):
    """No more than a fraction of the hold time passes between two of them: it is told once, and switched once."""
    mx.start_posternd(limits=mx.limits, flood=FLOOD)
    for _ in range(6):
        mx.flood(SPOOFED4, count=1000, rate=RATE).result()
        time.sleep(0.3)
    assert [row["floods"] for row in status_floods(mx)] == [1]
    assert status_floods(mx)[0]["active"]
    wait_until(lambda: mx.log("flood.ended"), 15, "the end")
    assert len(mx.log("flood.started")) == len(mx.log("flood.ended")) == 1
    assert [row["floods"] for row in status_floods(mx)] == [1]


def status_floods(lab):
    return [row for row in lab.ctl("status", "--json").json["floods"] if row["floods"]]


def test_what_is_counted_agrees(mx):
    """stats, status and the metrics tell the same, and it is what was sent."""
    mx.start_posternd(limits=mx.limits, flood=FLOOD)
    flooded(mx).stop()
    stats = mx.stats()
    page = mx.ns(mx.gateway, "curl", "-sf", "http://127.0.0.1:9125/metrics").out
    sent = stats["health"]["cookies_sent"]
    assert sent == mx.packets("challenged") > 0
    assert f"postern_cookies_sent_total {sent}\n" in page and 'postern_floods_total{port="25"} 1\n' in page
    counted = re.findall(r'^postern_packets_total\{.*reason="challenged".* (\d+)$', page, re.M)
    assert sum(map(int, counted)) == sent
    assert "floods so far: 1" in mx.ctl("status").out
