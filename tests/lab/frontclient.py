# SPDX-License-Identifier: GPL-2.0-only
"""A client in the internet that talks to the front (frontbed.py) as a test wants it to."""
import contextlib
import json
import subprocess

import senders
from frontbed import SENDER, USER
from lab import BUILD, GATEWAY4, GATEWAY6
from wire import inside

from torture.client import Client  # torturebed has made tests/torture known

MAIL = f"MAIL FROM:<sender@{SENDER}>"
RCPT = f"RCPT TO:<{USER}>"


def refused(front, reason):
    """What was refused in sessions, or before them, as the metrics have it."""
    return front.guard.metric("postern_smtp_refused_total", reason=reason)


@contextlib.contextmanager
def opened(front, source, number, dest=GATEWAY4):
    """So many connections."""
    sockets = []
    try:
        for _ in range(number):
            sockets.append(senders.connect(senders.Way(front.lab.internet, source, dest)))
        yield sockets
    finally:
        for each in sockets:
            each.close()


class Session(Client):
    """
    It has been greeted and has said EHLO. `first`: octets that are sent before all else, in pieces of `each`; `place`: host and port, if
    not the gateway's; `hello`: its name.
    """

    def __init__(self, front, source="203.0.113.26", first=b"", each=0, place=None, hello=f"mail.{SENDER}"):
        with inside(front.lab.internet):
            super().__init__(place or (GATEWAY6 if ":" in source else GATEWAY4, 25), source, 30)
        self.raw(first, each, 0.002)
        self.says(None, "220")
        self.offers = self.says(f"EHLO {hello}", "250")

    def says(self, line, code):
        reply = self.reply() if line is None else self.ask(line)
        assert reply.startswith(code), (line, reply)
        return reply

    def mail(self, to=(USER,), parameters=""):
        self.says(f"{MAIL}{parameters}", "250")
        return [self.ask(line if "TO:" in line else f"RCPT TO:<{line}>") for line in to]

    def data(self, octets):
        self.says("DATA", "354")
        stuffed = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in octets.split(b"\r\n"))
        self.send(stuffed + b".\r\n")
        return self.reply(60)

    def chunks(self, octets, size):
        reply = ""
        for start in range(0, len(octets), size):
            piece = octets[start:start + size]
            self.send(b"BDAT %d%s\r\n" % (len(piece), b" LAST" if start + size >= len(octets) else b"") + piece)
            reply = self.reply(60)
        return reply


class Drip:
    """So many slow connections (drip.c), from addresses of a network, until end() tells what became of them."""

    def __init__(self, lab, count, network, text, head=""):
        self.process = lab.start(lab.internet, BUILD.resolve() / "tests/drip", GATEWAY4, 25, count, network, head, text, stdout=subprocess.PIPE, text=True)

    def opened(self):
        """How many there are, when all are open that can be had."""
        return json.loads(self.process.stdout.readline())["open"]

    def result(self, seconds=60):
        """When the server has ended all of them: see drip.c."""
        out, _ = self.process.communicate(timeout=seconds)
        return json.loads(out.splitlines()[-1])

    def end(self):
        """The same, now."""
        self.process.terminate()
        return self.result()
