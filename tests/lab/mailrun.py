# SPDX-License-Identifier: GPL-2.0-only
"""Senders that deliver a number of messages whatever happens to the servers, as mail servers do: who is told nothing tries again.

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
    while time.monotonic() < end:
        reply = attempt(host, source, own, word)
        tries.append(reply)
        if reply[0] in "25":
            break
        time.sleep(PAUSE)
    return {"id": word, "tries": tries}


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
