# SPDX-License-Identifier: GPL-2.0-only
"""Mode proxy in front of two Postfix: real senders, and messages of every kind, which arrive octet for octet."""
import concurrent.futures
import itertools
import subprocess

import pytest

import frontsenders
import senders
from frontbed import BACKENDS, OWN, SENDER, USER, Front
from frontclient import Session, refused
from lab import GATEWAY4, GATEWAY6, Failed, Lab

NUMBERS = itertools.count()
MEGABYTE = b"0123456789abcdef" * 4 + b"\r\n"
BODIES = {
    "empty": b"",
    "one line": b"text\r\n",
    "dots": b".\r\n..\r\n...\r\n.text\r\n. \r\n",
    "8-bit": bytes(range(128, 256)) + b"\r\n" + "Grüße\r\n".encode(),
    "NUL": b"a\0b\r\n\0\0\r\nend\r\n",
    "lines of 998 octets": (b"x" * 998 + b"\r\n") * 20,
    "a body without a line's end before its dot": b"\r\n",
    "25 MB": MEGABYTE * (25 * (1 << 20) // len(MEGABYTE)),
}


@pytest.fixture(scope="module")
def front():
    with Lab("frontmail") as lab:
        made = Front(lab)
        made.start()
        yield made


@pytest.fixture
def token():
    return f"mail{next(NUMBERS):04d}x"


def ways(front):
    return {"IPv4": senders.Way(front.lab.internet, "203.0.113.25", GATEWAY4),
            "IPv6": senders.Way(front.lab.internet, "2001:db8:900d:25::25", GATEWAY6)}


def arrived(front, token, octets, number=1):
    """Below what was put before it, each copy is the message."""
    found = front.wait_for_mail(token, number)
    assert len(found) == number
    for copy in found:
        assert copy.endswith(octets.replace(b"\r\n", b"\n")), (copy[-300:], octets[-300:])
        assert b"Received: from" in copy
    return found


# Mail servers take a second of CPU each: each of their ports is tried by one family, each family on two ports.
HEAVY = {"Postfix": {"25": "IPv4", "25s": "IPv6", "587": "IPv6", "465": "IPv4"}, "Exim": {"25": "IPv6", "25s": "IPv4", "587": "IPv4", "465": "IPv6"}}
DELIVERIES = [(name, port, family) for name in frontsenders.SENDERS for port in frontsenders.PORTS for family in ("IPv4", "IPv6")
              if family == HEAVY.get(name, {}).get(port, family)]


@pytest.fixture(scope="module")
def sent(front):
    """What all senders were told, side by side: {delivery: (token, octets, None or why it failed)}."""
    def send(delivery):
        name, port, family = delivery
        token = f"real-{name}-{port}-{family}-x"
        path = front.lab.directory / token
        octets = frontsenders.message(path, token, b"The text.\r\n.\r\n..two dots\r\n" + "Grüße\r\n".encode())
        try:
            frontsenders.SENDERS[name](front.lab, ways(front)[family], port, path)
        except (Failed, subprocess.SubprocessError) as failed:
            return token, octets, failed
        return token, octets, None
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        return dict(zip(DELIVERIES, pool.map(send, DELIVERIES)))


@pytest.mark.parametrize("delivery", DELIVERIES, ids="-".join)
def test_real_senders(front, sent, delivery):
    token, octets, failed = sent[delivery]
    assert not failed, failed
    found = front.wait_for_mail(token)
    body = octets.partition(b"\r\n\r\n")[2].replace(b"\r\n", b"\n").strip(b"\n")
    assert len(found) == 1 and found[0].rstrip(b"\n").endswith(body), found  # swaks adds an empty line


@pytest.mark.parametrize("way", ["DATA", "BDAT"])
@pytest.mark.parametrize("kind", list(BODIES))
def test_octet_for_octet(front, token, tmp_path, kind, way):
    octets = frontsenders.message(tmp_path / "mail", token, BODIES[kind])
    session = Session(front)
    session.mail(parameters=" BODY=8BITMIME")
    reply = session.data(octets) if way == "DATA" else session.chunks(octets, 1 << 20)
    assert reply.startswith("250"), reply
    arrived(front, token, octets)


def test_one_session_many_messages(front, tmp_path):
    session = Session(front)
    for number in range(20):
        octets = frontsenders.message(tmp_path / "mail", f"series{number:02d}x")
        session.mail()
        assert session.data(octets).startswith("250")
    for number in range(20):
        front.wait_for_mail(f"series{number:02d}x")


def test_a_hundred_recipients_with_mixed_outcomes(front, token, tmp_path):
    """Each is told the truth: taken, try again, nobody of that name, not here."""
    session = Session(front)
    kinds = [(f"user{number}@{OWN}", "250") for number in range(97)] + [(f"temp@{OWN}", "450"), (f"perm@{OWN}", "550"), ("x@elsewhere.example", "550")]
    told = session.mail([to for to, _ in kinds])
    assert [reply[:3] for reply in told] == [code for _, code in kinds]
    assert "try again later" in told[97] and "nobody of that name" in told[98]
    octets = frontsenders.message(tmp_path / "mail", token)
    assert session.data(octets).startswith("250")
    arrived(front, token, octets, 97)


def test_all_recipients_refused(front):
    session = Session(front)
    assert [reply[:3] for reply in session.mail([f"perm@{OWN}", f"temp@{OWN}"])] == ["550", "450"]
    assert session.ask("DATA")[0] == "5"


def test_utf8_addresses(front, token, tmp_path):
    session = Session(front)
    assert "SMTPUTF8" in session.offers
    session.says(f"MAIL FROM:<bücher@{SENDER}> SMTPUTF8 BODY=8BITMIME", "250")
    session.says(f"RCPT TO:<empfänger@{OWN}>", "250")
    octets = frontsenders.message(tmp_path / "mail", token, "Grüße\r\n".encode())
    assert session.data(octets).startswith("250")
    assert "bücher".encode() in arrived(front, token, octets)[0]


def test_the_server_knows_the_client(front, token, tmp_path):
    """By XCLIENT: its log and its own Received header name the sender."""
    session = Session(front, "203.0.113.99")
    session.mail()
    assert session.data(frontsenders.message(tmp_path / "mail", token)).startswith("250")
    front.wait_for_mail(token)
    assert any("[203.0.113.99]" in backend.log for backend in front.backends)


def test_forged_results_are_removed(front, token, tmp_path):
    """RFC 8601 5: what bears our name and is not ours."""
    octets = frontsenders.message(tmp_path / "mail", token)
    session = Session(front)
    session.mail()
    forged = b"Authentication-Results: mx.own.example; spf=pass smtp.mailfrom=forged.example\r\n"
    foreign = b"Authentication-Results: mx.elsewhere.example; spf=pass smtp.mailfrom=foreign.example\r\n"
    assert session.data(forged + foreign + octets).startswith("250")
    copy = front.wait_for_mail(token)[0]
    assert b"forged.example" not in copy and b"foreign.example" in copy


def test_who_tries_addresses_harms_nobody(front):
    """Postfix ends a connection after 20 errors: other clients do not notice, whoever made them; and there is a budget."""
    front.reload(smtp={"backends": [f"{BACKENDS[0]}:25"], "unknown-ttl": 0})
    for number in range(14):
        for host in range(3):
            told = Session(front, f"203.0.113.{110 + host}").mail([f"perm@{OWN}"] * 3)  # of 20, so that the last one is in the middle
            assert all(reply.startswith("550") for reply in told), (number, told)
        assert Session(front, "203.0.113.120").mail()[0].startswith("250")
    told = Session(front, "203.0.113.110").mail([f"perm@{OWN}"] * 12 + [USER])
    assert [reply[:3] for reply in told] == ["550"] * 8 + ["450"] * 5 and "unknown recipients" in told[-1], told
    assert Session(front, "203.0.113.120").mail()[0].startswith("250")
    assert refused(front, "limit") == 5
    front.reload()
