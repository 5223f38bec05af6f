# SPDX-License-Identifier: GPL-2.0-only
"""An SMTP client that sends exactly the octets that it is told to, plain or inside TLS.

Replies are strings: the text of the server's lines joined by " | ", or one of CLOSED, RESET and SILENT. What a
server that has gone cannot take is dropped without an error; the next reply tells of it.
"""
import re
import socket
import ssl
import time

CLOSED, RESET, SILENT, GARBAGE = "closed", "reset", "silent", "garbage"
GONE = f"{CLOSED}|{RESET}"
REPLY_MAX = 1 << 20  # octets of one reply
LINE = re.compile(rb"^(\d{3})([ -]?)")


def context(**options):
    """Takes any certificate: what is tested is not trust. `minimum`, `maximum`: of enum ssl.TLSVersion."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    if "maximum" in options:
        made.set_ciphers("ALL:@SECLEVEL=0")
        made.minimum_version = made.maximum_version = options["maximum"]
    return made


class Client:
    def __init__(self, place, source=None, timeout=5, seen=None):
        self.timeout, self.seen = timeout, [] if seen is None else seen
        self.socket = socket.create_connection(place, timeout, (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls = self.incoming = self.outgoing = None
        self.input, self.over = b"", ""
        self.lines, self.smtp = [], True  # of all replies, with the CR that they end in, while nothing else may come than replies

    # ---- out

    def raw(self, octets, each=0, pause=0.0):
        """To the socket, whatever is on; in pieces of `each` octets with a pause after each."""
        try:
            for start in range(0, len(octets), each or len(octets) or 1):
                self.socket.sendall(octets[start:start + (each or len(octets))])
                if each and pause:
                    time.sleep(pause)
        except (ConnectionError, socket.timeout):
            pass

    def send(self, octets, each=0, pause=0.0):
        """Inside TLS a piece is a record."""
        octets = octets.encode() if isinstance(octets, str) else octets
        if not self.tls:
            return self.raw(octets, each, pause)
        for start in range(0, len(octets), each or len(octets) or 1):
            self.tls.write(octets[start:start + (each or len(octets))])
            self.raw(self.outgoing.read())
            if each and pause:
                time.sleep(pause)
        return None

    # ---- in

    def _read(self):
        """More octets as they are on the wire; b"" and self.over at the end."""
        try:
            octets = self.socket.recv(65536)
            self.over = self.over or ("" if octets else CLOSED)
            return octets
        except ConnectionError:
            self.over = RESET
        except (socket.timeout, BlockingIOError):
            pass
        return b""

    def _more(self):
        """More input; False if there is none in time, or none any more."""
        if not self.tls:
            octets = self._read()
            self.input += octets
            return bool(octets)
        while True:
            try:
                octets = self.tls.read(65536)
                if octets:
                    self.input += octets
                    return True
                self.over = CLOSED
                return False
            except ssl.SSLWantReadError:
                octets = self._read()
                if not octets:
                    return False
                self.incoming.write(octets)
            except ssl.SSLError:
                self.over = CLOSED
                return False

    def reply(self, timeout=None):
        """The next reply."""
        end, lines = time.monotonic() + (timeout or self.timeout), []
        while True:
            while b"\n" in self.input:
                line, self.input = self.input.split(b"\n", 1)
                self.lines += [line] if self.smtp else []
                lines.append(line.rstrip(b"\r").decode("latin-1"))
                found = LINE.match(line)
                if not found:
                    return self._saw(f"{GARBAGE} {lines}")
                if found[2] != b"-":
                    return self._saw(" | ".join(lines))
            left = end - time.monotonic()
            if self.over or left <= 0 or len(self.input) > REPLY_MAX:
                return self._saw(self.over or SILENT)
            self.socket.settimeout(left)
            self._more()

    def _saw(self, reply):
        self.seen.append(reply)
        return reply

    def replies(self, timeout=None):
        """All until the server closes, or is silent; the last is how it ended."""
        found = [self.reply(timeout)]
        while found[-1] not in (CLOSED, RESET, SILENT):
            found.append(self.reply(timeout))
        return found

    def ask(self, line, timeout=None):
        self.send((line if isinstance(line, bytes) else line.encode()) + b"\r\n")
        return self.reply(timeout)

    # ---- TLS

    def handshake(self, tls=None, each=0, pause=0.0):
        """Begins TLS; True if it is on."""
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.input, self.smtp = b"", False
        talk = (tls or context()).wrap_bio(self.incoming, self.outgoing, server_hostname="mx.test")
        end = time.monotonic() + self.timeout
        while not self.over:
            try:
                talk.do_handshake()
                self.raw(self.outgoing.read(), each, pause)
                self.tls, self.smtp = talk, True
                self.seen.append("TLS")
                return True
            except ssl.SSLWantReadError:
                self.raw(self.outgoing.read(), each, pause)
                self.socket.settimeout(max(0.01, end - time.monotonic()))
                octets = self._read()
                if not octets and not self.over:
                    break
                self.incoming.write(octets)
            except ssl.SSLError as error:
                self.raw(self.outgoing.read())
                self.seen.append(f"no TLS: {error.reason}")
                return False
        self.seen.append(f"no TLS: {self.over or SILENT}")
        return False

    def end_tls(self):
        """close_notify, and the socket stays open."""
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass
        self.raw(self.outgoing.read())
        self.tls, self.smtp = None, False

    def half_close(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def abort(self):
        """Ends with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def close(self):
        self.socket.close()
