# SPDX-License-Identifier: GPL-2.0-only
"""Senders that deliver a number of messages whatever happens to the servers, as mail servers do: who is told nothing tries again.

Run(front, prefix, count, seconds) starts them in a lab, and tells at the end what became of the messages.

usage: mailrun.py HOST COUNT THREADS PREFIX OWN SECONDS ADDRESS ...
prints a list of {"id", "tries": [reply or "lost", ...]}. A message is done when a reply with 2xx or 5xx has come for it; a lost
reply after the final dot is "lost" and counts as told nothing.
"""
import itertools
import json
import socket
import sys
import threading
import time

from lab import GATEWAY4, wait_until
from torturebed import OWN

THREADS = 8
SOURCES = [f"203.0.113.{host}" for host in range(30, 40)]
PAUSE = 0.15  # seconds until the next try
LINE_PATIENCE = 20


def attempt(host, source, own, word):
    """The reply that decides about the message; or "early" and why, if it ended before the text was sent; or "lost"."""
    sent = False
    try:
        with socket.create_connection((host, 25), LINE_PATIENCE, (source, 0)) as connection, connection.makefile("rb") as answers:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            lines = [None, b"EHLO mail.addressed.example\r\n", b"MAIL FROM:<%s@addressed.example>\r\n" % word.encode(),
                     b"RCPT TO:<user@%s>\r\n" % own.encode(), b"DATA\r\n",
                     b"Subject: %s\r\nMessage-ID: <%s@addressed.example>\r\n\r\n%s.\r\n" % (word.encode(), word.encode(), b"A line of text.\r\n" * 300)]
            for number, line in enumerate(lines):
                if line:
                    sent = number == len(lines) - 1
                    connection.sendall(line)
                reply = answers.readline()
                while reply[3:4] == b"-":
                    reply = answers.readline()
                if not reply:
                    raise ConnectionError
                if reply[:1] not in b"23" or sent:
                    text = reply.decode().strip()
                    return text if sent or text[0] == "5" else f"early {text}"
    except OSError:
        return "lost" if sent else "early"
    return "early"


def deliver(host, source, own, word, end):
    tries = []
    while True:
        tries.append(attempt(host, source, own, word))
        if tries[-1][0] in "25" or time.monotonic() > end:
            return {"id": word, "tries": tries}
        time.sleep(PAUSE)


class Run:
    """So many messages under way to a front (frontbed.py) before sinks, for so many seconds at most, and what became of each."""

    def __init__(self, front, prefix, count, seconds):
        self.front, self.prefix, self.seconds = front, prefix, seconds
        self.path = front.lab.directory / f"{prefix}.json"
        with open(self.path, "w") as out:  # not a pipe: nobody reads before the end
            self.process = front.lab.start(front.lab.internet, sys.executable, __file__, GATEWAY4, count, THREADS, prefix, OWN, seconds, *SOURCES,
                                           stdout=out)

    def arrived(self):
        """{id: how often}"""
        counts = {}
        for backend in self.front.backends:
            for row in backend.messages():
                word = row["from"].partition("<")[2].partition("@")[0]
                if word.startswith(self.prefix):
                    counts[word] = counts.get(word, 0) + 1
        return counts

    def wait_for(self, number):
        wait_until(lambda: sum(self.arrived().values()) >= number or self.process.poll() is not None, 30, f"{number} messages")

    def rows(self):
        self.process.wait(self.seconds + 60)
        return json.loads(self.path.read_text())

    def end(self):
        """The table of outcomes; nothing may be lost."""
        rows = self.rows()
        counts, table = self.arrived(), {"told 250": 0, "told 5xx": 0, "unfinished": 0, "in doubt": 0, "lost": 0, "doubled": 0, "doubled unasked": 0}
        for row in rows:
            copies, tries = counts.get(row["id"], 0), row["tries"]
            taken, doubts = tries[-1][0] == "2", sum(reply == "lost" or reply[0] == "4" for reply in tries)
            table["told 250"] += taken
            table["told 5xx"] += tries[-1][0] == "5"
            table["unfinished"] += tries[-1][0] not in "25"
            table["in doubt"] += doubts > 0
            table["lost"] += taken and copies == 0
            table["doubled"] += max(0, copies - 1)
            table["doubled unasked"] += max(0, copies - 1 - doubts)
        assert table["lost"] == 0 and table["doubled unasked"] == 0, table
        return table


def main():
    host, count, threads, prefix, own, seconds, *addresses = sys.argv[1:]
    numbers, lock, rows = iter(range(int(count))), threading.Lock(), []
    sources, end = itertools.cycle(addresses), time.monotonic() + float(seconds)

    def work():
        while True:
            with lock:
                number, source = next(numbers, None), next(sources)
            if number is None:
                return
            rows.append(deliver(host, source, own, f"{prefix}{number:05d}x", end))
    workers = [threading.Thread(target=work) for _ in range(int(threads))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
