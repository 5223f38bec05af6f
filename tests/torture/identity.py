# SPDX-License-Identifier: GPL-2.0-only
"""Who somebody is: forged PROXY headers and XCLIENT, and names in HELO."""
import re
import socket
import struct

from torture.registry import ENDED, OFFERED, TURNED_AWAY, case

FORGERY = "PROXY protocol 2, 5"
V2 = b"\r\n\r\n\0\r\nQUIT\n"


def v2(command=0x21, family=0x11, body=None):
    """A header of version 2: 127.0.0.1 connects to port 25."""
    body = socket.inet_aton("127.0.0.1") * 2 + struct.pack("!HH", 4000, 25) if body is None else body
    return V2 + bytes([command, family]) + struct.pack("!H", len(body)) + body


HEADERS = {
    "version 1": b"PROXY TCP4 127.0.0.1 127.0.0.1 4000 25\r\n",
    "version 1, IPv6": b"PROXY TCP6 ::1 ::1 4000 25\r\n",
    "version 1, UNKNOWN": b"PROXY UNKNOWN\r\n",
    "version 1, cut": b"PROXY TCP4 127.0.0.1",
    "version 1, 2 KB": b"PROXY TCP4 " + b"1" * 2048 + b"\r\n",
    "version 2": v2(),
    "version 2, LOCAL": v2(0x20, 0, b""),
    "version 2, a length that lies": V2 + b"\x21\x11\xff\xff" + bytes(12),
    "version 2, AF_UNIX": v2(0x21, 0x31, bytes(216)),
}
for title, octets in HEADERS.items():
    def forged(talk, octets=octets):
        """Whatever it is answered, it must not be believed: who comes from 127.0.0.1 may relay."""
        made = talk.open(hello="", greeting="")
        made.send(octets)
        first = made.reply(1.5)
        if first[0] == "2":
            made.send(b"\r\n" if not octets.endswith(b"\n") else b"")
            made.reply(0.2)
        if made.over or first[0] == "5":
            return
        made.send(b"EHLO proxy.example\r\n")
        made.reply()
        talk.expect(made.ask(f"MAIL FROM:<{talk.sender}>"), f"2|{ENDED}", "MAIL")
        talk.expect(made.ask("RCPT TO:<victim@elsewhere.example>"), f"221|{ENDED}", "RCPT to anybody")  # QUIT is in it
    case("identity", f"PROXY header, {title}", FORGERY, f"{octets[:40]!r} before all else", "an error and closed, or not believed")(forged)

    def forged_later(talk, octets=octets):
        made = talk.open()
        made.send(octets + (b"" if octets.endswith(b"\n") else b"\r\n"))
        reply = made.reply()
        talk.expect(reply, ENDED, "PROXY header")
        if not made.over:
            for _ in range(8):
                if made.reply(0.05)[0] not in "5":
                    break
            talk.expect(made.ask(f"MAIL FROM:<{talk.sender}>"), f"2|{ENDED}", "MAIL")
            talk.expect(made.ask("RCPT TO:<victim@elsewhere.example>"), f"221|{ENDED}", "RCPT to anybody")
    case("identity", f"PROXY header after EHLO, {title}", FORGERY, f"{octets[:40]!r} after EHLO", "5xx, and not believed")(forged_later)


LINES = {
    "ADDR": "XCLIENT ADDR=127.0.0.1",
    "ADDR and LOGIN": "XCLIENT ADDR=127.0.0.1 LOGIN=admin",
    "NAME": "XCLIENT NAME=localhost ADDR=[UNAVAILABLE]",
    "small letters": "xclient addr=127.0.0.1",
    "without attributes": "XCLIENT",
    "XFORWARD": "XFORWARD ADDR=127.0.0.1 NAME=localhost SOURCE=LOCAL",
    "XOORG": "XOORG own.example",
    "X-ANONYMOUSTLS": "X-ANONYMOUSTLS",
    "XEXCH50": "XEXCH50 4 2",
}
for title, line in LINES.items():
    def not_believed(talk, line=line):
        made = talk.open()
        talk.must(line.split(" ")[0].upper() not in made.offers, f"{line.split(' ')[0]} is offered")
        talk.expect(made.ask(line), TURNED_AWAY, line)
        talk.expect(made.ask(f"MAIL FROM:<{talk.sender}>"), "250", "MAIL")
        talk.expect(made.ask("RCPT TO:<victim@elsewhere.example>"), TURNED_AWAY, "RCPT to anybody")
    case("identity", f"XCLIENT and such, {title}", "Postfix XCLIENT_README; CVE-2026-28753", line, "not offered; 5xx; nobody is believed")(not_believed)


HELLO_SYNTAX = "RFC 5321 4.1.1.1, 4.1.3"
HELLOS = {
    "without a name": (b"EHLO", TURNED_AWAY),
    "with a blank": (b"EHLO ", TURNED_AWAY),
    "HELO without a name": (b"HELO", TURNED_AWAY),
    "an address": (b"EHLO [192.0.2.1]", OFFERED),
    "an IPv6 address": (b"EHLO [IPv6:2001:db8::1]", OFFERED),
    "small letters": (b"ehlo torture.example", OFFERED),
    "one label": (b"EHLO localhost", f"{OFFERED}|5"),
    "a trailing dot": (b"EHLO torture.example.", f"{OFFERED}|5"),
    "an underscore": (b"EHLO a_b.example", f"{OFFERED}|5"),
    "no bracket at the end": (b"EHLO [192.0.2.1", f"{OFFERED}|5"),
    "an address that is none": (b"EHLO [999.1.1.1]", f"{OFFERED}|5"),
    "two names": (b"EHLO a.example b.example", f"{OFFERED}|5"),
    "8-bit octets": (b"EHLO \xff\xfe.example", f"{OFFERED}|5"),
    "UTF-8": ("EHLO bücher.example".encode(), f"{OFFERED}|5"),
    "NUL": (b"EHLO a\0b.example", ENDED),
    "a script": (b"EHLO <script>alert(1)</script>", f"{OFFERED}|5"),
    "an escape sequence": (b"EHLO \x1b[31mred", f"{OFFERED}|5"),
    "a name of 300 octets": (b"EHLO " + b"a" * 300, f"{OFFERED}|5"),
    "a label of 64 octets": (b"EHLO " + b"a" * 64 + b".example", f"{OFFERED}|5"),
    "a header's end": (b"EHLO x)\tby evil (", f"{OFFERED}|5"),
    "a tab": (b"EHLO\ttorture.example", f"{OFFERED}|5"),
    "a blank before the command": (b" EHLO torture.example", f"{OFFERED}|5"),
    "EHLO with CR in the name": (b"EHLO a\rMAIL FROM:<x@y.example>", ENDED),
    "HELP in its place": (b"HELP", f"{OFFERED}|5"),
}
for title, (line, pattern) in HELLOS.items():
    def hello(talk, line=line, pattern=pattern):
        made = talk.open(hello="")
        reply = talk.expect(made.ask(line), f"2|{pattern}", "hello")
        talk.must(not any(octet in reply for octet in "\x1b\0\xff"), "the name is given back as it is")
        if not made.over:
            talk.expect(made.ask("QUIT"), f"221|{ENDED}", "QUIT")
        talk.strict(re.match(pattern, reply), "taken")
    case("identity", f"HELO, {title}", HELLO_SYNTAX, repr(line[:60]), "an answer, and the name is not given back raw")(hello)


@case("identity", "EHLO ends a transaction", "RFC 5321 4.1.4", "MAIL, RCPT, EHLO, DATA", "503")
def hello_resets(talk):
    made = talk.ready(talk.open())
    talk.hello(made)
    talk.expect(made.ask("DATA"), "503|554", "DATA")


@case("identity", "a wrong EHLO ends nothing", "RFC 5321 4.1.4", "MAIL, RCPT, EHLO without a name, DATA", "354 or 503")
def wrong_hello(talk):
    made = talk.ready(talk.open())
    talk.expect(made.ask("EHLO"), "5", "EHLO")
    talk.expect(made.ask("DATA"), "354|503|554", "DATA")


@case("identity", "a forged trace in the header", "RFC 8601 5", "Authentication-Results and Received of others in the header", "delivered once, octet for octet below the header, or refused")
def forged_header(talk):
    made = talk.data(talk.open())
    made.send(b"Authentication-Results: mx.own.example; spf=pass smtp.mailfrom=forged\r\n" + talk.head() + b"text\r\n.\r\n")
    talk.expect(made.reply(), "250|5", "message")
    talk.arrives(0, 1, b"text\r\n")
