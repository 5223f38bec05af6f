# SPDX-License-Identifier: GPL-2.0-only
"""Real senders that are refused read why, and what they read can be looked up. Nobody listens on the gateway."""
import pathlib
import re
import socket

import pytest

import senders
from lab import wait_until
from wire import inside

LISTED4, LISTED6 = "203.0.113.66", "2001:db8:bad::66"
WAYS = ["ipv4", "ipv6", "vlan-ipv4", "vlan-ipv6"]
CLIENTS = [senders.curl, senders.swaks, senders.exim, senders.openssl, senders.nc, senders.smtplib_]
TEXT = "554 5.7.1 sent spam; see https://example.net/unblock"


@pytest.fixture
def refused(lab):
    """Ways from addresses that are on a list with a text."""
    found = senders.ways(lab, LISTED4, LISTED6)
    path = lab.directory / "spam.list"
    path.write_text("".join(f"{way.source}\n" for way in found))
    lab.ctl("block", "load", "spam", path, "--action", "refuse", "--reason", "sent spam; see https://example.net/unblock")
    return dict(zip(WAYS, found))


def looked_up(lab, text, source):
    """Finds the whole reply in what a sender says; returns what the gateway says about the id in it."""
    found = re.search(re.escape(f"{TEXT}; client [{source}]; id ") + r"([0-9A-HJKMNP-TV-Z]{13})(?![0-9A-Z])", text)
    assert found, text
    return wait_until(lambda: lab.ctl("why", found[1], "--json").json["event"], 5, "the event"), found[1]


def refusals(lab):
    return lab.stats()["health"]["refusals_sent"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_a_client_reads_why(lab, refused, client, way):
    way = refused[way]
    event, _ = looked_up(lab, client(lab, way), way.source)
    assert (event["source"], event["dest"], event["dest_port"]) == (way.source, way.dest, 25)
    assert (event["list"], event["action"], event["told"]) == ("spam", "refuse", True)
    assert event["vlan"] == (100 if way.namespace == lab.vlan else 0)


@pytest.mark.parametrize("way, settings", [
    # Postfix takes any greeting of 5xx for a host to be passed by, and bounces when it has tried long enough.
    ("ipv4", {"maximal_queue_lifetime": 0}), ("vlan-ipv6", {"maximal_queue_lifetime": 0}),
    ("ipv6", {"smtp_skip_5xx_greeting": "no"}), ("vlan-ipv4", {"smtp_skip_5xx_greeting": "no"})])
def test_postfix_logs_it_and_bounces(fresh_sender, lab, refused, way, settings):
    """In the log and in the bounce that its user reads, and `why` tells the postmaster about the id in it."""
    way = refused[way]
    postfix = fresh_sender(way, settings)
    fate = postfix.send()
    assert f"host {way.dest}[{way.dest}] refused to talk to me: 554 5.7.1" in fate
    assert "status=bounced" in fate if "smtp_skip_5xx_greeting" in settings else "status=deferred" in fate
    looked_up(lab, fate, way.source)
    wait_until(postfix.delivered, 10, "the bounce")
    bounce = " ".join(postfix.mails()[0].split())
    _, lookup = looked_up(lab, bounce, way.source)
    told = lab.ctl("why", lookup).out
    for word in (lookup, way.source, way.dest, "list spam", "refuse", "the client was told this id"):
        assert word in told


@pytest.fixture
def fresh_sender(lab):
    """Makes a Postfix that sends, and ends it after the test."""
    made = []

    def make(way, settings):
        made.append(senders.PostfixSender(lab, way, **settings))
        return made[0]
    yield make
    for postfix in made:
        postfix.close()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("together", [True, False], ids=["with-the-ack", "after-the-ack"])
def test_a_client_that_talks_first_reads_it_too(lab, refused, way, together):
    way = refused[way]
    with inside(way.namespace):
        client = socket.socket(socket.AF_INET6 if ":" in way.source else socket.AF_INET)
    with client:
        client.settimeout(5)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, int(not together))
        client.bind((way.source, 0))
        client.connect((way.dest, 25))
        client.sendall(b"EHLO early.example.net\r\n")
        said = b"".join(iter(lambda: client.recv(4096), b""))  # until the end
    looked_up(lab, said.decode(), way.source)


def test_the_gateway_has_no_socket_and_no_state(lab, refused):
    """While refused clients hold their end open, and after."""
    memory = pathlib.Path(f"/proc/{lab.posternd.pid}/status")
    sockets = lambda: lab.ns(lab.gateway, "ss", "-Hant", "sport", "=", ":25").out
    resident = lambda: int(re.search(r"VmRSS:\s+(\d+)", memory.read_text())[1])
    before, held = resident(), []
    for _ in range(200):
        held.append(senders.connect(refused["ipv4"]))
        assert held[-1].recv(4096).startswith(TEXT.encode())
    assert not sockets()
    for client in held:
        client.close()
    assert not sockets() and resident() < before + 4096  # KiB: its tables of events


def test_monitor_mode_refuses_nobody(lab, refused, postfix):
    before = refusals(lab)
    for arguments in ([], ["--list", "spam"]):
        lab.ctl("monitor", "on", *arguments)
        for way in refused.values():
            assert senders.greeting(way).startswith("220 mx.lab.example ESMTP")
        lab.ctl("monitor", "off", *arguments)
    assert refusals(lab) == before
    assert senders.greeting(refused["ipv4"]).startswith("554") and refusals(lab) == before + 1


def test_a_client_is_let_in_at_once_when_its_entry_goes(lab, refused, postfix):
    for way in refused.values():
        assert senders.greeting(way).startswith("554")
        lab.ctl("block", "del", way.source, "--list", "spam")
        assert senders.greeting(way).startswith("220")
    lab.ctl("block", "add", LISTED4, "--action", "refuse")
    delivered = postfix.delivered()
    assert not lab.swaks(LISTED4)
    lab.ctl("block", "del", LISTED4)
    assert lab.swaks(LISTED4)
    wait_until(lambda: postfix.delivered() == delivered + 1, 10, "delivery")


@pytest.fixture(scope="module")
def postfix(lab):
    return lab.start_postfix()
