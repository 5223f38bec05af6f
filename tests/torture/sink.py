#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A mail server that takes everything and writes down which octets arrived: the server behind the one that is tested.

usage: sink.py LOG ADDRESS:PORT

LOG gets a line of JSON for each message, {"from", "to", "octets", "bare", "by", "session", "client"} with octets as latin-1; client is what
XCLIENT said.
"""
import json
import re
import socket
import socketserver
import sys
import threading
import time

KEYWORDS = ["PIPELINING", "SIZE 104857600", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES", "CHUNKING", "XCLIENT ADDR PORT NAME HELO LOGIN PROTO"]
BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
BUFFER = 1 << 16


class Session(socketserver.BaseRequestHandler):
    def setup(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input, self.sender, self.to, self.chunks = b"", None, [], None
        self.client = ""
        self.number = self.server.next_session()

    def say(self, text):
        self.request.sendall(text.encode() + b"\r\n")

    def more(self):
        octets = self.request.recv(BUFFER)
        if not octets:
            raise ConnectionError
        self.input += octets

    def line(self):
        while b"\r\n" not in self.input:
            self.more()
        line, self.input = self.input.split(b"\r\n", 1)
        return line

    def handle(self):
        try:
            self.say("220 sink.test ESMTP")
            while self.command(self.line()):
                pass
        except OSError:
            pass

    def command(self, line):
        word = line.split(b" ")[0].split(b":")[0].upper().decode("latin-1")
        do = getattr(self, f"do_{word.lower()}", None) if word.isalpha() else None
        if not do:
            self.say("500 5.5.2 unknown")
            return True
        return do(line) is not False

    def do_ehlo(self, _line):
        self.reset()
        lines = ["sink.test", *KEYWORDS]
        self.say("\r\n".join(f"250{' ' if number == len(lines) else '-'}{text}" for number, text in enumerate(lines, 1)))

    def do_helo(self, _line):
        self.reset()
        self.say("250 sink.test")

    def do_xclient(self, line):
        self.client = line.decode("latin-1")
        self.say("220 sink.test ESMTP")

    def reset(self):
        self.sender, self.to, self.chunks = None, [], None

    def do_mail(self, line):
        self.reset()
        self.sender = line.decode("latin-1")
        self.say("250 2.1.0 ok")

    def do_rcpt(self, line):
        self.to.append(line.decode("latin-1"))
        self.say("250 2.1.5 ok")

    def do_data(self, _line):
        if not self.to:
            self.say("554 5.5.1 no recipients")
            return
        self.say("354 go on")
        wire = self.input
        start = 0
        while True:
            end = 0 if wire.startswith(b".\r\n") else wire.find(b"\r\n.\r\n", start) + 2
            if end >= 2 or wire.startswith(b".\r\n"):
                break
            start = max(0, len(wire) - 5)
            octets = self.request.recv(BUFFER)
            if not octets:
                raise ConnectionError
            wire += octets
        self.input = wire[end + 3:]
        self.complete(re.sub(rb"(^|\r\n)\.", rb"\1", wire[:end]), "DATA")

    def do_bdat(self, line):
        words = line.split()
        size, pieces = int(words[1]), []
        while size:
            if not self.input:
                self.more()
            pieces.append(self.input[:size])
            self.input = self.input[size:]
            size -= len(pieces[-1])
        self.chunks = (self.chunks or b"") + b"".join(pieces)
        if len(words) < 3:
            self.say("250 2.0.0 chunk")
        else:
            self.complete(self.chunks, "BDAT")

    def complete(self, octets, by):
        self.server.note(session=self.number, **{"from": self.sender, "to": self.to, "octets": octets.decode("latin-1"),
                                                 "bare": bool(BARE.search(octets)), "by": by, "client": self.client})
        self.say("250 2.0.0 taken")
        self.reset()

    def do_rset(self, _line):
        self.reset()
        self.say("250 2.0.0 ok")

    def do_noop(self, _line):
        self.say("250 2.0.0 ok")

    def do_vrfy(self, _line):
        self.say("252 2.0.0 perhaps")

    def do_quit(self, _line):
        self.say("221 2.0.0 bye")
        return False


class Sink(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 1024

    def __init__(self, log, place):
        self.address_family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        self.file, self.lock, self.sessions = open(log, "a", buffering=1), threading.Lock(), 0
        super().__init__(place, Session)

    def next_session(self):
        with self.lock:
            self.sessions += 1
            return self.sessions

    def note(self, **what):
        with self.lock:
            self.file.write(json.dumps({"time": time.time(), **what}) + "\n")


def messages(log):
    """What a sink has written down of messages so far; it may be in the middle of a line."""
    with open(log) as file:
        whole, _newline, _begun = file.read().rpartition("\n")
    return [json.loads(line) for line in whole.split("\n") if line]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    log, place = sys.argv[1:]
    host, port = place.rsplit(":", 1)
    Sink(log, (host.strip("[]"), int(port))).serve_forever()


if __name__ == "__main__":
    sys.exit(main())
