# SPDX-License-Identifier: GPL-2.0-only
"""What a refusal is on the wire: nobody who has not proved his address gets more than he sent, and nothing loops."""
import re
import time

import pytest

import senders
from lab import SPOOFED4, SPOOFED6, wait_until
from wire import ACK, FIN, PSH, RST, SYN, Peer, Tap

NOBODY = ["198.18.7.7", "3fff:bad::7"]
IDS = ["ipv4", "ipv6"]
QUIET = 2  # seconds in which nothing more may come


@pytest.fixture
def refused(lab):
    for prefix in (SPOOFED4, SPOOFED6):
        lab.ctl("block", "add", prefix, "--action", "refuse")


@pytest.fixture(params=NOBODY, ids=IDS)
def peer(lab, refused, request):
    """Somebody at an address that nobody has."""
    with Tap(lab, request.param) as tap:
        yield Peer(tap, request.param)


def one_more(peer, count):
    """Waits for the answer of this number, and returns it."""
    return wait_until(lambda: peer.answers()[count - 1:], 5, "an answer")[0]


def handshake(peer):
    peer.ask(SYN)
    answer = one_more(peer, 1)
    assert answer.flags == SYN | ACK and answer.acknowledged == peer.sequence + 1 and not answer.data
    peer.sequence, peer.acknowledged = peer.sequence + 1, answer.next


def lookup(segment):
    return re.search(rb"id (\w{13})\r\n$", segment.data)[1]


def test_a_syn_gets_no_more_than_it_brought(lab, peer):
    """One answer each, of the same length, and none again when the third segment does not come."""
    for port in range(41000, 41100):
        Peer(peer.tap, peer.source, port).ask(SYN)
        Peer(peer.tap, peer.source, port).ask(SYN, options=bytes([2, 4, 5, 180, 1, 1, 1, 0]))
    wait_until(lambda: len(peer.tap.answers()) >= 200, 5, "the answers")
    time.sleep(QUIET)
    segments = peer.tap.segments()
    sent, got = ([s.length for s in segments if s.outgoing == outgoing] for outgoing in (True, False))
    assert len(sent) == len(got) == 200 and set(got) == {min(sent)}
    assert all(s.flags == SYN | ACK for s in peer.tap.answers())
    assert lab.stats()["health"]["refusals_sent"] == 0


def test_who_asks_again_is_told_again(peer):
    """The ACK comes again, because the reply was lost: so does the reply, with the same numbers and an id of its own."""
    handshake(peer)
    for number in (2, 3, 4):
        peer.ask(ACK)
        one_more(peer, number)
    replies = peer.answers()[1:]
    assert {(s.flags, s.sequence, s.acknowledged) for s in replies} == {
        (PSH | FIN | ACK, peer.acknowledged, peer.sequence)}
    assert len({lookup(s) for s in replies}) == 3 and len({s.length for s in replies}) == 1
    assert f"client [{peer.source}]".encode() in replies[0].data


def test_data_with_the_ack_is_acknowledged_by_the_reply(peer):
    handshake(peer)
    peer.ask(ACK | PSH, b"EHLO early\r\n")
    reply = one_more(peer, 2)
    assert lookup(reply) and reply.acknowledged == peer.sequence + 12


@pytest.mark.parametrize("wrong", [-1, -2, 1000, 1 << 31])
def test_a_wrong_number_is_the_stacks_business(lab, peer, wrong):
    """Nobody has that connection, so there is a RST; and no reply, whatever the segment brings."""
    handshake(peer)
    before = lab.stats()["health"]["refusals_sent"]
    peer.ask(ACK, acknowledged=peer.acknowledged + wrong)
    peer.ask(ACK | PSH, b"EHLO guess\r\n", acknowledged=peer.acknowledged + wrong)
    one_more(peer, 3)
    time.sleep(0.2)
    assert [s.flags & RST for s in peer.answers()[1:]] == [RST, RST]
    assert lab.stats()["health"]["refusals_sent"] == before


def test_nothing_loops(lab, peer):
    """Pure acknowledgements of the reply and resets get no answer; what has a sequence number of its own gets one ACK."""
    handshake(peer)
    peer.ask(ACK)
    peer.acknowledged = one_more(peer, 2).next
    for _ in range(10):
        peer.ask(ACK)
        peer.ask(RST)
        peer.ask(RST | ACK)
        peer.ask(SYN | ACK)
    peer.ask(FIN | ACK)
    last = one_more(peer, 3)
    assert (last.flags, last.sequence, last.acknowledged) == (ACK, peer.acknowledged, peer.sequence + 1)
    time.sleep(QUIET)
    assert len(peer.answers()) == 3


@pytest.mark.parametrize("vlan", [False, True], ids=["plain", "vlan"])
def test_a_real_client_s_whole_connection(lab, vlan):
    """By both families: until its address is proved it gets no more than it sent; at the end all is quiet."""
    ways = senders.ways(lab, "203.0.113.66", "2001:db8:bad::66")[2 * vlan:2 * vlan + 2]
    where = {"namespace": lab.vlan, "iface": "v0", "gateway_iface": "g1"} if vlan else {}
    with Tap(lab, *(way.source for way in ways), **where) as tap:
        for way in ways:
            lab.ctl("block", "add", way.source, "--action", "refuse")
            assert senders.greeting(way).startswith("554 5.7.1 refused: listed in local; client [")
        wait_until(lambda: sum(1 for s in tap.answers() if s.flags == ACK) >= 2, 5, "the last answers")
        time.sleep(0.2)
        before = len(tap.segments())
        time.sleep(QUIET)
        assert len(tap.segments()) == before
        for way in ways:
            mine = [s for s in tap.segments() if way.source in (s.source, s.dest)]
            assert [(s.outgoing, s.flags) for s in mine[:4]] == [
                (True, SYN), (False, SYN | ACK), (True, ACK), (False, PSH | FIN | ACK)]
            assert mine[1].length <= mine[0].length and len(mine) <= 8
            assert {s.vlan for s in mine} == ({100} if vlan else {None})
