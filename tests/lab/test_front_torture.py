# SPDX-License-Identifier: GPL-2.0-only
"""Mode proxy against everything of tests/torture, with a sink behind it that sees which octets go on."""
import pytest

import torturebed
from frontbed import Front
from lab import GATEWAY4, Lab
from wire import inside

# torturebed has made tests/torture known.
from torture import framing, relay, torture
from torture.client import Client

# Long enough for what speaks before its turn to be noticed.
GREET_DELAY = 150


@pytest.fixture(scope="module")
def front():
    with Lab("torture") as lab:
        made = Front(lab, backends="sink")
        made.start(smtp={"greet-delay": GREET_DELAY, "backends": ["10.79.0.1:25 xclient"]}, check={"rdns": "off", "helo": "off"})
        yield made


@pytest.fixture(scope="module")
def rows(front):
    """What became of each case."""
    found = front.suite("postern", *torturebed.AUTH, log=front.backends[0].path, patience=3)
    return {f"{row['section']}: {row['name']}": row for row in found}


@pytest.fixture(scope="module")
def tricks(front):
    return {row["name"]: row for row in front.suite("postern-relay", script="relay.py")}


@pytest.mark.skipif(not framing.VECTORS.exists(), reason=f"skipped: {framing.VECTORS} is not there (POSTERN_VECTORS)")
def test_the_vectors_are_there():
    assert framing.vectors()


@pytest.mark.parametrize("name", [case.id for case in torture.CASES])
def test_case(rows, name):
    row = rows[name]
    assert row["verdict"] == torture.RIGHT, row


@pytest.mark.parametrize("name", [name for name, _, _ in relay.TRICKS])
def test_open_relay(tricks, name):
    assert tricks[name]["verdict"] == torture.RIGHT, tricks[name]


def test_nmap_finds_no_open_relay(front):
    """A second opinion (its script smtp-open-relay)."""
    said = front.lab.ns(front.lab.internet, "nmap", "-Pn", "-n", "-p", "25", "--script", "smtp-open-relay", "--script-args",
                        f"smtp-open-relay.domain=mail.addressed.example,smtp-open-relay.to=victim@elsewhere.example,"
                        f"smtp-open-relay.from=tester@addressed.example,smtp-open-relay.ip={GATEWAY4}", GATEWAY4).out
    assert "Server doesn't seem to be an open relay, all tests failed" in said, said


def dsn(front):
    """What the sink knows of a message with the parameters of RFC 3461."""
    with inside(front.lab.internet):
        talk = Client((GATEWAY4, 25), "198.51.100.130", 10)
    assert talk.reply().startswith("220") and "DSN" in talk.ask("EHLO mail.addressed.example")
    for line in ("MAIL FROM:<dsn@addressed.example> RET=HDRS ENVID=dsn1", f"RCPT TO:<{torturebed.USER}> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;first@own.example"):
        assert talk.ask(line).startswith("250")
    assert talk.ask("DATA").startswith("354") and talk.ask("Subject: dsn\r\n\r\ntext\r\n.").startswith("250")
    return next(row for row in front.backends[0].messages() if "<dsn@" in row["from"])


def test_dsn_parameters_go_on(front):
    """RFC 3461: the server behind knows who wants to be told what."""
    found = dsn(front)
    assert "RET=HDRS" in found["from"] and "ENVID=dsn1" in found["from"], found
    assert "NOTIFY=SUCCESS,FAILURE" in found["to"][0] and "ORCPT=rfc822;first@own.example" in found["to"][0], found


def test_nothing_bare_ever_went_on(rows, front):
    messages = front.backends[0].messages()
    assert rows and messages and not any(row["bare"] for row in messages)


def test_the_agent_lives(rows, tricks, front):
    assert rows and tricks and front.lab.posternd.poll() is None
