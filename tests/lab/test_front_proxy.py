# SPDX-License-Identifier: GPL-2.0-only
"""Mode proxy behind load balancers: what a listed one says in a PROXY header is believed, what is no header is closed without a word, and
what anybody else says is no header. A real one is there, too: HAProxy.
"""
import itertools
import re
import socket
import struct
import time

import pytest

import servers
from frontbed import Front
from frontclient import Session, opened, refused
from lab import GATEWAY4, Lab, wait_until
from wire import inside

from torture.client import GONE, Client

BALANCER, STRANGER = "192.0.2.80", "192.0.2.81"
REAL4, REAL6 = "198.51.100.210", "2001:db8:900d:1::210"
HEADER_S, TICK_S = 5, 1.5  # the server's patience with a header
GREET_DELAY = 150          # ms: what is said before the greeting is seen to be
TOKENS = itertools.count()
V2 = b"\r\n\r\n\0\r\nQUIT\n"


def v2(command=0x21, family=0x11, addresses=None, more=b"", length=None):
    """A header of version 2; `more`: TLVs."""
    if addresses is None:
        kind, source, dest = (socket.AF_INET6, REAL6, "fd00:77::1") if family >> 4 == 2 else (socket.AF_INET, REAL4, GATEWAY4)
        addresses = socket.inet_pton(kind, source) + socket.inet_pton(kind, dest) + struct.pack("!HH", 40000, 25)
    body = addresses + more
    return V2 + bytes([command, family]) + struct.pack("!H", len(body) if length is None else length) + body


def tlv(kind, value):
    return bytes([kind]) + struct.pack("!H", len(value)) + value


def v1(words):
    return b"PROXY " + words.encode() + b"\r\n"


# {name: (header, who the client is then)}
GOOD = {
    "version 1, IPv4": (v1(f"TCP4 {REAL4} {GATEWAY4} 40000 25"), REAL4),
    "version 1, IPv6": (v1(f"TCP6 {REAL6} fd00:77::1 40000 25"), REAL6),
    "version 1, mapped": (v1(f"TCP6 ::ffff:{REAL4} ::ffff:{GATEWAY4} 40000 25"), REAL4),
    "version 1, UNKNOWN": (v1("UNKNOWN"), BALANCER),
    "version 1, UNKNOWN with addresses": (v1(f"UNKNOWN {REAL4} {GATEWAY4} 40000 25"), BALANCER),
    "version 2, IPv4": (v2(), REAL4),
    "version 2, IPv6": (v2(family=0x21), REAL6),
    "version 2, LOCAL": (v2(0x20, 0, b""), BALANCER),
    "version 2, LOCAL with addresses": (v2(0x20), BALANCER),
    "version 2, unspecified": (v2(0x21, 0, b""), BALANCER),
    "version 2, TLVs": (v2(more=tlv(0x01, b"smtp") + tlv(0x02, b"mx.own.example") + tlv(0x04, b"")), REAL4),
    "version 2, 500 octets of TLVs": (v2(more=tlv(0x04, b"\0" * 497)), REAL4),
    "version 2, TLVs that make no sense": (v2(more=b"\xff\xff\xff\r\nEHLO evil.example\r\n"), REAL4),
}
BAD = {
    "nothing of the kind": b"EHLO evil.example\r\n",
    "another signature": V2[:-1] + b"\r" + v2()[12:],
    "small letters": b"proxy TCP4 198.51.100.210 10.77.0.1 40000 25\r\n",
    "a zero in front of a port": v1(f"TCP4 {REAL4} {GATEWAY4} 040000 25"),
    "a zero in front of an octet": v1(f"TCP4 198.051.100.210 {GATEWAY4} 40000 25"),
    "a port out of range": v1(f"TCP4 {REAL4} {GATEWAY4} 65536 25"),
    "a negative port": v1(f"TCP4 {REAL4} {GATEWAY4} -1 25"),
    "no port": v1(f"TCP4 {REAL4} {GATEWAY4} 40000"),
    "a word too many": v1(f"TCP4 {REAL4} {GATEWAY4} 40000 25 26"),
    "two blanks": v1(f"TCP4  {REAL4} {GATEWAY4} 40000 25"),
    "an IPv6 address as TCP4": v1(f"TCP4 {REAL6} {GATEWAY4} 40000 25"),
    "a name": v1(f"TCP4 localhost {GATEWAY4} 40000 25"),
    "UDP4": v1(f"UDP4 {REAL4} {GATEWAY4} 40000 25"),
    "LF alone": v1(f"TCP4 {REAL4} {GATEWAY4} 40000 25").replace(b"\r", b""),
    "CR alone": v1(f"TCP4 {REAL4} {GATEWAY4} 40000 25")[:-1] + b"EHLO",
    "a line of 108 octets": v1("UNKNOWN " + "x" * 92),
    "a line of 2 KB": v1("TCP4 " + "1" * 2048),
    "command 2": v2(0x22),
    "version 1 in binary": v2(0x11),
    "version 3": v2(0x31),
    "a UNIX socket": v2(0x21, 0x31, bytes(216)),
    "UDP": v2(0x21, 0x12),
    "an unknown family": v2(0x21, 0x41),
    "shorter than its addresses": v2(length=11)[:-1],
    "IPv6 with the length of IPv4": v2(family=0x21, addresses=bytes(12)),
    "537 octets": v2(more=tlv(0x04, b"\0" * 506)),
    "64 KB": v2(length=0xffff),
}
CUT = {"version 1": v1(f"TCP4 {REAL4} {GATEWAY4} 40000 25")[:-2], "version 1 without its LF": v1(f"TCP4 {REAL4} {GATEWAY4} 40000 25")[:-1], "a word": b"PROX",
       "version 2": v2()[:-1], "the signature": V2, "nothing": b"", "TLVs": v2(length=60)}


@pytest.fixture(scope="module")
def front():
    with Lab("frontproxy") as lab:
        made = Front(lab, backends="sink")
        made.start(check={"score": "reject"}, smtp={"backends": ["10.79.0.1:25 xclient"], "balancers": [f"{BALANCER}/32", "2001:db8:ba1::/48"], "greet-delay": GREET_DELAY})
        yield made


def connect(front, source=BALANCER, first=b""):
    with inside(front.lab.internet):
        client = Client((GATEWAY4, 25), source, 20)
    client.raw(first)
    return client


def deliver(front, session):
    """A mail; what the sink knows of it."""
    token = f"proxy{next(TOKENS):03d}x"
    session.mail()
    assert session.data(f"Subject: {token}\r\n\r\ntext\r\n".encode()).startswith("250")
    session.close()
    return next(row for row in front.backends[0].messages() if token in row["octets"])


def is_client(row, address):
    """It is what the header says, and what the server behind is told."""
    tag = "IPv6:" if ":" in address else ""
    assert re.search(rf"\A(?:X-Postern|Received-SPF|Authentication-Results|Received): (?:.|\r\n)*\(\S+ \[{tag}{re.escape(address)}\]\)\r\n", row["octets"]), row
    assert f" ADDR={tag.upper()}{address} " in row["client"], row
    return True


@pytest.mark.parametrize("kind", GOOD)
def test_a_listed_balancer_is_believed(front, kind):
    header, client = GOOD[kind]
    assert is_client(deliver(front, Session(front, BALANCER, first=header)), client)


@pytest.mark.parametrize("kind", ["version 1, IPv4", "version 2, IPv6", "version 2, TLVs"])
def test_in_pieces(front, kind):
    """An octet a segment."""
    header, client = GOOD[kind]
    session = Session(front, BALANCER, first=header, each=1)
    assert is_client(deliver(front, session), client)


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_header_is_closed_without_a_word(front, kind):
    client = connect(front, first=BAD[kind])
    assert re.fullmatch(GONE, client.reply(HEADER_S - 1)) and not client.input
    client.close()


@pytest.fixture(scope="module")
def late(front):
    """{kind: (seconds until it was closed, how)} of all who do not say the rest, side by side."""
    clients, begin, found = {kind: connect(front, first=octets) for kind, octets in CUT.items()}, time.monotonic(), {}
    slow, drops = connect(front), (bytes([octet]) for octet in v2(more=tlv(0x04, bytes(400))))
    while len(found) < len(clients) + 1 and time.monotonic() < begin + 4 * HEADER_S:
        slow.raw(next(drops, b"") if "an octet now and then" not in found else b"")
        for kind, client in {**clients, "an octet now and then": slow}.items():
            if kind not in found and (reply := client.reply(0.02)) != "silent":
                found[kind] = time.monotonic() - begin, reply
                client.close()
    return found


@pytest.mark.parametrize("kind", [*CUT, "an octet now and then"])
def test_who_does_not_say_the_rest_is_closed_in_time(late, kind):
    seconds, reply = late[kind]
    assert re.fullmatch(GONE, reply) and seconds < HEADER_S + TICK_S * 4, late


def test_what_is_no_header_is_told_of(front):
    before = front.guard.metric("postern_smtp_balancer_errors_total")
    client = connect(front, first=b"EHLO unnamed.example\r\n")
    assert re.fullmatch(GONE, client.reply())
    client.close()
    line = wait_until(lambda: front.lab.log("smtp.balancer"), 5, "the line in the log")[-1]
    assert (line["source"], line["why"]) == (BALANCER, "what it said is no PROXY header"), line
    assert front.guard.metric("postern_smtp_balancer_errors_total") == before + 1


@pytest.mark.parametrize("kind", GOOD)
def test_nobody_else_is_believed(front, kind):
    """It is something that is said before the greeting: 554, as to all who do so, and closed. Each comes from elsewhere: they have offended."""
    client = connect(front, f"192.0.2.{100 + list(GOOD).index(kind)}", GOOD[kind][0])
    assert client.reply().startswith("554 5.5.0") and re.fullmatch(GONE, client.reply())
    client.close()


def test_a_stranger_needs_no_header(front):
    assert is_client(deliver(front, Session(front, STRANGER)), STRANGER)


def test_who_speaks_behind_the_header_has_spoken_before_the_greeting(front):
    client = connect(front, first=v2() + b"EHLO early.example\r\n")
    assert client.reply().startswith("554 5.5.0")
    client.close()


def test_a_header_comes_once(front):
    session = Session(front, first=v2(), source=BALANCER)
    assert session.ask(v1(f"TCP4 127.0.0.1 {GATEWAY4} 40000 25")[:-2]).startswith("5")
    assert is_client(deliver(front, session), REAL4)


def test_what_follows_is_about_the_real_client(front):
    """Its reputation, what is counted against it, and what an operator is told; the balancer's is as good as before."""
    listed = next(front.guard.bad)
    session = connect(front, first=v1(f"TCP4 {listed} {GATEWAY4} 40000 25"))
    refusal = session.reply()
    assert refusal.startswith("554 5.7.1"), refusal
    session.close()
    wait_until(lambda: listed in front.lab.ctl("why", listed).out and "offended 1 time" in front.lab.ctl("why", listed).out, 5, "the offence")
    assert "offended" not in front.lab.ctl("why", BALANCER).out
    assert is_client(deliver(front, Session(front, BALANCER, first=v2())), REAL4)
    assert "learned" in front.lab.ctl("block", "del", listed).out, "it is forgiven before it is blocked"
    assert "offended" not in front.lab.ctl("why", listed).out
    assert "is not on" in front.lab.ctl("block", "del", listed, check=False).err


def test_a_balancer_on_an_allow_list_has_no_limit(front):
    """The kernel sees it alone, whoever its clients are."""
    front.lab.ctl("limits", "set", "conn-source", 3)
    try:
        with opened(front, BALANCER, 3):
            wait_until(lambda: front.lab.connect(BALANCER) == "timeout", 5, "a limit that is reached")
            front.lab.ctl("allow", "add", BALANCER)
            sessions = [Session(front, BALANCER, first=v1(f"TCP4 198.51.100.{number} {GATEWAY4} 40000 25")) for number in range(220, 226)]
            assert all(is_client(deliver(front, session), f"198.51.100.{number}") for number, session in enumerate(sessions, 220))
    finally:
        front.lab.ctl("allow", "del", BALANCER, check=False)
        front.lab.ctl("limits", "set", "conn-source", "default")


@pytest.fixture
def allowed_balancer(front):
    """As the manual says to do it. There are no limits but those that a test sets."""
    front.lab.ctl("allow", "add", BALANCER)
    yield
    for limit in ("burst-source", "rate-source", "conn-source"):
        front.lab.ctl("limits", "set", limit, "default")
    front.lab.ctl("allow", "del", BALANCER)


def named(front, source):
    """A client that the balancer names, and what it is told first."""
    client = connect(front, first=v1(f"TCP4 {source} {GATEWAY4} 40000 25"))
    return client, client.reply()


def close(clients):
    for client in clients:
        client.close()


@pytest.mark.usefixtures("allowed_balancer")
def test_connections_of_the_real_client_are_limited(front):
    """Whichever worker has them. Another client of the balancer gets in, and so does this one when one of its connections has ended."""
    source, other = "198.51.100.190", "198.51.100.191"
    front.lab.ctl("limits", "set", "conn-source", 50)
    before = refused(front, "limit")
    clients = [connect(front, first=v1(f"TCP4 {source} {GATEWAY4} 40000 25")) for _ in range(50)]
    assert {client.reply()[:3] for client in clients} == {"220"}
    late, told = named(front, source)
    assert told.startswith("421 4.7.0") and re.fullmatch(GONE, late.reply()), told
    assert refused(front, "limit") == before + 1
    row = front.lab.ctl("why", re.search(r"lookup id (\S+)\)", told).group(1), "--json").json["refusals"][0]
    assert (row["source"], row["reason"], row["detail"]) == (source, "limit", "conn-source"), row
    another, told = named(front, other)
    assert told.startswith("220")
    clients.pop().close()
    wait_until(lambda: named(front, source)[1].startswith("220"), 5, "a place that is free again")
    close([*clients, late, another])


@pytest.mark.usefixtures("allowed_balancer")
def test_the_rate_of_the_real_client_is_limited(front):
    source, other = "198.51.100.192", "198.51.100.193"
    front.lab.ctl("limits", "set", "rate-source", 1)
    front.lab.ctl("limits", "set", "burst-source", 3)
    clients = [connect(front, first=v1(f"TCP4 {source} {GATEWAY4} 40000 25")) for _ in range(12)]
    told = [client.reply()[:9] for client in clients]
    assert told.count("220 mx.ow") >= 3 and told.count("421 4.7.0") >= 1 and len(set(told)) == 2, told
    another, told = named(front, other)
    assert told.startswith("220")
    close([*clients, another])


@pytest.mark.usefixtures("allowed_balancer")
def test_lists_are_about_the_real_client(front):
    """A block list refuses it, and an allow list frees it of limits."""
    blocked, friend = "198.51.100.194", "198.51.100.195"
    front.lab.ctl("block", "add", blocked, "--list", "rude")
    front.lab.ctl("limits", "set", "conn-source", 1)
    client, told = named(front, blocked)
    assert told.startswith("554 5.7.1"), told
    row = front.lab.ctl("why", re.search(r"lookup id (\S+)\)", told).group(1), "--json").json["refusals"][0]
    assert (row["source"], row["reason"], row["detail"]) == (blocked, "listed", "rude"), row
    first, told = named(front, friend)
    second, again = named(front, friend)
    assert told.startswith("220") and again.startswith("421 4.7.0")
    front.lab.ctl("allow", "add", friend)
    third, told = named(front, friend)
    assert told.startswith("220"), told
    close([client, first, second, third])
    front.lab.ctl("allow", "del", friend)
    front.lab.ctl("block", "del", blocked)
    client, told = named(front, blocked)
    assert told.startswith("220"), told
    client.close()


@pytest.mark.usefixtures("allowed_balancer")
def test_what_was_learned_is_about_the_real_client(front):
    """Who offends twice is blocked, as one whom the kernel sees would be."""
    source = "198.51.100.196"
    for _ in range(2):
        client = connect(front, first=v1(f"TCP4 {source} {GATEWAY4} 40000 25") + b"EHLO early.example\r\n")
        assert client.reply().startswith("554 5.5.0")
        client.close()
    wait_until(lambda: "learned" in front.lab.ctl("why", source).out, 5, "the block")
    client, told = named(front, source)
    assert told.startswith("554 5.7.1 your address is blocked"), told
    client.close()
    assert is_client(deliver(front, Session(front, BALANCER, first=v2())), REAL4)


@pytest.mark.usefixtures("allowed_balancer")
def test_monitor_mode_lets_the_real_client_in(front):
    source = "198.51.100.197"
    front.lab.ctl("limits", "set", "conn-source", 1)
    front.lab.ctl("monitor", "on")
    try:
        (first, told), (second, again) = named(front, source), named(front, source)
        assert told.startswith("220") and again.startswith("220"), again
        assert front.guard.metric("postern_smtp_admission_watched_total") == 1
        close([first, second])
    finally:
        front.lab.ctl("monitor", "off")


HAPROXY = """\
global
  maxconn 200
  stats socket {directory}/haproxy.sock
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  source {source}
{sections}"""
SECTION = """\
listen {name}
  bind {host}:{port}
  bind [{host6}]:{port}
  option smtpchk EHLO balancer.example
  server gateway {gateway}:25 {words} check inter 500
"""
ENTRY, ENTRY6 = "192.0.2.82", "2001:db8:ba1:2::82"
KINDS = {"send-proxy": 2525, "send-proxy-v2": 2526, "send-proxy-v2 proxy-v2-options crc32c,unique-id": 2527}


@pytest.fixture(scope="module")
def haproxy(front):
    """Takes clients in the internet, and hands them on to the gateway from the balancer's address."""
    directory = front.lab.directory / "haproxy"
    directory.mkdir()
    sections = "".join(SECTION.format(name=f"kind{port}", host=ENTRY, host6=ENTRY6, port=port, gateway=GATEWAY4, words=words) for words, port in KINDS.items())
    (directory / "conf").write_text(HAPROXY.format(directory=directory, source=BALANCER, sections=sections))
    with open(directory / "log", "w") as log:
        process = front.lab.start(front.lab.internet, "/usr/sbin/haproxy", "-db", "-f", directory / "conf", stdout=log, stderr=log)
    wait_until(lambda: servers.listens(front.lab, 2525, front.lab.internet), 20, "HAProxy")
    yield directory / "haproxy.sock"
    process.terminate()
    process.wait(20)


@pytest.mark.parametrize("source", [REAL4, REAL6])
@pytest.mark.parametrize("kind", KINDS)
def test_haproxy(front, haproxy, kind, source):
    assert haproxy and is_client(deliver(front, Session(front, source, place=(ENTRY6 if ":" in source else ENTRY, KINDS[kind]))), source)


def test_haproxy_finds_the_gateway_well(front, haproxy):
    """Its checks speak SMTP; they are the balancer's own connections, and nobody's offence."""
    def states():
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(haproxy))
            control.sendall(b"show stat\n")
            rows = [line.split(",") for line in b"".join(iter(lambda: control.recv(65536), b"")).decode().splitlines()]
        return {row[0]: (row[17], row[36]) for row in rows[1:] if len(row) > 36 and row[1] == "gateway"}
    wait_until(lambda: set(state[1] for state in states().values()) == {"L7OK"}, 10, "checks that have passed")
    assert {state[0] for state in states().values()} == {"UP"}
    assert "offended" not in front.lab.ctl("why", BALANCER).out
