# SPDX-License-Identifier: GPL-2.0-only
"""What EHLO offers is what Postern does and every server behind it does, too: two Postfix, of which one has less to offer.

A front that offers what a server lacks loses mail; of a server that is down nothing is taken away.
"""
import os
import signal

import pytest

import frontsenders
from frontbed import Backend, Front
from frontclient import Session
from lab import Lab, wait_until

SIZE = 2000000
EXTENSIONS = {"8BITMIME", "SMTPUTF8", "DSN"}
ALWAYS = {"PIPELINING", "CHUNKING", "ENHANCEDSTATUSCODES", "STARTTLS"}


@pytest.fixture(scope="module")
def front():
    with Lab("offers") as lab:
        made = Front(lab, backends="none")
        poor = Backend(lab, 0, smtpd_discard_ehlo_keywords="8bitmime, smtputf8, dsn, chunking, pipelining, enhancedstatuscodes", message_size_limit=SIZE)
        made.backends = [poor, Backend(lab, 1)]
        made.start(smtp={"workers": 1})
        made.states = lambda: [row["up"] for row in lab.ctl("status", "--json").json["smtp"]["backends"]]
        wait_until(lambda: all(made.states()), 10, "both servers")
        yield made


def offers(front):
    """{keyword: its parameter}"""
    session = Session(front)
    words = [line[4:].partition(" ") for line in session.offers.split(" | ")[1:]]
    session.close()
    return {keyword: parameter for keyword, _, parameter in words}


def test_only_what_all_have(front):
    found = offers(front)
    assert ALWAYS <= set(found) and not EXTENSIONS & set(found), found
    assert found["SIZE"] == str(SIZE), found


@pytest.mark.parametrize("parameters", [" BODY=8BITMIME SMTPUTF8", " RET=HDRS", " SMTPUTF8"])
def test_what_is_not_offered_is_refused(front, parameters):
    session = Session(front)
    reply = session.ask(f"MAIL FROM:<sender@addressed.example>{parameters}")
    assert reply.startswith("555 5.5.4"), reply
    session.close()


def test_chunks_for_a_server_that_has_none(front):
    """The message is whole before it goes on, so it is DATA for who wants that; it arrives wherever it goes."""
    path = front.lab.directory / "mail"
    for number in range(12):
        octets = frontsenders.message(path, f"chunks{number:02d}x", b".\r\n..dots\r\n" * 1000)
        session = Session(front)
        session.mail()
        assert session.chunks(octets, 999).startswith("250")
        session.close()
        assert front.wait_for_mail(f"chunks{number:02d}x")[0].endswith(octets.replace(b"\r\n", b"\n"))
    assert all(backend.files() for backend in front.backends)  # both have got some


def test_a_server_that_is_down_takes_nothing_away(front):
    poor = front.backends[0]
    os.killpg(poor.process.pid, signal.SIGKILL)  # its children, too, which have the listening socket
    poor.process.wait()
    wait_until(lambda: Session(front).mail() and front.states() == [False, True], 15, "the end of service of one")
    found = offers(front)
    assert ALWAYS | EXTENSIONS <= set(found) and int(found["SIZE"]) > SIZE, found
