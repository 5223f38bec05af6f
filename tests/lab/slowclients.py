# SPDX-License-Identifier: GPL-2.0-only
"""Clients that are far away: each answers the server's SYN-ACK only after a while, as if over a long line.

They have addresses that nobody has, so that no kernel answers for them (wire.py). What the server accepts and when is
noted by a listener on the gateway; all times are seconds of CLOCK_MONOTONIC, which is the same in all namespaces.
"""
import heapq
import json
import subprocess
import sys
import time

from lab import GATEWAY4, PATIENCE, wait_until
from wire import ACK, RST, SYN, Peer, Tap

ASK_AGAIN = 0.05  # seconds, whether a client may go on

ACCEPTOR = """
import json, socket, sys, time
server = socket.create_server(("0.0.0.0", int(sys.argv[2])), backlog=4096)
for turn in range(int(sys.argv[1])):
    client, place = server.accept()
    print(json.dumps([place[0], time.monotonic()]), flush=True)
    client.close()
"""


class Clients:
    """
    `sources` connect one after the other, `interval` seconds apart; each ACK comes `line` seconds after the SYN-ACK,
    and not before `ready(source)`.
    """

    def __init__(self, lab, sources, line=0.1, interval=0.01, port=25, ready=lambda source: True):
        self.lab, self.line, self.interval, self.port, self.ready = lab, line, interval, port, ready
        self.sources = list(sources)
        self.opened, self.accepted = {}, {}

    def run(self, patience=10):
        """Returns {source: (time of its SYN, time at which the server accepted it)} of those that were accepted."""
        acceptor = self.lab.start(self.lab.gateway, sys.executable, "-c", ACCEPTOR, len(self.sources),
                                  self.port, stdout=subprocess.PIPE, text=True)
        wait_until(lambda: f":{self.port} " in self.lab.ns(self.lab.gateway, "ss", "-Hltn").out, 5, "a listener")
        with Tap(self.lab, *self.sources) as tap:
            self._connect(tap, time.monotonic() + len(self.sources) * self.interval + self.line + patience * PATIENCE, acceptor)
        acceptor.terminate()
        accepted = dict(json.loads(line) for line in acceptor.stdout)
        return {source: (opened, accepted[source]) for source, opened in self.opened.items() if source in accepted}

    def _connect(self, tap, end, acceptor):
        peers = {source: Peer(tap, source, dest_port=self.port) for source in self.sources}
        start, due, read = time.monotonic() + 0.1, [], 0
        for turn, source in enumerate(self.sources):
            heapq.heappush(due, (start + turn * self.interval, source, SYN))
        while time.monotonic() < end and acceptor.poll() is None:
            seen = tap.segments()
            for segment in seen[read:]:
                if segment.source == GATEWAY4 and segment.flags & (SYN | ACK) == SYN | ACK and not segment.flags & RST:
                    peer = peers[segment.dest]
                    peer.acknowledged = (segment.sequence + 1) % 2**32
                    heapq.heappush(due, (time.monotonic() + self.line, segment.dest, ACK))
            read = len(seen)
            while due and due[0][0] <= time.monotonic():
                _, source, flags = heapq.heappop(due)
                if flags == SYN or self.ready(source):
                    self._send(peers, source, flags)
                else:
                    heapq.heappush(due, (time.monotonic() + ASK_AGAIN, source, flags))
            time.sleep(0.001)

    def _send(self, peers, source, flags):
        peer = peers[source]
        if flags == SYN:
            self.opened[source] = time.monotonic()
            peer.ask(SYN)
            peer.sequence += 1
        else:
            peer.ask(ACK)
