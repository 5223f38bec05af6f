# SPDX-License-Identifier: GPL-2.0-only
"""Legitimate senders that deliver mail in a loop, a connection a mail, each from the next address in turn.

usage: mailer.py SERVER SECONDS SENDERS ADDRESS ...
prints {"seconds": s, "mails": [[end, latency], ...], "failed": n}; times are seconds, the end since the start. A mail that
is under way at the end is waited for; one that takes more than PATIENCE has failed.
"""
import itertools
import json
import socket
import sys
import threading
import time

PATIENCE = 10
MAIL = b"Subject: from the lab\r\nFrom: <sender@example.net>\r\nTo: <user@lab.example>\r\n\r\n" + b"A line of text.\r\n" * 20 + b".\r\n"
DIALOGUE = [(b"HELO sender.example.net\r\n", b"250"), (b"MAIL FROM:<sender@example.net>\r\n", b"250"),
            (b"RCPT TO:<user@lab.example>\r\n", b"250"), (b"DATA\r\n", b"354"), (MAIL, b"250"), (b"QUIT\r\n", b"221")]


def deliver(server, source):
    """One mail; an OSError if the server does not take it in time."""
    deadline = time.monotonic() + PATIENCE
    with socket.create_connection((server, 25), PATIENCE, (source, 0)) as connection, connection.makefile("rb") as answers:
        expected = b"220"
        for said, answer in [*DIALOGUE, (None, None)]:
            connection.settimeout(max(0.01, deadline - time.monotonic()))
            line = answers.readline()
            if not line.startswith(expected):
                raise OSError(f"{expected} expected, got {line}")
            if said:
                connection.sendall(said)
                expected = answer


class Senders:
    def __init__(self, server, seconds, addresses):
        self.server, self.seconds = server, seconds
        self.addresses, self.lock = itertools.cycle(addresses), threading.Lock()
        self.mails, self.failed, self.started = [], 0, time.monotonic()

    def _next(self):
        with self.lock:
            return next(self.addresses)

    def loop(self):
        while time.monotonic() - self.started < self.seconds:
            begin = time.monotonic()
            try:
                deliver(self.server, self._next())
                self.mails.append([time.monotonic() - self.started, time.monotonic() - begin])
            except OSError:
                self.failed += 1


def main():
    server, seconds, count, *addresses = sys.argv[1:]
    senders = Senders(server, float(seconds), addresses)
    threads = [threading.Thread(target=senders.loop) for _ in range(int(count))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"seconds": float(seconds), "mails": senders.mails, "failed": senders.failed}))


if __name__ == "__main__":
    main()
