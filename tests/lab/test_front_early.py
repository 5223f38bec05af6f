# SPDX-License-Identifier: GPL-2.0-only
"""Who speaks before the greeting is found out without a pause before it (smtp.greet-delay 0), and nobody else is.

The agent is stopped while a client connects: the kernel completes the handshake and takes what the client sends, so
what is in the socket when the agent goes on has come before its greeting, however slow the machine is.
"""
import contextlib
import pathlib
import signal
import socket
import struct

import pytest

from frontbed import Front
from lab import GATEWAY4, Lab, wait_until
from wire import inside

BALANCER = "203.0.113.80"
HELLO = b"EHLO mail.addressed.example\r\n"


@pytest.fixture(scope="module")
def front():
    with Lab("frontearly") as lab:
        made = Front(lab, backends="sink")
        made.start(smtp={"greet-delay": 0, "balancers": [BALANCER]}, check={"rdns": "off", "score": "off"})
        yield made


def all_stopped(process):
    """Each thread stops by itself, a moment after the signal."""
    threads = pathlib.Path(f"/proc/{process.pid}/task").iterdir()
    return all((thread / "stat").read_text().rsplit(")", 1)[1].split()[0] == "T" for thread in threads)


@contextlib.contextmanager
def stopped(front):
    front.lab.posternd.send_signal(signal.SIGSTOP)
    try:
        wait_until(lambda: all_stopped(front.lab.posternd), 10, "a stopped agent")
        yield
    finally:
        front.lab.posternd.send_signal(signal.SIGCONT)


def first_reply(front, source, octets):
    """What is said first to a client whose first octets are there before the agent looks; and to EHLO, if it was greeted."""
    with inside(front.lab.internet), stopped(front):
        client = socket.create_connection((GATEWAY4, 25), 10, (source, 0))
        client.sendall(octets)
    with client, client.makefile("rb") as answers:
        first = answers.readline().decode()
        if not first.startswith("220"):
            return first, ""
        client.sendall(HELLO)
        return first, answers.readline().decode()


def proxy2(source):
    """A header of version 2 for a client at `source`."""
    addresses = socket.inet_aton(source) + socket.inet_aton(GATEWAY4) + struct.pack("!HH", 4711, 25)
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack("!BBH", 0x21, 0x11, len(addresses)) + addresses


# Each from an address of its own: who offends again is stopped by the kernel.
EARLY = {"203.0.113.81": HELLO, "203.0.113.86": b"E", "203.0.113.87": b"\x16\x03\x01\x02\0"}


@pytest.mark.parametrize("source", EARLY, ids=["command", "octet", "hello-of-tls"])
def test_whoever_speaks_first_is_refused(front, source):
    first, _ = first_reply(front, source, EARLY[source])
    assert first.startswith("554 5.5.0 you spoke before"), first


def test_whoever_waits_is_greeted(front):
    first, hello = first_reply(front, "203.0.113.82", b"")
    assert first.startswith("220 ") and hello.startswith("250"), (first, hello)


def test_the_header_of_a_balancer_is_no_speech(front):
    first, hello = first_reply(front, BALANCER, proxy2("203.0.113.83"))
    assert first.startswith("220 ") and hello.startswith("250"), (first, hello)


def test_what_is_behind_the_header_is(front):
    first, _ = first_reply(front, BALANCER, proxy2("203.0.113.84") + HELLO)
    assert first.startswith("554 5.5.0 you spoke before"), first


def test_an_answer_in_no_time_is_none(front):
    """Greeted and answered as fast as it goes, over and over."""
    with inside(front.lab.internet):
        for _ in range(300):
            with socket.create_connection((GATEWAY4, 25), 10, ("203.0.113.85", 0)) as client, client.makefile("rb") as answers:
                assert answers.readline().startswith(b"220 ")
                client.sendall(b"QUIT\r\n")
                assert answers.readline().startswith(b"221 ")
