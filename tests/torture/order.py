# SPDX-License-Identifier: GPL-2.0-only
"""Who talks when: before the greeting, and in groups of commands (RFC 2920 3.1)."""
from torture.client import GONE, SILENT
from torture.registry import REFUSED, case

RULES = "RFC 2920 3.1"


@case("order", "EHLO before the greeting", "RFC 5321 3.1, 4.3.1", "EHLO as soon as the connection is open", "554 or 521, and closed")
def early(talk):
    made = talk.open(hello="", greeting="")
    made.send(b"EHLO early.example\r\n")
    talk.strict(made.reply()[0] == "5", "greeted in spite of it")
    talk.expect(made.replies()[-1], GONE, "afterwards")


@case("order", "a whole mail before the greeting", "RFC 5321 3.1, 4.3.1", "a whole dialogue at once", "554 or 521, and closed; nothing arrives")
def early_mail(talk):
    made = talk.open(hello="", greeting="")
    made.send(f"EHLO x.example\r\nMAIL FROM:<{talk.sender}>\r\nRCPT TO:<{talk.target.rcpt}>\r\nDATA\r\n".encode() + talk.head() + b".\r\nQUIT\r\n")
    talk.strict(made.reply()[0] == "5", "greeted in spite of it")
    talk.expect(made.replies()[-1], GONE, "afterwards")
    talk.arrives(0)


@case("order", "a request of another protocol", "RFC 5321 3.1", "GET / HTTP/1.1 at once", "5xx, and closed")
def http(talk):
    made = talk.open(hello="", greeting="")
    made.send(b"GET / HTTP/1.1\r\nHost: mx.example\r\n\r\n")
    talk.expect(made.replies()[-1], GONE, "afterwards")


@case("order", "TLS before the greeting", "RFC 3207 4", "a ClientHello at once", "no TLS; an error or closed")
def tls_early(talk):
    made = talk.open(hello="", greeting="")
    talk.must(not made.handshake(), "TLS was taken")
    talk.must(b"\x16\x03" not in made.input, "TLS was answered")


@case("order", "a pipelined group", RULES, "MAIL, RCPT, RCPT, DATA in one segment", "answered in order; delivered once")
def group(talk):
    made = talk.open()
    to = talk.target.rcpt
    made.send(f"MAIL FROM:<{talk.sender}>\r\nRCPT TO:<{to}>\r\nRCPT TO:<other@elsewhere.example>\r\nDATA\r\n".encode())
    for code in ("250", "250", "5|4", "354"):
        talk.expect(made.reply(), code, "reply")
    talk.deliver(made, b"text\r\n")


@case("order", "a group, octet by octet", RULES, "MAIL, RCPT, DATA without waiting, an octet a segment", "answered in order")
def group_slowly(talk):
    made = talk.open()
    made.send(f"MAIL FROM:<{talk.sender}>\r\nRCPT TO:<{talk.target.rcpt}>\r\nDATA\r\n", each=1, pause=0.0005)
    for code in ("250", "250", "354"):
        talk.expect(made.reply(), code, "reply")
    talk.deliver(made, b"text\r\n")


@case("order", "a group that begins with RSET", RULES, "RSET, MAIL, RCPT, DATA in one segment", "answered in order")
def group_reset(talk):
    made = talk.open()
    made.send(f"RSET\r\nMAIL FROM:<{talk.sender}>\r\nRCPT TO:<{talk.target.rcpt}>\r\nDATA\r\n")
    for code in ("250", "250", "250", "354"):
        talk.expect(made.reply(), code, "reply")
    talk.deliver(made, b"text\r\n")


@case("order", "a group in which all is refused", RULES, "MAIL, a refused RCPT, DATA in one segment", "503 or 554 for DATA, or 354 and nothing arrives")
def group_refused(talk):
    made = talk.open()
    made.send(f"MAIL FROM:<{talk.sender}>\r\nRCPT TO:<other@elsewhere.example>\r\nDATA\r\n")
    talk.expect(made.reply(), "250", "MAIL")
    talk.expect(made.reply(), "5|4", "RCPT")
    if talk.expect(made.reply(), "354|503|554", "DATA").startswith("354"):
        made.send(b".\r\n")
        talk.expect(made.reply(), REFUSED, "message")
    talk.expect(made.ask("NOOP"), "250", "NOOP")
    talk.arrives(0)


# What must be the last of a group, with something behind it.
FORBIDDEN = {
    "EHLO": ("EHLO torture.example", "MAIL FROM:<{sender}>"),
    "HELO": ("HELO torture.example", "MAIL FROM:<{sender}>"),
    "VRFY": ("VRFY user", "NOOP"),
    "NOOP": ("NOOP", "NOOP"),
    "QUIT": ("QUIT", "NOOP"),
}
for word, lines in FORBIDDEN.items():
    def behind(talk, lines=lines):
        made = talk.open()
        made.send("".join(line.format(sender=talk.sender) + "\r\n" for line in lines))
        found = made.replies(1)
        talk.strict(found[-1] != SILENT and sum(reply[0] == "2" for reply in found) <= 1, f"both were answered: {found}")
    case("order", f"a command behind {word}", RULES, " and ".join(lines) + " in one segment", "554, and closed")(behind)


@case("order", "a group before EHLO was answered", RULES, "EHLO, MAIL, RCPT in the first segment after the greeting", "554, and closed")
def group_first(talk):
    made = talk.open(hello="")
    made.send(f"EHLO torture.example\r\nMAIL FROM:<{talk.sender}>\r\nRCPT TO:<{talk.target.rcpt}>\r\n")
    found = made.replies(1)
    talk.strict(found[-1] != SILENT and sum(reply[0] == "2" for reply in found) <= 1, f"answered: {found}")


@case("order", "a group after HELO", RULES, "HELO; MAIL, RCPT in one segment: PIPELINING was not offered", "554, and closed")
def group_helo(talk):
    made = talk.open(hello="HELO")
    made.send(f"MAIL FROM:<{talk.sender}>\r\nRCPT TO:<{talk.target.rcpt}>\r\n")
    found = made.replies(1)
    talk.strict(found[-1] != SILENT and sum(reply[0] == "2" for reply in found) <= 1, f"answered: {found}")


@case("order", "a message behind DATA", RULES, "DATA and the text in one segment, before 354", "554, and closed; nothing arrives")
def data_behind(talk):
    made = talk.ready(talk.open())
    made.send(b"DATA\r\n" + talk.head() + b"text\r\n.\r\n")
    found = made.replies(1)
    talk.strict(found[-1] != SILENT and not any(reply.startswith("250") for reply in found), f"taken: {found}")
    talk.arrives(0)


@case("order", "commands behind a refused DATA", "RFC 2920 3.1; RFC 5321 4.5.4", "DATA without a recipient, and a text with commands in it", "not one command of the text is obeyed")
def text_as_commands(talk):
    made = talk.open()
    talk.expect(made.ask(f"MAIL FROM:<{talk.sender}>"), "250", "MAIL")
    made.send(f"DATA\r\nRSET\r\nMAIL FROM:<smuggled.{talk.sender}>\r\nRCPT TO:<{talk.target.rcpt}>\r\n.\r\n")
    found = made.replies(1)
    talk.must(found[-1] != SILENT and not any(reply.startswith("250") for reply in found), f"obeyed: {found}")
    talk.arrives(0)


@case("order", "the verdict comes once", RULES, "QUIT twice in one segment", "one 221, and closed")
def quit_twice(talk):
    made = talk.open()
    made.send(b"QUIT\r\nQUIT\r\n")
    found = made.replies()
    talk.must(sum(reply.startswith("221") for reply in found) <= 1 and found[-1] != SILENT, f"{found}")
