# SPDX-License-Identifier: GPL-2.0-only
"""Clients in the tarpit: their connections open and go nowhere, and cost the gateway neither socket nor memory."""
import contextlib
import os
import pathlib
import re
import resource
import select
import socket
import time

import pytest

import senders
from lab import GATEWAY4, wait_until
from wire import ACK, RST, SYN, Peer, Tap, inside

LISTED4, LISTED6 = "203.0.113.66", "2001:db8:bad::66"
TALK = b"EHLO impatient.example.net\r\n" * 20
# Linux probes a window of zero after 0.2, 0.4, 0.8 ... seconds. For minutes it was tried by hand, with HOLD=200 in the
# environment: the probes get rarer, each is answered, and the connection stays.
HOLD = float(os.environ.get("HOLD", 8))
CLIENTS = 1000


@pytest.fixture
def held(lab):
    """Ways from listed addresses: each family, from the internet and from behind VLAN tags."""
    found = senders.ways(lab, LISTED4, LISTED6)
    for way in found:
        lab.ctl("block", "add", way.source, "--action", "tarpit")
    return found


def gateway_sockets(lab):
    return lab.ns(lab.gateway, "ss", "-Hant", "sport", "=", ":25").out


def client_state(lab, way):
    """What the kernel of a client knows of its connection."""
    return lab.ns(way.namespace, "ss", "-Htino", "state", "established", "dst",
                  senders.bracketed(way.dest)).out


def silent(client):
    with pytest.raises(BlockingIOError):
        client.recv(1)
    return True


def test_a_connection_stays_and_goes_nowhere(lab, held):
    """What the client says stays in its queue; its probes are answered with a window of zero, one each."""
    taps, clients = [], []
    with contextlib.ExitStack() as ends:
        for way in held:
            where = {"namespace": lab.vlan, "iface": "v0", "gateway_iface": "g1"} if way.namespace == lab.vlan else {}
            taps.append(ends.enter_context(Tap(lab, way.source, **where)))
            clients.append(ends.enter_context(senders.connect(way)))
            clients[-1].setblocking(False)
            assert clients[-1].send(TALK) == len(TALK)
        time.sleep(HOLD)
        for way, tap, client in zip(held, taps, clients):
            assert silent(client) and not gateway_sockets(lab)
            state = client_state(lab, way)
            assert re.match(rf"0 +{len(TALK)} ", state) and "timer:(persist," in state, state
            syn, synack, first, *rest = tap.segments()
            assert (syn.flags, synack.flags, synack.window, first.flags) == (SYN, SYN | ACK, 0, ACK)
            probes = [s for s in rest if s.outgoing]
            answers = [s for s in rest if not s.outgoing]
            assert len(probes) >= 3 and {(s.sequence, len(s.data)) for s in probes} == {(syn.sequence, 0)}
            assert len(probes) - 1 <= len(answers) <= len(probes)  # the last may be on its way
            assert {(s.flags, s.sequence, s.acknowledged, s.window, s.data) for s in answers} == {
                (ACK, synack.next, syn.next, 0, b"")}
    # They have closed: what they had to say keeps them waiting, and waiting costs only them.
    assert not gateway_sockets(lab)


def test_a_client_without_anything_to_say_is_left_alone(lab, held):
    way = held[0]
    with Tap(lab, way.source) as tap, senders.connect(way) as client:
        time.sleep(2)
        client.setblocking(False)
        assert silent(client) and "ESTAB" not in gateway_sockets(lab)
        assert [s.flags for s in tap.segments()] == [SYN, SYN | ACK, ACK]


@pytest.mark.parametrize("way", [0, 3], ids=["ipv4", "vlan-ipv6"])
def test_swaks_waits(lab, held, way):
    """Until its patience ends, for a greeting that does not come."""
    said = senders.swaks(lab, held[way], timeout=1)
    assert "Connected to" in said and "Timeout (1 secs) waiting for server response" in said and "<- " not in said


def test_postfix_waits(lab, held):
    postfix = senders.PostfixSender(lab, held[0], smtp_helo_timeout="2s")
    try:
        fate = postfix.send()
    finally:
        postfix.close()
    assert "status=deferred" in fate and "timed out while receiving the initial server greeting" in fate


def test_a_thousand_clients_at_once(lab):
    """Each has its connection; the gateway has none, and the agent no more memory than before."""
    lab.ctl("block", "add", "203.0.113.0/24", "--action", "tarpit")
    memory = pathlib.Path(f"/proc/{lab.posternd.pid}/status")
    resident = lambda: int(re.search(r"VmRSS:\s+(\d+)", memory.read_text())[1])
    in_use = lambda: re.search(r"TCP: inuse (\d+)", lab.ns(lab.gateway, "cat", "/proc/net/sockstat").out)[1]
    before = resident(), in_use()
    with many_files(CLIENTS + 500), contextlib.ExitStack() as ends:
        waiting = select.poll()
        clients = {}
        with inside(lab.internet):
            for number in range(CLIENTS):
                client = ends.enter_context(socket.socket())
                client.setblocking(False)
                client.bind((f"203.0.113.{number % 250 + 1}", 0))
                client.connect_ex((GATEWAY4, 25))
                clients[client.fileno()] = client
                waiting.register(client, select.POLLOUT)
        opened = set()

        def all_open():
            opened.update(fd for fd, event in waiting.poll(0) if event == select.POLLOUT)
            return len(opened) == CLIENTS
        wait_until(all_open, 10, "a thousand connections")
        for client in clients.values():
            assert client.send(TALK) == len(TALK)
        time.sleep(1)
        assert all(silent(client) for client in clients.values())
        assert not gateway_sockets(lab) and in_use() == before[1]
        assert resident() < before[0] + 4096  # KiB: its tables of events


@contextlib.contextmanager
def many_files(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), max(hard, count)))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("source", ["198.18.7.7", "3fff:bad::7"], ids=["ipv4", "ipv6"])
def test_who_has_no_connection_gets_a_reset_from_the_stack(lab, source):
    """A segment whose numbers do not belong together is not taken for one of ours, and nothing loops."""
    lab.ctl("block", "add", source, "--action", "tarpit")
    with Tap(lab, source) as tap:
        peer = Peer(tap, source)
        peer.ask(SYN)
        synack = wait_until(peer.answers, 5, "the answer")[0]
        assert synack.window == 0 and synack.length == tap.segments()[0].length
        peer.ask(ACK, sequence=peer.sequence + 1000, acknowledged=synack.next)
        wait_until(lambda: len(peer.answers()) == 2, 5, "the reset")
        assert peer.answers()[1].flags & RST
        peer.ask(ACK, sequence=peer.sequence + 1, acknowledged=synack.next)  # completes the handshake
        peer.ask(RST, sequence=peer.sequence + 1)
        time.sleep(2)
        assert len(peer.answers()) == 2
