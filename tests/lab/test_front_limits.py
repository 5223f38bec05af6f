# SPDX-License-Identifier: GPL-2.0-only
"""The limits of a session of mode proxy: each is refused where it is documented, and counted."""
import socket
import time

import pytest

from frontbed import OWN, SENDER, Front, dialogue
from frontclient import MAIL, RCPT, refused
from lab import GATEWAY4, Lab, wait_until
from wire import inside

PATIENCE = 2  # of the server, in seconds, with a command and with a piece of a message
GIVE_UP = 25  # seconds, for what has no end


@pytest.fixture(scope="module")
def front():
    with Lab("frontlimits") as lab:
        made = Front(lab, backends="sink")
        made.start(dnsbl={"domains": ["dbl.test*10"]},
                   smtp={"size-max": 100000, "recipients-max": 100, "errors-max": 5, "commands-max": 10,
                         "timeout-command": PATIENCE, "timeout-data": PATIENCE, "timeout-session": 10, "rate-min": 0})
        yield made


def test_size(front):
    assert dialogue(front, "203.0.113.56", f"{MAIL} SIZE=100001")[0].startswith("552 5.3.4")
    said = dialogue(front, "203.0.113.56", MAIL, RCPT, "DATA", ("x" * 900 + "\r\n") * 150 + ".")
    assert said[2].startswith("354") and said[3].startswith("552 5.3.4"), said


def test_recipients(front):
    said = dialogue(front, "203.0.113.57", MAIL, *[f"RCPT TO:<user{number}@{OWN}>" for number in range(101)])
    assert all(line.startswith("250") for line in said[:101]) and said[101].startswith("452 4.5.3"), said[100:]


def test_errors(front):
    said = dialogue(front, "203.0.113.58", *["WRONG"] * 8)
    assert any(line.startswith("421") for line in said) and said[-1] == "", said


def test_commands_that_lead_to_nothing(front):
    said = dialogue(front, "203.0.113.59", *["NOOP"] * 14)
    assert any(line.startswith("421") for line in said) and said[-1] == "", said


def ends(front, source, *lines, each=None):
    """Seconds until the server has ended a session that goes silent after these lines, or sends `each` every tenth of a second."""
    with inside(front.lab.internet), socket.create_connection((GATEWAY4, 25), 10, (source, 0)) as client:
        for line in lines:
            client.recv(4096)
            client.sendall(line.encode() + b"\r\n")
        if each:
            client.recv(4096)  # what is sent before the reply is another fault
        begin = time.monotonic()
        client.settimeout(0.1 if each else 20)
        while time.monotonic() - begin < GIVE_UP:
            try:
                if each:
                    client.sendall(each)
                if not client.recv(4096):
                    return time.monotonic() - begin
            except socket.timeout:
                continue
            except ConnectionError:
                return time.monotonic() - begin
    return GIVE_UP


def test_silence(front):
    assert PATIENCE * 0.9 < ends(front, "203.0.113.60", f"EHLO mail.{SENDER}") < 5
    assert PATIENCE * 0.9 < ends(front, "203.0.113.61", f"EHLO mail.{SENDER}", MAIL, RCPT, "DATA") < 5


def test_an_octet_now_and_then_does_not_hold_a_session(front):
    """Whoever never ends a line is ended by the time of a command; whoever never ends a message by that of a session."""
    assert PATIENCE * 0.9 < ends(front, "203.0.113.62", f"EHLO mail.{SENDER}", each=b"x") < 6
    assert PATIENCE < ends(front, "203.0.113.63", f"EHLO mail.{SENDER}", MAIL, RCPT, "DATA", each=b"x\r\n") < 14


COUNTED = {"size": [f"{MAIL} SIZE=100001"], "errors": ["WRONG"] * 8, "relay": [MAIL, "RCPT TO:<user@elsewhere.example>"]}


@pytest.mark.parametrize("reason", COUNTED)
def test_what_was_refused_is_counted(front, reason):
    before = refused(front, reason)
    dialogue(front, "203.0.113.64", *COUNTED[reason])
    wait_until(lambda: refused(front, reason) == before + 1, 5, "one more")


def test_what_workers_look_up_is_counted(front):
    """The guard asks no list of domains about a client: that is for the workers, each with a resolver of its own."""
    asked = lambda: front.guard.metric("postern_dnsbl_queries_total", zone="dbl.test", of="domain")
    questions = lambda: front.guard.metric("postern_dns_questions_total")
    before = asked(), questions()
    assert dialogue(front, "203.0.113.65", MAIL, RCPT)[-1].startswith("250")
    assert asked() > before[0] and questions() > before[1] + 2
    assert "dbl.test" in front.lab.ctl("status").out and front.guard.zone_up("dbl.test")
