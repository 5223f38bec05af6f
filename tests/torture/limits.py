# SPDX-License-Identifier: GPL-2.0-only
"""Lengths and numbers (RFC 5321 4.5.3), floods of commands, and clients that are slow or do not read."""
import re
import time

from torture.client import GONE, SILENT
from torture.registry import ENDED, TURNED_AWAY, case

FLOOD_SECONDS = 6     # whom a server keeps waiting for so long does no harm
COMMANDS_MAX = 3000  # of a session that leads to nothing, before it has to end


def line_case(size, pattern):
    def run(talk):
        made = talk.open()
        made.send(b"NOOP " + b"x" * (size - 7) + b"\r\n")
        reply = talk.expect(made.reply(), f"2|{pattern}", "NOOP")
        if not made.over:
            talk.expect(made.ask("QUIT"), f"221|{ENDED}", "QUIT: one answer to one line?")
        talk.strict(re.match(pattern, reply), "taken")
    case("limits", f"a command of {size} octets", "RFC 5321 4.5.3.1.4", "NOOP with a long text", f"one of {pattern}; one answer")(run)


line_case(512, "250|50[01]")
line_case(513, ENDED)
line_case(2048, ENDED)
line_case(20000, ENDED)


@case("limits", "a command of 1 MB without an end", "RFC 5321 4.5.3.1.4", "octets without CRLF", "500 or 421, or closed; memory is bounded")
def no_end(talk):
    made = talk.open()
    made.send(b"x" * (1 << 20))
    made.send(b"\r\nQUIT\r\n")
    talk.expect(made.reply(), ENDED, "line")
    talk.alive()


@case("limits", "a long command, cut", "RFC 5321 4.5.3.1.4", "600 octets, and after a pause a command", "500; what follows belongs to the line")
def long_cut(talk):
    made = talk.open()
    made.send(b"NOOP " + b"x" * 600)
    made.reply(0.1)
    made.send(f"MAIL FROM:<{talk.sender}>\r\n".encode())
    made.reply(0.5)
    if not made.over:
        talk.expect(made.ask(f"RCPT TO:<{talk.target.rcpt}>"), ENDED, "RCPT: was the end of the line obeyed?")


FLOODS = {"NOOP": "NOOP", "RSET": "RSET", "VRFY": "VRFY user", "HELP": "HELP", "EHLO": "EHLO again.example", "unknown commands": "WRONG",
          "empty lines": "", "MAIL and RSET": "MAIL FROM:<flood@{sender}>\r\nRSET", "RCPT to others": "RCPT TO:<x@elsewhere.example>"}
for title, line in FLOODS.items():
    def flood(talk, line=line):
        made = talk.open()
        talk.expect(made.ask(f"MAIL FROM:<{talk.sender}>"), "250", "MAIL")
        text = line.format(sender=talk.target.sender)
        answers, end = text.count("\r\n") + 1, time.monotonic() + FLOOD_SECONDS
        for _ in range(COMMANDS_MAX // answers):
            made.send(text + "\r\n")
            for _ in range(answers):
                reply = made.reply()
            if made.over or reply.startswith("421"):
                made.seen[:] = made.seen[-3:]
                return
            made.seen[:] = made.seen[-3:]
            if time.monotonic() > end:
                made.seen.append("slowed down")
                return
        talk.must(False, f"{COMMANDS_MAX} commands")
    case("limits", f"a flood: {title}", "RFC 5321 4.3.2, 7.8", f"{line!r}, one after the other", f"421 or closed after at most {COMMANDS_MAX}")(flood)


@case("limits", "recipients", "RFC 5321 4.5.3.1.8, .10", "RCPT 5,000 times", "at least 100 are taken, and then 452, 4xx or 421")
def recipients(talk):
    made = talk.open()
    talk.expect(made.ask(f"MAIL FROM:<{talk.sender}>"), "250", "MAIL")
    taken, reply, group = 0, "", 50
    for _ in range(5000 // group):
        made.send(f"RCPT TO:<{talk.target.rcpt}>\r\n" * group)
        for _ in range(group):
            reply = made.reply()
            taken += reply.startswith("250")
            if reply[0] in "45" or made.over:
                break
        if reply[0] in "45" or made.over:
            break
    made.seen[:] = [*made.seen[:3], f"{taken} taken", reply]
    talk.must(taken >= 100, f"only {taken} were taken")
    talk.expect(reply, f"45|42|55|{GONE}", "the last")


@case("limits", "a slow client is served", "RFC 5321 4.5.3.2", "a command, an octet every 0.2 s", "answered as any")
def slow(talk):
    made = talk.open()
    made.send(b"NOOP\r\n", each=1, pause=0.2)
    talk.expect(made.reply(), "250", "NOOP")


@case("limits", "who does not read", "RFC 5321 4.5.3.2; RFC 2920 3.1", "2 MB of RSET without reading a reply", "the server lives, and its memory is bounded")
def no_reading(talk):
    made = talk.open()
    made.socket.settimeout(0.5)
    made.raw(b"RSET\r\n" * 350000, each=60000, pause=0.001)
    talk.alive()


@case("limits", "a connection that says nothing", "RFC 5321 4.5.3.2.7", "no octet for two seconds", "not closed within them")
def silence(talk):
    made = talk.open(hello="")
    talk.expect(made.reply(2), SILENT, "nothing")
    talk.expect(made.ask("QUIT"), "221", "QUIT")


@case("limits", "half-closed before QUIT", "RFC 1122 4.2.2.13", "EHLO, FIN, and reading on", "closed")
def half_closed(talk):
    made = talk.open()
    made.half_close()
    talk.expect(made.replies()[-1], GONE, "afterwards")


@case("limits", "half-closed behind a group", "RFC 1122 4.2.2.13", "MAIL, RCPT, FIN, and reading on", "answered, and closed")
def half_closed_group(talk):
    made = talk.open()
    made.send(f"MAIL FROM:<{talk.sender}>\r\nRCPT TO:<{talk.target.rcpt}>\r\n")
    made.half_close()
    talk.expect(made.reply(), f"250|{GONE}", "MAIL")
    talk.expect(made.replies()[-1], GONE, "afterwards")


@case("limits", "reset at every stage", "RFC 9293 3.5.2", "RST after connect, greeting, EHLO, MAIL, RCPT, DATA", "the server lives; nothing arrives")
def resets(talk):
    for stage in range(5):
        made = talk.open(hello="" if stage < 1 else "EHLO")
        for line in ([], [], ["MAIL"], ["MAIL", "RCPT"], ["MAIL", "RCPT", "DATA"])[stage]:
            made.ask({"MAIL": f"MAIL FROM:<{talk.sender}>", "RCPT": f"RCPT TO:<{talk.target.rcpt}>"}.get(line, line))
        made.abort()
    talk.alive()
    talk.arrives(0)


@case("limits", "many connections that come and go", "RFC 5321 4.5.4.2", "300 connections, closed at once", "the server lives")
def come_and_go(talk):
    for _ in range(300):
        talk.open(hello="", greeting="").close()
        talk.clients.clear()
    time.sleep(0.1)
    talk.alive()


@case("limits", "a refused recipient at the end of many", "RFC 5321 4.2.5", "99 good recipients and one at another domain", "250, and 5xx for the one")
def one_of_many(talk):
    made = talk.open()
    talk.expect(made.ask(f"MAIL FROM:<{talk.sender}>"), "250", "MAIL")
    made.send(f"RCPT TO:<{talk.target.rcpt}>\r\n" * 99 + "RCPT TO:<x@elsewhere.example>\r\n")
    for number in range(99):
        talk.expect(made.reply(), "250", f"recipient {number}")
    talk.expect(made.reply(), TURNED_AWAY, "the last")
    made.seen[:] = made.seen[-2:]
