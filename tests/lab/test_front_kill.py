# SPDX-License-Identifier: GPL-2.0-only
"""An agent that is killed with a message under way, at each of its stages: what was told is true, and nothing is doubled but what nobody
was told about (RFC 5321 4.5.4.1, RFC 1047). Its workers are threads, so whatever ends one of them ends it.

A sender who was told nothing sends again, as mail servers do.
"""
import re
import signal

import pytest

import tamper
from frontbed import BACKENDS, Front
from frontclient import Session
from lab import Lab, wait_until

from torture.client import GONE

TEXT = b"A line of text.\r\n" * 40
LARGE = b"A line of a message that is larger than what is kept in memory.\r\n" * 16000


@pytest.fixture(scope="module")
def bed():
    with Lab("frontkill") as lab:
        front = Front(lab, backends="none")
        front.backend = tamper.Holder(lab, BACKENDS[0], 25)
        yield front


@pytest.fixture
def front(bed):
    """With an agent that has just been started."""
    bed.start(smtp={"backends": [f"{BACKENDS[0]}:25"]})
    yield bed
    bed.backend.release()
    bed.end()


def kill(front, how=signal.SIGKILL):
    front.lab.posternd.send_signal(how)
    if how == signal.SIGKILL:
        front.lab.posternd.wait(20)


def copies(front, token):
    return sum(token.encode() in mail for mail in front.backend.mails)


def begin(front, token, text=TEXT):
    """A session that has said all of a message but its dot."""
    session = Session(front)
    session.mail()
    session.says("DATA", "354")
    session.send(f"Subject: {token}\r\n\r\n".encode() + text)
    return session


def send_again(front, token):
    """To an agent that has been started again. All that the sender knows of the first one is that it has gone."""
    front.start(smtp={"backends": [f"{BACKENDS[0]}:25"]})
    assert begin(front, token).ask(".").startswith("250")


def is_told_nothing(session):
    assert re.fullmatch(GONE, session.reply()) and not session.input, session.seen
    session.close()


@pytest.mark.parametrize("text", [TEXT, LARGE], ids=["in memory", "on disk"])
def test_in_the_middle_of_data(front, text):
    token = f"half{len(text)}x"
    session = begin(front, token, text)
    if text is LARGE:
        wait_until(lambda: open_spools(front), 10, "a file of the spool")
    kill(front)
    is_told_nothing(session)
    assert copies(front, token) == 0 and not any((front.lab.directory / "state/spool").iterdir())
    send_again(front, token)
    assert copies(front, token) == 1


def open_spools(front):
    """Files without a name that the agent has open in its spool."""
    listed = front.lab.ns(front.lab.gateway, "ls", "-l", f"/proc/{front.lab.posternd.pid}/fd").out
    return re.findall(r"/spool/\S* \(deleted\)", listed)


def test_while_a_message_waits_for_the_backend(front):
    """The sender has said his dot, and the backend has not answered DATA."""
    front.backend.hold_at(b"DATA")
    session = begin(front, "waitsx")
    session.send(b".\r\n")
    assert front.backend.reached.wait(20)
    kill(front)
    is_told_nothing(session)
    front.backend.release()
    send_again(front, "waitsx")
    assert copies(front, "waitsx") == 1


def test_after_the_final_dot(front):
    """The backend has the message, and nobody hears its answer: this may arrive twice, and must not be lost."""
    front.backend.hold_at(b".")
    session = begin(front, "dotx")
    session.send(b".\r\n")
    assert front.backend.reached.wait(20)
    assert copies(front, "dotx") == 1
    kill(front)
    is_told_nothing(session)
    front.backend.release()
    send_again(front, "dotx")
    assert copies(front, "dotx") == 2


def test_after_the_answer(front):
    """What was promised has arrived, once, and nothing of it is left to be sent again."""
    session = begin(front, "answeredx")
    assert session.ask(".").startswith("250")
    kill(front)
    is_told_nothing(session)
    front.start(smtp={"backends": [f"{BACKENDS[0]}:25"]})
    send = begin(front, "nextx")
    assert send.ask(".").startswith("250")
    assert copies(front, "answeredx") == copies(front, "nextx") == 1


@pytest.mark.parametrize("word", [b"DATA", b"."], ids=["before the dot", "after the dot"])
def test_told_to_end_it_waits_for_the_backend(front, word):
    """SIGTERM: the sender hears what the backend says, and only then is the agent gone."""
    token = f"term{len(word)}x"
    front.backend.hold_at(word)
    session = begin(front, token)
    session.send(b".\r\n")
    assert front.backend.reached.wait(20)
    kill(front, signal.SIGTERM)
    wait_until(lambda: front.lab.connect("203.0.113.27") != "open", 10, "the end of the listeners")
    front.backend.release()
    assert session.reply().startswith("250")
    front.lab.posternd.wait(20)
    assert copies(front, token) == 1
