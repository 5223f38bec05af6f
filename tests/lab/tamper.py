# SPDX-License-Identifier: GPL-2.0-only
"""Mail servers that do what no real one does: each spoils STARTTLS in a way of its own, and writes down what it was told.

A row of PLAINS is a way to spoil the plain part. Those that do get as far as TLS speak it with a certificate that a test gives.
"""
import contextlib
import socket
import ssl
import threading

from wire import inside

OFFER = b"250-mx.own.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 STARTTLS\r\n"
NO_OFFER = b"250-mx.own.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
READY = b"220 2.0.0 ready\r\n"
# {name: (greeting, answer to EHLO, answer to STARTTLS)}; what stands behind a line in one answer is sent in the same segment.
HONEST = b"220 mx.own.example ESMTP\r\n", OFFER, READY
PLAINS = {
    "honest": HONEST,
    "an answer behind 220": (HONEST[0], OFFER, READY + b"250 2.0.0 injected\r\n"),
    "an answer to EHLO behind 220": (HONEST[0], OFFER, READY + NO_OFFER),
    "half an answer behind 220": (HONEST[0], OFFER, READY + b"250-mx.own"),
    "a NUL behind 220": (HONEST[0], OFFER, READY + b"\0"),
    "220 behind the answer to EHLO": (HONEST[0], OFFER + READY, READY),
    "all answers behind the greeting": (HONEST[0] + OFFER + READY, b"", b""),
    "no STARTTLS": (HONEST[0], NO_OFFER, READY),
    "a keyword that was overwritten": (HONEST[0], OFFER.replace(b"STARTTLS", b"XXXXXXXA"), READY),
    "454": (HONEST[0], OFFER, b"454 4.7.0 TLS is not available\r\n"),
    "502": (HONEST[0], OFFER, b"502 5.5.1 what is STARTTLS?\r\n"),
    "250 in place of 220": (HONEST[0], OFFER, b"250 2.0.0 go on in plain text\r\n"),
}


class Server:
    """
    One server at host:port of the lab's gateway. `certificate`: chain and key, to get as far as TLS. `late`: octets that are sent
    in plain behind 220, when the client has begun with TLS. `most`: the newest version of TLS that it speaks.
    """

    def __init__(self, lab, host, port, kind="honest", certificate=None, late=b"", most=None):
        self.place, self.kind, self.late = f"{host}:{port}", kind, late
        self.plain, self.secret = [], []  # lines that were said to it, before TLS and inside
        self.tls = self.context(certificate, most) if certificate else None
        with inside(lab.gateway):
            self.socket = socket.create_server((host, port), backlog=64)
        threading.Thread(target=self.serve, daemon=True).start()

    @staticmethod
    def context(certificate, most):
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if most:
            made.set_ciphers("ALL:@SECLEVEL=0")
            made.minimum_version, made.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, most
        made.load_cert_chain(*certificate)
        return made

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                threading.Thread(target=self.session, args=(client,), daemon=True).start()

    def session(self, client):
        client.settimeout(20)
        with client, contextlib.suppress(OSError):
            greeting, ehlo, starttls = PLAINS[self.kind]
            client.sendall(greeting)
            if self.talk(client, self.plain, ehlo, starttls) != b"STARTTLS" or not starttls.startswith(b"220"):
                return
            if self.late:
                client.recv(1, socket.MSG_PEEK)
                client.sendall(self.late)
            if self.tls:
                with self.tls.wrap_socket(client, server_side=True) as secure:
                    self.talk(secure, self.secret, NO_OFFER, b"")
            else:
                self.plain.append(client.recv(65536))  # what is said now may be TLS, or mail

    @staticmethod
    def answer(word, ehlo, starttls):
        return {b"EHLO": ehlo, b"STARTTLS": starttls, b"DATA": b"354 go on\r\n", b"QUIT": b"221 2.0.0 bye\r\n"}.get(word, b"250 2.0.0 ok\r\n")

    def talk(self, client, lines, ehlo, starttls):
        """Until TLS may begin, or the end; returns the last command."""
        text, word = False, b""
        with client.makefile("rb", buffering=0) as file:
            while line := file.readline():
                lines.append(line)
                if text and line != b".\r\n":
                    continue
                word = line.split(b" ")[0].strip().upper()
                text = word == b"DATA"
                client.sendall(self.answer(word, ehlo, starttls))
                if word in (b"STARTTLS", b"QUIT"):
                    break
        return word


class Holder:
    """
    A server that takes everything, and keeps back its answer to DATA, or to the dot (`hold`: b"DATA" or b"."), until it is released.
    What it has heard to the end is in `mails`, answered or not.
    """

    def __init__(self, lab, host, port):
        self.hold, self.reached, self.released, self.mails = b"", threading.Event(), threading.Event(), []
        with inside(lab.gateway):
            self.socket = socket.create_server((host, port), backlog=64)
        threading.Thread(target=self.serve, daemon=True).start()

    close, serve = Server.close, Server.serve

    def hold_at(self, word):
        self.hold = word
        self.reached.clear()
        self.released.clear()

    def release(self):
        self.hold = b""
        self.released.set()

    def answer(self, file, word, text):
        if word == self.hold:
            self.reached.set()
            self.released.wait(60)
        file.write(text)

    def session(self, client):
        with client, client.makefile("rwb", buffering=0) as file, contextlib.suppress(OSError):
            file.write(HONEST[0])
            while line := file.readline():
                word = line.split(b" ")[0].strip().upper()
                self.answer(file, word, Server.answer(word, NO_OFFER, b""))
                if word == b"DATA" and (mail := self.message(file)):
                    self.mails.append(mail)
                    self.answer(file, b".", b"250 2.0.0 taken\r\n")

    @staticmethod
    def message(file):
        """All lines up to the dot; b"" if there is none."""
        lines = []
        while line := file.readline():
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line)
        return b""
