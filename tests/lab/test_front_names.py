# SPDX-License-Identifier: GPL-2.0-only
"""Host names that clients choose: what a PTR record says goes into no header, no XCLIENT, no log and no terminal unless it is a host
name that leads back to the client (CVE-2026-28753).

Each row is a client of its own, which sends one mail. The names are served by nsd, octet for octet.
"""
import json
import re
import socket

import pytest

import world
from frontbed import SENDER, Front
from frontclient import Session
from lab import Lab
from wire import inside

NETWORK, ZONE = "198.19.77", "hostile.test"
LONG = ".".join([*(letter * 63 for letter in "abc"), "d" * 48, ZONE])  # 255 octets in a message
# {what it is: (names as a zone file has them, who they lead to: the client, somebody else, or nobody; what is believed)}
CLIENT, OTHER, NOBODY = "client", "10.79.0.1", ""
NAMES = {
    "a good name": (f"mail.{ZONE}", CLIENT, f"mail.{ZONE}"),
    "a name of 255 octets": (LONG, CLIENT, LONG),
    "an underscore": (f"a_b.{ZONE}", CLIENT, f"a_b.{ZONE}"),
    "CR LF": (f"evil\\013\\010RCPT.{ZONE}", CLIENT, ""),
    "CR LF and a header": (f"evil\\013\\010X-Forged:\\032yes.{ZONE}", CLIENT, ""),
    "a blank": (f"evil\\032name.{ZONE}", CLIENT, ""),
    "a blank and an attribute": (f"evil\\032LOGIN=admin.{ZONE}", CLIENT, ""),
    "a quote": (f"evil\\\"name.{ZONE}", CLIENT, ""),
    "a backslash": (f"evil\\\\name.{ZONE}", CLIENT, ""),
    "an end of a comment": (f"evil\\)\\009by\\009mx.{ZONE}", CLIENT, ""),
    "8-bit": (f"\\195\\188ber\\255.{ZONE}", CLIENT, ""),
    "NUL": (f"evil\\000name.{ZONE}", CLIENT, ""),
    "an escape sequence": (f"\\027[31mred\\027]0\\;title\\007.{ZONE}", CLIENT, ""),
    "a script": (f"<script>alert\\(1\\)</script>.{ZONE}", CLIENT, ""),
    "a dot in a label": (f"evil\\.name\\032.{ZONE}", CLIENT, ""),
    "xtext": (f"evil+0D+0A.{ZONE}", CLIENT, ""),
    "a format": (f"%s%n%s.{ZONE}", CLIENT, ""),
    "a star": (f"*.{ZONE}", CLIENT, ""),
    "a hyphen in front": (f"-evil.{ZONE}", CLIENT, ""),
    "looks like IPv6": (f"2001:db8::1.{ZONE}", CLIENT, ""),
    "IPv6 for XCLIENT": ("IPV6:2001:db8::1", NOBODY, ""),
    "an address": ("127.0.0.1", NOBODY, ""),
    "a literal": ("[127.0.0.1]", NOBODY, ""),
    "localhost": ("localhost", NOBODY, ""),
    "localhost.localdomain": ("localhost.localdomain", NOBODY, ""),
    "below localhost": ("mail.localhost", NOBODY, ""),
    "the word for none": ("[UNAVAILABLE]", NOBODY, ""),
    "a name of the reverse tree": ("1.0.0.127.in-addr.arpa", NOBODY, ""),
    "one label": ("unknown", NOBODY, ""),
    "the root": (".", NOBODY, ""),
    "the backend's name, which leads to it": (f"backend.{ZONE}", OTHER, ""),
    "our own name, which leads nowhere": ("mx.own.example", NOBODY, ""),
    "a name that does not exist": (f"nobody.{ZONE}", NOBODY, ""),
}
ADDRESSES = {kind: f"{NETWORK}.{number}" for number, kind in enumerate(NAMES, 10)}
PRINTABLE = re.compile(r"[\n -~]*")
ATTRIBUTE = r"[!-<>-~]+"  # of XCLIENT: no blank, and no "="


def zones():
    """The reverse zone, and what the names lead to."""
    rows = [(name, ADDRESSES[kind], ADDRESSES[kind] if leads == CLIENT else leads) for kind, (name, leads, _) in NAMES.items()]
    absolute = lambda name: name if name.endswith(".") else f"{name}."
    reverse = "".join(f"{address.rsplit('.', 1)[1]} IN PTR {absolute(name)}\n" for name, address, _ in rows)
    forward = "".join(f"{absolute(name)} IN A {leads}\n" for name, _, leads in rows if leads)
    return {f"{'.'.join(reversed(NETWORK.split('.')))}.in-addr.arpa": reverse, ZONE: forward}


@pytest.fixture(scope="module")
def front():
    with Lab("frontnames") as lab:
        made = Front(lab, backends="sink", zones=zones())
        made.start(smtp={"backends": ["10.79.0.1:25 xclient"]})
        yield made


@pytest.fixture(scope="module")
def arrived(front):
    """{kind: what the sink knows of its mail}; all sessions are over."""
    for kind, address in ADDRESSES.items():
        session = Session(front, address)
        session.mail()
        assert session.data(f"Subject: {kind}\r\n\r\ntext\r\n".encode()).startswith("250"), kind
        session.ask("QUIT")
        session.close()
    rows = front.backends[0].messages()
    assert len(rows) == len(NAMES)
    return {re.search(r"\r\nSubject: (.*)\r\n", row["octets"])[1]: row for row in rows}


def wire(name):
    """A name of a zone file as it is in a message (RFC 1035 3.1, 5.1)."""
    octets = re.findall(r"\\\d{3}|\\.|.", name.removesuffix("."))
    plain = [bytes([int(octet[1:])]) if octet[1:].isdigit() and octet[0] == "\\" else octet[-1:].encode() for octet in octets]
    labels, label = [], b""
    for octet, one in zip([*octets, "."], [*plain, b""]):
        if octet == ".":
            labels, label = [*labels, label], b""
        else:
            label += one
    return b"".join(bytes([len(label)]) + label for label in labels if label) + b"\0"


def resolved(front, name, kind):
    """The gateway's resolver's answer as it comes."""
    with inside(front.lab.gateway), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(10)
        asker.sendto(b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + name + bytes([0, kind, 0, 1]), (world.RESOLVER, 53))
        return asker.recv(4096)


@pytest.mark.parametrize("kind", NAMES)
def test_the_names_are_served_as_they_are(front, kind):
    """Else what follows would show nothing: it is in the answer, and leads where it should."""
    name, leads, _ = NAMES[kind]
    address = ADDRESSES[kind]
    answer = resolved(front, wire(".".join(reversed(address.split("."))) + ".in-addr.arpa"), 12)
    label = wire(name)[:wire(name)[0] + 1]
    assert answer[6:8] == b"\0\1" and label.lower() in answer.lower(), answer
    if leads:
        assert socket.inet_aton(address if leads == CLIENT else leads) in resolved(front, wire(name), 1)


@pytest.mark.parametrize("kind", NAMES)
def test_headers(arrived, kind):
    expected, address = NAMES[kind][2] or "unknown", ADDRESSES[kind]
    head = arrived[kind]["octets"].partition("\r\n\r\n")[0] + "\r\n"
    received = re.findall(r"^Received: (.*\r\n(?:\t.*\r\n)*)", head, re.M)
    assert len(received) == 1, head
    assert received[0].startswith(f"from mail.{SENDER}\r\n\t({expected} [{address}])\r\n\tby mx.own.example (Postern)\r\n"), received
    fields = [line.split(":")[0] for line in head.split("\r\n") if line and line[0] not in " \t"]
    assert set(fields) <= {"Received", "Received-SPF", "Authentication-Results", "X-Postern", "Subject"}, fields
    assert all(len(line) <= 998 for line in head.split("\r\n")) and PRINTABLE.fullmatch(re.sub(r"[\t\r]", "", head)), head


@pytest.mark.parametrize("kind", NAMES)
def test_xclient(arrived, kind):
    expected, address = NAMES[kind][2] or "[UNAVAILABLE]", ADDRESSES[kind]
    line = arrived[kind]["client"]
    said = re.fullmatch(rf"XCLIENT ADDR={re.escape(address)} PORT=\d+ NAME=({ATTRIBUTE}) HELO=mail.{SENDER} PROTO=ESMTP LOGIN=\[UNAVAILABLE\]", line)
    assert said and said[1] == expected and len(line) <= 510, line


@pytest.mark.parametrize("kind", NAMES)
def test_log(front, arrived, kind):
    assert arrived
    assert PRINTABLE.fullmatch(front.lab.log_path.read_bytes().decode("latin-1"))
    rows = [row for row in front.lab.log() if row.get("source") == ADDRESSES[kind]]
    assert [row["host"] for row in rows if row["event"] == "smtp.session"] == [NAMES[kind][2]], rows
    assert "forged" not in json.dumps(rows).lower()


@pytest.mark.parametrize("kind", NAMES)
def test_what_an_operator_sees(front, arrived, kind):
    """A name that is none is not shown; one that leads elsewhere is called unconfirmed."""
    assert arrived
    for command in (("why",), ("check", "ip")):
        said = front.lab.ctl(*command, ADDRESSES[kind], check=False).out
        assert ADDRESSES[kind] in said and PRINTABLE.fullmatch(said), said
        rdns = front.lab.ctl(*command, ADDRESSES[kind], "--json", check=False).json
        found = json.dumps(rdns)
        assert not re.search(r"\\u00|\\r|\\n|<script|evil", found), found
        assert ("unconfirmed" in found or "rdns-missing" in found) == (not NAMES[kind][2]), found


# {name in EHLO: (as XCLIENT has it, in xtext of RFC 3461 4; as Received has it)}
HELLOS = {
    "a+b=c.example": ("a+2Bb+3Dc.example", "a?b?c.example"), "x)\\(by=evil.example": ("x)\\(by+3Devil.example", "x???by?evil.example"),
    "a+20LOGIN=admin": ("a+2B20LOGIN+3Dadmin", "a?20LOGIN?admin"), "<script>.example": ("<script>.example", "?script?.example"),
    "%s%n.example": ("%s%n.example", "?s?n.example"), "[IPv6:2001:db8::1]": ("[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"), "x" * 253: ("x" * 253, "x" * 253),
}


@pytest.mark.parametrize("hello", HELLOS)
def test_what_a_client_calls_itself(front, hello):
    """It is a client's choice, too: encoded for the server behind, and cleaned in a header."""
    session, token = Session(front, ADDRESSES["a good name"], hello=hello), f"hello{list(HELLOS).index(hello)}x"
    session.mail()
    assert session.data(f"Subject: {token}\r\n\r\ntext\r\n".encode()).startswith("250")
    session.ask("QUIT")
    session.close()
    row = next(row for row in front.backends[0].messages() if token in row["octets"])
    encoded, cleaned = HELLOS[hello]
    assert f" HELO={encoded} PROTO=ESMTP" in row["client"] and re.fullmatch(rf"XCLIENT(?: [A-Z]+={ATTRIBUTE})+", row["client"]), row
    assert re.search(rf"^Received: from {re.escape(cleaned)}\r\n\t\(", row["octets"], re.M), row
    assert PRINTABLE.fullmatch(front.lab.log_path.read_bytes().decode("latin-1"))
