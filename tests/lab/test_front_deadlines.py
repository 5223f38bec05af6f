# SPDX-License-Identifier: GPL-2.0-only
"""Mode proxy and slow clients: each way to hold a connection is ended by its deadline, and who is merely slow is served.

All of them are there at the same time; the file takes as long as the longest deadline, some 36 seconds, most of which it waits.
"""
import concurrent.futures
import time

import pytest

from frontbed import SENDER, Front
from frontclient import MAIL, RCPT, Drip, Session
from guardbed import CLIENTS4
from lab import NO_LIMITS, PATIENCE, Lab

COMMAND_S = 6            # the server's patience with a command, and with a piece of a message
RATE_S, TLS_S = 30, 30   # how long a message may take before its rate is looked at; a handshake
LATE_S = 15              # after a deadline, on a machine that has much to do; the presets are minutes
PAUSE_S = 2              # of those who are merely slow
EACH = 100               # connections of each kind
BEGIN, MESSAGE = f"EHLO mail.{SENDER}|", f"EHLO mail.{SENDER}|{MAIL}|{RCPT}|DATA|"
RECORD = "\x16\x03\x01\x3f\x3f\x01" + "x" * 400  # of TLS, with 16,191 octets
# {kind: (what each says line by line, what follows octet by octet, seconds until it is ended)}
SLOW = {
    "a command that has no end": ("", "x" * 400, COMMAND_S),
    "a command after EHLO": (BEGIN, "x" * 400, COMMAND_S),
    "a message, its lines an octet long": (MESSAGE, "x|", RATE_S),
    "a message of one line": (MESSAGE, "x" * 900, RATE_S),
    "a chunk": (MESSAGE.replace("DATA|", "BDAT 10000 LAST|"), "x", RATE_S),
    "a handshake": (BEGIN + "STARTTLS|", RECORD, TLS_S),
}


@pytest.fixture(scope="module")
def front():
    with Lab("deadlines") as lab:
        made = Front(lab, backends="sink")
        made.start(smtp={"timeout-command": COMMAND_S, "timeout-data": COMMAND_S}, limits=NO_LIMITS)
        yield made


def hold(front, kind):
    """What became of the clients of one kind."""
    head, text, _ = SLOW[kind]
    drip = Drip(front.lab, EACH, CLIENTS4, text, head)
    opened = drip.opened()
    return {"opened": opened, **drip.result((RATE_S + 10) * PATIENCE)}


def deliver_slowly(front):
    """A message at more than rate-min octets a second, in pieces with pauses below the server's patience; the final reply."""
    session = Session(front, "198.51.100.201")
    for line, code in ((MAIL, "250"), (RCPT, "250"), ("DATA", "354")):
        time.sleep(PAUSE_S)
        session.says(line, code)
    begin = time.monotonic()
    while time.monotonic() < begin + RATE_S + 4:
        session.send(b"A line of a message that takes its time.\r\n" * 12)
        time.sleep(PAUSE_S)
    return session.ask(".")


def stay(front):
    """One that says NOOP now and then is still there, and still served."""
    session, begin = Session(front, "198.51.100.202"), time.monotonic()
    while time.monotonic() < begin + RATE_S + 4:
        time.sleep(PAUSE_S)
        session.says("NOOP", "250")
    session.mail()
    return session.data(b"Subject: stayed\r\n\r\ntext\r\n")


@pytest.fixture(scope="module")
def outcome(front):
    """All at once: {kind or name: what became of it}."""
    refused = lambda: front.guard.metric("postern_smtp_refused_total", reason="time")
    before = refused()
    with concurrent.futures.ThreadPoolExecutor(len(SLOW) + 2) as pool:
        jobs = {kind: pool.submit(hold, front, kind) for kind in SLOW}
        jobs |= {"slow mail": pool.submit(deliver_slowly, front), "stays": pool.submit(stay, front)}
        found = {name: job.result() for name, job in jobs.items()}
    return {**found, "refused": refused() - before}


@pytest.mark.parametrize("kind", SLOW)
def test_slow_clients_are_ended(outcome, kind):
    told, seconds = outcome[kind], SLOW[kind][2]
    assert told["opened"] == told["ended"] == EACH and told["octets"] >= EACH, told
    assert seconds - 0.1 <= told["first"] and told["last"] <= seconds + LATE_S, told


@pytest.mark.parametrize("name", ["slow mail", "stays"])
def test_who_is_merely_slow_is_served(outcome, name):
    assert outcome[name].startswith("250"), outcome[name]


def test_they_are_counted(outcome):
    """But for those who were in the middle of a handshake."""
    assert outcome["refused"] == EACH * (len(SLOW) - 1)
