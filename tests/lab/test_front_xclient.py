# SPDX-License-Identifier: GPL-2.0-only
"""XCLIENT to servers that do not take every client, or do not take it at all: nobody else is the worse for it."""
import itertools
import re

import pytest

from frontbed import BACKENDS, Backend, Front
from frontclient import MAIL, RCPT, Session
from lab import Lab, wait_until

MANY = 6  # more than the failures in a row that take a server out
CLIENTS4 = [f"203.0.113.{number}" for number in range(30, 30 + MANY)]
CLIENTS6 = [f"2001:db8:900d:{number}::25" for number in range(1, 1 + MANY)]
XCLIENT = [f"{host}:25 xclient" for host in BACKENDS]


@pytest.fixture(scope="module")
def front():
    """One server without IPv6; another that takes every client, unless a test wants it to take none."""
    with Lab("frontxclient") as lab:
        made = Front(lab, backends="none")
        made.old = Backend(lab, 0, inet_protocols="ipv4")
        made.new = Backend(lab, 1, smtpd_authorized_xclient_hosts="$xclient_hosts", xclient_hosts="10.77.0.0/16, 10.79.0.0/24, 127.0.0.0/8")
        made.backends = [made.old, made.new]
        yield made


@pytest.fixture
def started(front):
    def start(*rows):
        front.start(smtp={"backends": rows, "workers": 1})
        wait_until(lambda: all(row["up"] or row["why"] for row in states(front).values()), 10, "the first dialogues")
        return front
    yield start
    front.end()


def states(front):
    return {row["name"].split(":")[0]: row for row in front.lab.ctl("status", "--json").json["smtp"]["backends"]}


def send(front, source, subject="a mail"):
    """What MAIL, RCPT and the message are answered, as far as it goes."""
    session = Session(front, source)
    told = [session.ask(MAIL), session.ask(RCPT)]
    if told[1].startswith("250"):
        told.append(session.data(f"Subject: {subject}\r\n\r\ntext\r\n".encode()))
    session.close()
    return told


def is_taken(told):
    return len(told) == 3 and all(reply.startswith("250") for reply in told)


def clients(backend):
    """Whom the server thinks it was talking to."""
    return set(re.findall(r"smtpd.* client=\S+\[(\S+)\]", backend.log))


def test_without_ipv6_there_is_another_server(started):
    front = started(*XCLIENT)
    assert all(is_taken(send(front, source)) for source in CLIENTS6)
    assert set(CLIENTS6) <= clients(front.new) and not set(CLIENTS6) & clients(front.old)
    assert all(row["up"] for row in states(front).values()), states(front)
    assert not front.lab.log("backend.down")


def test_without_ipv6_and_another_server_only_ipv6_waits(started):
    """However many come: in between, and afterwards, all others are served."""
    front = started(XCLIENT[0])
    for sources4 in ([], CLIENTS4):
        for source4, source6 in itertools.zip_longest(sources4, CLIENTS6):
            told = send(front, source6)
            assert told[0].startswith("451 4.4.1"), told
            assert source4 is None or is_taken(send(front, source4))
    assert states(front)[BACKENDS[0]]["up"] and not front.lab.log("backend.down")
    assert set(CLIENTS4) <= clients(front.old)


def test_the_reason_is_shown(started):
    front = started(XCLIENT[0])
    assert send(front, CLIENTS6[0])[0].startswith("451")
    row = states(front)[BACKENDS[0]]
    assert row["up"] and "XCLIENT: 5.5.4" in row["why"] and row["failures"] == 1, row
    assert "XCLIENT: 5.5.4" in front.lab.ctl("status").out


def unset(backend):
    """As Postfix is by default. It is started anew: after a reload who serves already still goes by what there was."""
    path = backend.directory / "main.cf"
    path.write_text(path.read_text().replace("smtpd_authorized_xclient_hosts = $xclient_hosts", "smtpd_authorized_xclient_hosts ="))
    backend.kill()
    backend.start()


def test_who_may_not_say_it_hands_on_nothing(front, started):
    """The client would be the gateway, from which anything is taken: there is no mail, and the other server gets all."""
    unset(front.new)
    started(*XCLIENT)
    before = len(front.new.files())
    assert all(is_taken(send(front, source, "for the old one")) for source in CLIENTS4)
    wait_until(lambda: sum(b"for the old one" in octets for octets in front.old.files()) == MANY, 10, "the mails")
    row = states(front)[BACKENDS[1]]
    assert len(front.new.files()) == before and "XCLIENT: not offered" in row["why"], row
