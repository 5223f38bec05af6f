# SPDX-License-Identifier: GPL-2.0-only
"""BDAT counts octets (RFC 3030): nothing in a chunk ends it, and nothing after it belongs to it."""
from torture.client import GONE, SILENT
from torture.framing import AMBIGUOUS, SMUGGLING, smuggled
from torture.registry import ENDED, REFUSED, TURNED_AWAY, case

CHUNKS = "RFC 3030 2"


def chunking(name, sends, accepts, reference=CHUNKS):
    """A case that begins with a transaction on a server that offers CHUNKING."""
    def register(run):
        def begin(talk):
            made = talk.open()
            talk.needs(made, "CHUNKING")
            run(talk, talk.ready(made))
        return case("chunking", name, reference, sends, accepts)(begin)
    return register


def bdat(made, octets, last=True):
    made.send(f"BDAT {len(octets)}{' LAST' if last else ''}\r\n".encode() + octets)


@chunking("one chunk", "BDAT n LAST and n octets", "delivered once, octet for octet")
def one(talk, made):
    text = b"one\r\n.\r\n..\r\n.two\r\n"
    bdat(made, talk.head() + text)
    talk.expect(made.reply(), "250", "chunk")
    talk.expect(made.ask("QUIT"), "221", "QUIT")
    talk.arrives(1, 1, text)


@chunking("chunks, pipelined", "three chunks in one segment", "three replies; delivered once, octet for octet")
def several(talk, made):
    parts = talk.head(), b"one\r\ntw", b"o\r\n"
    made.send(b"".join(b"BDAT %d%s\r\n" % (len(part), b" LAST" if part is parts[-1] else b"") + part for part in parts))
    for _ in parts:
        talk.expect(made.reply(), "250", "chunk")
    talk.arrives(1, 1, b"one\r\ntwo\r\n")


@chunking("BDAT 0 LAST", "a chunk, and an empty last one", "delivered once, octet for octet")
def empty_last(talk, made):
    bdat(made, talk.head() + b"text\r\n", False)
    talk.expect(made.reply(), "250", "chunk")
    talk.expect(made.ask("BDAT 0 LAST"), "250", "last chunk")
    talk.arrives(1, 1, b"text\r\n")


@chunking("BDAT 0 LAST alone", "an empty message", "taken, or refused")
def empty(talk, made):
    talk.expect(made.ask("BDAT 0 LAST"), f"250|{REFUSED}", "chunk")
    talk.expect(made.ask("NOOP"), "250", "NOOP")


@chunking("BDAT 0 in between", "empty chunks between others", "delivered once, octet for octet")
def empty_between(talk, made):
    for part in (b"", talk.head(), b"", b"text\r\n", b""):
        bdat(made, part, False)
        talk.strict(talk.expect(made.reply(), f"250|{REFUSED}", "chunk").startswith("250"), "an empty chunk was refused")
    talk.expect(made.ask("BDAT 0 LAST"), "250", "last chunk")
    talk.arrives(1, 1, b"text\r\n")


@chunking("CR and LF in different chunks", "a chunk that ends with CR, one that begins with LF", "delivered once, octet for octet, or refused")
def cut_line(talk, made):
    bdat(made, talk.head() + b"one\r", False)
    first = talk.expect(made.reply(), "250|5", "chunk")
    bdat(made, b"\ntwo\r\n")
    second = talk.expect(made.reply(), "250|5", "last chunk")
    taken = first[0] == second[0] == "2"
    talk.arrives(int(taken), int(taken), b"one\r\ntwo\r\n")


@chunking("CRLF.CRLF over chunks", "the end of DATA cut over five chunks", "delivered once, octet for octet")
def cut_end(talk, made):
    bdat(made, talk.head() + b"one", False)
    talk.expect(made.reply(), "250", "chunk")
    for octet in b"\r\n.\r\n":
        bdat(made, bytes([octet]), False)
        talk.expect(made.reply(), "250", "chunk")
    bdat(made, b"QUIT\r\n")
    talk.expect(made.reply(), "250", "last chunk")
    talk.arrives(1, 1, b"one\r\n.\r\nQUIT\r\n")


@chunking("an octet a chunk", "a text as chunks of one octet", "delivered once, octet for octet")
def octets(talk, made):
    bdat(made, talk.head(), False)
    talk.expect(made.reply(), "250", "chunk")
    text = b".a\r\n..\r\n"
    made.send(b"".join(b"BDAT 1\r\n" + bytes([octet]) for octet in text) + b"BDAT 0 LAST\r\n")
    for _ in range(len(text) + 1):
        talk.expect(made.reply(), "250", "chunk")
    talk.arrives(1, 1, text)


@chunking("a chunk, octet by octet", "BDAT and its chunk, an octet a segment", "delivered once, octet for octet")
def slowly(talk, made):
    text = talk.head() + b"text\r\n"
    made.send(b"BDAT %d LAST\r\n" % len(text) + text, each=1, pause=0.0005)
    talk.expect(made.reply(), "250", "chunk")
    talk.arrives(1, 1, b"text\r\n")


@chunking("1 MB in one line", "a chunk without CRLF", "refused, or delivered once, octet for octet")
def long_line(talk, made):
    text = b"x" * (1 << 20) + b"\r\n"
    bdat(made, talk.head() + text)
    reply = talk.expect(made.reply(), f"250|{ENDED}", "chunk")
    talk.arrives(int(reply[0] == "2"), 1, text)


@chunking("a message without CRLF at its end", "a chunk whose last line is not ended", "refused, or delivered once")
def unended(talk, made):
    bdat(made, talk.head() + b"text")
    talk.expect(made.reply(), "250|5", "chunk")
    talk.arrives(0, 1)


@chunking("more octets than the count", "BDAT n LAST, n octets, and then a command", "the rest is a command; delivered once, n octets")
def too_many(talk, made):
    text = talk.head() + b"text\r\n"
    made.send(b"BDAT %d LAST\r\n" % len(text) + text + b"QUIT\r\n")
    talk.expect(made.reply(), "250", "chunk")
    talk.expect(made.reply(), "221", "QUIT")
    talk.arrives(1, 1, b"text\r\n")


@chunking("fewer octets than the count, and closed", "BDAT n LAST, n - 1 octets, FIN", "nothing arrives")
def too_few(talk, made):
    text = talk.head() + b"text\r\n"
    made.send(b"BDAT %d LAST\r\n" % (len(text) + 1) + text)
    talk.expect(made.reply(0.1), SILENT, "before the chunk's end")
    made.close()
    talk.arrives(0)


@chunking("fewer octets than the count, and half-closed", "BDAT n LAST, n - 1 octets, FIN, and reading on", "an error or closed; nothing arrives")
def too_few_half(talk, made):
    text = talk.head() + b"text\r\n"
    made.send(b"BDAT %d LAST\r\n" % (len(text) + 1) + text)
    made.half_close()
    talk.expect(made.reply(), ENDED, "chunk")
    talk.arrives(0)


@chunking("no last chunk, and closed", "BDAT n and n octets, FIN", "nothing arrives")
def no_last(talk, made):
    bdat(made, talk.head() + b"text\r\n", False)
    talk.expect(made.reply(), "250", "chunk")
    made.close()
    talk.arrives(0)


@chunking("no last chunk, and QUIT", "BDAT n and n octets, QUIT", "221; nothing arrives")
def quit_between(talk, made):
    bdat(made, talk.head() + b"text\r\n", False)
    talk.expect(made.reply(), "250", "chunk")
    talk.expect(made.ask("QUIT"), "221", "QUIT")
    talk.arrives(0)


@chunking("RSET between chunks", "a chunk, RSET, a last chunk", "503 for the last; nothing arrives")
def rset_between(talk, made):
    bdat(made, talk.head() + b"text\r\n", False)
    talk.expect(made.reply(), "250", "chunk")
    talk.expect(made.ask("RSET"), "250", "RSET")
    bdat(made, b"more\r\n")
    talk.expect(made.reply(), REFUSED, "chunk without a transaction")
    talk.expect(made.ask("NOOP"), "250", "NOOP: the chunk has been read")
    talk.arrives(0)


@chunking("NOOP between chunks", "a chunk, NOOP, a last chunk", "delivered once")
def noop_between(talk, made):
    bdat(made, talk.head(), False)
    talk.expect(made.reply(), "250", "chunk")
    talk.expect(made.ask("NOOP"), "250", "NOOP")
    bdat(made, b"text\r\n")
    talk.expect(made.reply(), "250", "last chunk")
    talk.arrives(1, 1, b"text\r\n")


for word in ("DATA", "MAIL FROM:<other@example.net>", "RCPT TO:<{rcpt}>"):
    def between(talk, made, word=word):
        bdat(made, talk.head(), False)
        talk.expect(made.reply(), "250", "chunk")
        talk.expect(made.ask(word.format(rcpt=talk.target.rcpt)), "50[13]", word)
        bdat(made, b"text\r\n")
        reply = talk.expect(made.reply(), "250|5", "last chunk")
        talk.arrives(int(reply[0] == "2"), 1, b"text\r\n")
    chunking(f"{word[:4]} between chunks", f"a chunk, {word}, a last chunk", "503; then delivered once, or refused")(between)


@chunking("BDAT after a whole message", "a message, and another chunk", "503, and the chunk is read")
def after_message(talk, made):
    bdat(made, talk.head() + b"text\r\n")
    talk.expect(made.reply(), "250", "chunk")
    bdat(made, b"more\r\n")
    talk.expect(made.reply(), REFUSED, "chunk")
    talk.expect(made.ask("NOOP"), "250", "NOOP")
    talk.arrives(1, 1, b"text\r\n")


@chunking("a chunk with commands after RSET", "BDAT without a transaction, whose chunk holds commands", "503, and the chunk is read")
def without_mail(talk, made):
    talk.expect(made.ask("RSET"), "250", "RSET")
    bdat(made, smuggled(talk) + b".\r\n")
    talk.expect(made.reply(), REFUSED, "chunk")
    talk.expect(made.ask("NOOP"), "250", "NOOP")
    talk.arrives(0)


@chunking("a chunk after a refused recipient", "MAIL, a refused RCPT, BDAT LAST with commands in it", "refused, and the chunk is read")
def no_recipient(talk, made):
    talk.expect(made.ask("RSET"), "250", "RSET")
    talk.expect(made.ask(f"MAIL FROM:<{talk.sender}>"), "250", "MAIL")
    talk.expect(made.ask("RCPT TO:<victim@elsewhere.example>"), TURNED_AWAY, "RCPT")
    bdat(made, smuggled(talk) + b".\r\n")
    talk.expect(made.reply(), REFUSED, "chunk")
    talk.expect(made.ask("NOOP"), "250", "NOOP")
    talk.arrives(0)


WRONG = ["BDAT", "BDAT LAST", "BDAT -1 LAST", "BDAT +5 LAST", "BDAT 0x5 LAST", "BDAT 5x LAST", "BDAT 5 FIRST", "BDAT 5 LAST LAST",
         "BDAT 5LAST", "BDAT 99999999999999999999999 LAST", "BDAT 18446744073709551616 LAST", "BDAT 4294967296 LAST",
         "BDAT 9223372036854775807 LAST", "BDAT 5.0 LAST", "BDAT \xb2 LAST", "BDAT ,5 LAST"]
for line in WRONG:
    def wrong(talk, made, line=line):
        made.send(line.encode("latin-1") + b"\r\n")
        made.half_close()
        for reply in made.replies():
            talk.expect(reply, f"{ENDED}|{SILENT}", line)
        talk.arrives(0)
    chunking(f"count: {line[:40]!r}", line, "an error or closed; nothing arrives")(wrong)


@chunking("larger than the server's SIZE", "BDAT with a count over the limit", "552, without waiting for the octets, or closed")
def too_large(talk, made):
    talk.needs(made, "SIZE")
    limit = int((made.offers["SIZE"] or ["0"])[0])
    made.send(b"BDAT %d LAST\r\nabc" % (limit + 1 if limit else 1 << 62))
    made.half_close()
    talk.expect(made.reply(), ENDED, "chunk")
    talk.arrives(0)


@chunking("mixed: BDAT in a message of DATA", "DATA with BDAT 0 LAST as a line of text", "delivered once, octet for octet")
def as_text(talk, made):
    talk.expect(made.ask("DATA"), "354", "DATA")
    talk.deliver(made, b"BDAT 0 LAST\r\n")


for title, sequence in AMBIGUOUS.items():
    def ambiguous(talk, made, sequence=sequence):
        bdat(made, talk.head() + b"before" + sequence + smuggled(talk))
        talk.expect(made.reply(), "250|5|4", "chunk")
        talk.expect(made.ask("QUIT"), f"221|421|{GONE}", "QUIT")
        talk.arrives(0, 1)
    chunking(f"chunk with {title}", f"a chunk with {sequence!r} before commands", "refused, or one message in which the sequence is not",
             SMUGGLING)(ambiguous)
