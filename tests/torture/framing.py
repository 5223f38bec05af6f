# SPDX-License-Identifier: GPL-2.0-only
"""Where a message ends (RFC 5321 4.1.1.4), and what must not be taken for its end.

Each sequence stands in a message before what would be a second transaction, if a server took the sequence for the end.
"""
import json
import os
import pathlib

from torture.client import CLOSED, GONE, RESET, SILENT
from torture.registry import ENDED, Bad, case

ROOT = pathlib.Path(__file__).resolve().parents[2]
VECTORS = pathlib.Path(os.environ.get("POSTERN_VECTORS", ROOT / "../shared/vectors")) / "smtp/end_of_data_cases.json"
SMUGGLING = "RFC 5321 2.3.8, 4.1.1.4; CVE-2023-51764, -65, -66"
END = b"\r\n.\r\n"

# What may go on as it is: whole lines, though odd ones, that no server takes for an end.
ODD_LINES = {
    "dot and space": b"\r\n. \r\n",
    "space and dot": b"\r\n .\r\n",
    "dot and tab": b"\r\n.\t\r\n",
    "dot and vertical tab": b"\r\n.\x0b\r\n",
    "dot and form feed": b"\r\n.\x0c\r\n",
    "next line (0x85) and dot": b"\r\n\x85.\x85\r\n",
    "line separator of UTF-8 and dot": b"\r\n\xe2\x80\xa8.\xe2\x80\xa8\r\n",
    "dots of full width": b"\r\n\xef\xbc\x8e\r\n",
    "two dots": b"\r\n..\r\n",
    "three dots": b"\r\n...\r\n",
    "dot and text": b"\r\n.text\r\n",
    "dot and a command": b"\r\n.QUIT\r\n",
    "backspace after the dot": b"\r\n.\x08\r\n",
    "delete after the dot": b"\r\n.\x7f\r\n",
}
# What is read differently by different servers.
AMBIGUOUS = {
    "LF.LF": b"\n.\n",
    "LF.CRLF": b"\n.\r\n",
    "CRLF.LF": b"\r\n.\n",
    "CR.CR": b"\r.\r",
    "CR.CRLF": b"\r.\r\n",
    "CRLF.CR": b"\r\n.\r",
    "CR.LF": b"\r.\n",
    "LF.CR": b"\n.\r",
    "LFCR.LFCR": b"\n\r.\n\r",
    "CRLF.CRCRLF": b"\r\n.\r\r\n",
    "LF.CRCRLF": b"\n.\r\r\n",
    "CRLF NUL.CRLF": b"\r\n\0.\r\n",
    "CRLF.NUL CRLF": b"\r\n.\0\r\n",
    "CRLF NUL.NUL CRLF": b"\r\n\0.\0\r\n",
    "CR NUL LF.CRLF": b"\r\0\n.\r\n",
    "CRLF.CR NUL LF": b"\r\n.\r\0\n",
    "LF..LF": b"\n..\n",
    "bare LF": b"one\ntwo",
    "bare CR": b"one\rtwo",
    "LF LF": b"\n\n",
    "CR CR": b"\r\r",
    "CRLF LF": b"\r\n\n",
}


def unstuffed(text):
    """What a text is without the dots that stand first in its lines; it begins a line."""
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in text.split(b"\r\n"))


def smuggled(talk):
    to = talk.target.rcpt
    return (f"MAIL FROM:<smuggled.{talk.sender}>\r\nRCPT TO:<{to}>\r\nDATA\r\n"
            f"Subject: smuggled {talk.token}\r\n\r\nsmuggled text\r\n").encode()


def one_reply(talk, made):
    """To what was sent there is one reply, and the next is to QUIT."""
    first = talk.expect(made.reply(), "2|4|5", "reply to the message")
    if first[0] == "2" or not made.over:
        second = made.ask("QUIT")
        talk.expect(second, f"221|421|{GONE}", "reply to QUIT (a second reply to the message?)")
    return first


def ambiguous(sequence):
    def run(talk):
        made = talk.data(talk.open())
        made.send(talk.head() + b"before" + sequence + smuggled(talk) + b".\r\n")
        one_reply(talk, made)
        talk.arrives(0, 1)
    return run


def odd_line(sequence):
    def run(talk):
        made = talk.data(talk.open())
        text = b"before" + sequence + smuggled(talk)
        made.send(talk.head() + text + b".\r\n")
        taken = one_reply(talk, made).startswith("2")
        talk.arrives(int(taken), 1, unstuffed(text))
    return run


def vectors():
    if not VECTORS.exists():
        return []
    return [(bytes.fromhex(row["hex"].replace(" ", "")), row["contains_true_eod"]) for row in json.loads(VECTORS.read_text())]


for octets, true_end in vectors():
    if not true_end:
        case("framing", f"vector {octets.hex(' ')}", SMUGGLING, f"a message with {octets!r} before commands, and CRLF.CRLF after them",
             "one reply; nothing arrives, or one message in which the sequence is not")(ambiguous(octets))
for title, octets in AMBIGUOUS.items():
    case("framing", title, SMUGGLING, f"a message with {octets!r} before commands, and CRLF.CRLF after them",
         "one reply; nothing arrives, or one message in which the sequence is not")(ambiguous(octets))
for title, octets in ODD_LINES.items():
    case("framing", title, "RFC 5321 4.5.2", f"a message with the line {octets!r}",
         "refused, or delivered once and octet for octet, without the first dot of lines")(odd_line(octets))


def text_case(name, reference, text, accepts="delivered once, octet for octet", pattern="250", body=None):
    """A message with this text, dots as they are; None as `body`: the text without its stuffing."""
    def run(talk):
        made = talk.data(talk.open())
        made.send(talk.head() + text + b".\r\n")
        reply = talk.expect(made.reply(), pattern, "reply to the message")
        talk.expect(made.ask("QUIT"), f"221|{GONE}", "QUIT")
        talk.arrives(int(reply[0] == "2"), 1, unstuffed(text) if body is None else body)
    case("framing", name, reference, f"a text of {len(text)} octets: {text[:40]!r}", accepts)(run)


text_case("dots before all lines", "RFC 5321 4.5.2", b"..\r\n...\r\n....a\r\n.. \r\n")
text_case("line of 998 octets", "RFC 5321 4.5.3.1.6", b"x" * 998 + b"\r\n")
text_case("line of 998 octets after a stuffed dot", "RFC 5321 4.5.2", b".." + b"x" * 997 + b"\r\n")
text_case("lines of 998 octets, many", "RFC 5321 4.5.3.1.6", (b"y" * 998 + b"\r\n") * 200)
text_case("line of 999 octets", "RFC 5321 4.5.3.1.6", b"x" * 999 + b"\r\n", "refused, or whole", "250|5")
text_case("line of 4,097 octets", "RFC 5321 4.5.3.1.6", b"x" * 4097 + b"\r\n", "refused, or whole", "250|5")
text_case("line of 1 MB", "RFC 5321 4.5.3.1.6", b"x" * (1 << 20) + b"\r\n", "refused, or whole", f"250|5|4|{GONE}")
text_case("8-bit octets, BODY not said", "RFC 6152 3", bytes(range(128, 256)) + b"\r\n", "refused, or octet for octet", "250|5")
text_case("NUL in a line", "RFC 5321 2.3.8", b"a\0b\r\n\0\0\0\r\nend\r\n", "refused, or octet for octet", "250|5")
text_case("control octets", "RFC 5321 2.3.8", bytes(set(range(1, 32)) - {10, 13}) + b"\r\n", "refused, or octet for octet", "250|5")
text_case("no text at all", "RFC 5321 4.1.1.4", b"")
text_case("empty lines only", "RFC 5321 4.1.1.4", b"\r\n" * 50)
text_case("one line", "RFC 5321 4.1.1.4", b"x\r\n")


@case("framing", "no octet at all", "RFC 5321 4.1.1.4", "DATA, and '.' CRLF at once", "one reply; taken or refused")
def nothing(talk):
    made = talk.data(talk.open())
    made.send(b".\r\n")
    one_reply(talk, made)


@case("framing", "the end in every way of pieces", "RFC 5321 4.1.1.4", "CRLF.CRLF with a pause at each of its octets", "delivered once")
def end_in_pieces(talk):
    made = talk.open()
    for cut in range(1, len(END)):
        talk.data(made)
        made.send(talk.head() + b"text" + END[:cut])
        talk.expect(made.reply(0.05), SILENT, "reply before the end")
        made.send(END[cut:])
        talk.expect(made.reply(), "250", f"reply after a cut at {cut}")
    talk.arrives(4, 4, b"text\r\n")


@case("framing", "octet by octet", "RFC 5321 4.1.1.4", "a whole dialogue with stuffed dots, an octet a segment", "delivered once, octet for octet")
def octets(talk):
    made = talk.open()
    for line, code in ((f"MAIL FROM:<{talk.sender}>", "250"), (f"RCPT TO:<{talk.target.rcpt}>", "250"), ("DATA", "354")):
        made.send(line.encode() + b"\r\n", each=1, pause=0.0005)
        talk.expect(made.reply(), code, line)
    talk.deliver(made, b"..\r\n..a\r\n.. \r\nlast\r\n", b".\r\n.a\r\n. \r\nlast\r\n", each=1, pause=0.0005)


@case("framing", "CR at the end of a segment, LF in the next", "RFC 5321 2.3.8", "lines cut between CR and LF", "delivered once, octet for octet")
def cut_between(talk):
    made = talk.data(talk.open())
    made.send(talk.head() + b"one\r")
    made.reply(0.05)
    made.send(b"\ntwo\r")
    made.reply(0.05)
    made.send(b"\n.\r")
    made.reply(0.05)
    made.send(b"\n")
    talk.expect(made.reply(), "250", "message")
    talk.arrives(1, 1, b"one\r\ntwo\r\n")


@case("framing", "bare CR at the end of a segment", SMUGGLING, "CR, a pause, and a text that is not LF", "refused, or no bare CR arrives")
def bare_at_cut(talk):
    made = talk.data(talk.open())
    made.send(talk.head() + b"one\r")
    made.reply(0.05)
    made.send(b"two" + END)
    one_reply(talk, made)


@case("framing", "a message, QUIT right behind its dot", "RFC 2920 3.1", "CRLF.CRLF QUIT CRLF in one segment", "250, 221, closed; delivered once")
def quit_behind(talk):
    made = talk.data(talk.open())
    made.send(talk.head() + b"text" + END + b"QUIT\r\n")
    talk.expect(made.reply(), "250", "message")
    talk.expect(made.reply(), "221", "QUIT")
    talk.expect(made.reply(), GONE, "after QUIT")
    talk.arrives(1, 1, b"text\r\n")


@case("framing", "two messages, the second right behind the dot", "RFC 2920 3.1", "the dot and MAIL, RCPT, DATA in one segment", "both are delivered")
def next_behind(talk):
    made = talk.data(talk.open())
    to = talk.target.rcpt
    made.send(talk.head() + b"text" + END + f"MAIL FROM:<{talk.sender}>\r\nRCPT TO:<{to}>\r\nDATA\r\n".encode())
    for code in ("250", "250", "250", "354"):
        talk.expect(made.reply(), code, "pipelined")
    made.send(talk.head() + b"text" + END)
    talk.expect(made.reply(), "250", "second message")
    talk.arrives(2, 2, b"text\r\n")


@case("framing", "closed before the dot", "RFC 5321 4.1.1.4", "a message without its end, and FIN", "nothing arrives")
def no_end(talk):
    made = talk.data(talk.open())
    made.send(talk.head() + b"text\r\n")
    made.close()
    talk.arrives(0)


@case("framing", "closed in the middle of the end", "RFC 5321 4.1.1.4", "CRLF . and FIN; CRLF . CR and FIN", "nothing arrives")
def half_end(talk):
    for cut in (3, 4):
        made = talk.data(talk.open())
        made.send(talk.head() + b"text" + END[:cut])
        made.close()
    talk.arrives(0)


@case("framing", "reset before the dot", "RFC 5321 4.1.1.4", "a message without its end, and RST", "nothing arrives")
def reset_early(talk):
    made = talk.data(talk.open())
    made.send(talk.head() + b"text\r\n.\r")
    made.abort()
    talk.arrives(0)


@case("framing", "closed right after the dot", "RFC 5321 4.1.1.4", "a message with its end, and FIN without reading", "delivered once, or not")
def no_reading(talk):
    made = talk.data(talk.open())
    made.send(talk.head() + b"text" + END)
    made.close()
    talk.arrives(0, 1, b"text\r\n")


@case("framing", "half-closed after the dot", "RFC 1122 4.2.2.13", "a message with its end, FIN, and reading on", "250 and delivered once")
def half_closed(talk):
    made = talk.data(talk.open())
    made.send(talk.head() + b"text" + END)
    made.half_close()
    reply = talk.expect(made.reply(), f"250|{GONE}", "message")
    talk.arrives(int(reply[0] == "2"), 1, b"text\r\n")


@case("framing", "half-closed in the message", "RFC 5321 4.1.1.4", "a message without its end, FIN, and reading on", "an error or closed; nothing arrives")
def half_closed_early(talk):
    made = talk.data(talk.open())
    made.send(talk.head() + b"text\r\n")
    made.half_close()
    talk.expect(made.reply(), ENDED, "message")
    talk.arrives(0)


@case("framing", "a refused message is not an end of the session", "RFC 5321 4.2.5", "a message with a bare LF, then a good one", "the second is delivered")
def after_refusal(talk):
    made = talk.data(talk.open())
    made.send(talk.head() + b"a\nb" + END)
    if made.reply() in (CLOSED, RESET):
        raise Bad("the session was ended")
    talk.data(made)
    made.send(talk.head() + b"text" + END)
    talk.expect(made.reply(), "250", "second message")
    talk.arrives(1, 2)
