# SPDX-License-Identifier: GPL-2.0-only
"""A relay for DNS over UDP that takes its time: in front of a real server, it is that server far away.

usage: relay.py ADDRESS SERVER MILLISECONDS
Each query waits half of the time on its way, each answer the other half; none holds up another.
"""
import heapq
import itertools
import selectors
import socket
import sys
import time

QUERIES_MAX = 1 << 16


class Relay:
    def __init__(self, address, server, seconds):
        self.half, self.server = seconds / 2, (server, 53)
        self.front, self.back = (self.open(place) for place in ((address, 53), ("", 0)))
        self.way = []  # heap of (when, turn, socket, datagram, destination)
        self.turn, self.asked = itertools.count(), {}
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.front, selectors.EVENT_READ, self.query)
        self.selector.register(self.back, selectors.EVENT_READ, self.answer)

    @staticmethod
    def open(place):
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        made.setblocking(False)
        made.bind(place)
        return made

    def later(self, *datagram):
        heapq.heappush(self.way, (time.monotonic() + self.half, next(self.turn), *datagram))

    def query(self):
        """Identifiers are exchanged, because clients may choose the same."""
        data, client = self.front.recvfrom(65535)
        own = next(self.turn) % QUERIES_MAX
        self.asked[own] = client, data[:2]
        self.later(self.back, own.to_bytes(2, "big") + data[2:], self.server)

    def answer(self):
        data, _ = self.back.recvfrom(65535)
        client, identifier = self.asked.pop(int.from_bytes(data[:2], "big"), (None, b""))
        if client:
            self.later(self.front, identifier + data[2:], client)

    def run(self):
        while True:
            wait = self.way[0][0] - time.monotonic() if self.way else None
            for key, _ in self.selector.select(wait if wait is None else max(wait, 0)):
                try:
                    key.data()
                except OSError:  # what the server refused, the client finds out by its silence
                    pass
            while self.way and self.way[0][0] <= time.monotonic():
                _, _, through, data, to = heapq.heappop(self.way)
                through.sendto(data, to)


if __name__ == "__main__":
    Relay(sys.argv[1], sys.argv[2], float(sys.argv[3]) / 1000).run()
