# SPDX-License-Identifier: GPL-2.0-only
"""STARTTLS (RFC 3207): nothing of before counts after it; and TLS that ends where it must not."""
import ssl

from torture import client
from torture.client import CLOSED, GONE, SILENT
from torture.registry import ENDED, NotOffered, case

INJECTION = "RFC 3207 5; CVE-2011-0411, CVE-2021-33515"


def plain(talk):
    """A connection without TLS on which STARTTLS may be said."""
    if talk.target.tls:
        raise NotOffered("STARTTLS")
    made = talk.open()
    talk.needs(made, "STARTTLS")
    return made


INJECTED = {
    "a command": b"NOOP\r\n",
    "EHLO": b"EHLO injected.example\r\n",
    "a transaction": b"MAIL FROM:<injected@sender.example>\r\nRCPT TO:<user@own.example>\r\n",
    "AUTH": b"AUTH PLAIN AGEAYg==\r\n",
    "STARTTLS again": b"STARTTLS\r\n",
    "QUIT": b"QUIT\r\n",
    "half a command": b"RSE",
    "an empty line": b"\r\n",
    "a LF": b"\n",
    "a NUL": b"\0",
}
for title, octets in INJECTED.items():
    def behind(talk, octets=octets):
        made = plain(talk)
        made.send(b"STARTTLS\r\n" + octets)
        reply = talk.expect(made.reply(), ENDED + "|220", "STARTTLS")
        if reply.startswith("220"):
            # Then what was injected has to be lost: the next answer is to what was said in TLS.
            if not made.handshake():
                return
            made.send(b"EHLO torture.example\r\n")
            talk.expect(made.reply(1), "250-", "EHLO inside TLS")
            talk.expect(made.reply(0.2), SILENT, "a second answer inside TLS")
            talk.strict(False, "220 though there was input behind STARTTLS, which was dropped")
        talk.expect(made.replies(1)[-1], GONE, "afterwards")
    case("starttls", f"{title} behind STARTTLS", INJECTION, f"STARTTLS CRLF {octets!r} in one segment", "554, and closed")(behind)


@case("starttls", "a command in plaintext before the handshake", INJECTION, "STARTTLS; after 220 a NOOP in plaintext, then a ClientHello", "no TLS; closed")
def before_handshake(talk):
    made = plain(talk)
    talk.expect(made.ask("STARTTLS"), "220", "STARTTLS")
    made.raw(b"NOOP\r\n")
    talk.must(not made.handshake(), "TLS is on")


@case("starttls", "HELO is forgotten", "RFC 3207 4.2", "EHLO, STARTTLS, MAIL", "503, or 250 for a server that keeps none of it")
def hello_forgotten(talk):
    made = plain(talk)
    talk.expect(made.ask("STARTTLS"), "220", "STARTTLS")
    talk.must(made.handshake(), "no TLS")
    talk.strict(made.ask(f"MAIL FROM:<{talk.sender}>").startswith("503"), "MAIL before EHLO inside TLS")


@case("starttls", "MAIL and RCPT are forgotten", "RFC 3207 4.2", "MAIL, RCPT, STARTTLS, EHLO, DATA", "503 for DATA, or STARTTLS is refused")
def mail_forgotten(talk):
    made = talk.ready(plain(talk))
    if not talk.expect(made.ask("STARTTLS"), "220|503", "STARTTLS").startswith("220"):
        return
    talk.must(made.handshake(), "no TLS")
    talk.hello(made)
    talk.expect(made.ask("DATA"), "503|554", "DATA")
    talk.arrives(0)


@case("starttls", "chunks are forgotten", "RFC 3207 4.2", "MAIL, RCPT, BDAT, STARTTLS, EHLO, BDAT LAST", "503 for BDAT, or STARTTLS is refused")
def chunks_forgotten(talk):
    made = talk.ready(plain(talk))
    talk.needs(made, "CHUNKING")
    made.send(b"BDAT 4\r\nabcd")
    talk.expect(made.reply(), "250", "chunk")
    if not talk.expect(made.ask("STARTTLS"), "220|503", "STARTTLS").startswith("220"):
        return
    talk.must(made.handshake(), "no TLS")
    talk.hello(made)
    made.send(b"BDAT 4 LAST\r\nefgh")
    talk.expect(made.reply(), "503|554", "chunk")
    talk.arrives(0)


@case("starttls", "not offered inside TLS", "RFC 3207 4.2", "EHLO and STARTTLS inside TLS", "not offered; 5xx")
def twice(talk):
    made = talk.open(secure=True)
    talk.must("STARTTLS" not in made.offers, "STARTTLS is offered inside TLS")
    talk.expect(made.ask("STARTTLS"), "5", "STARTTLS")
    talk.expect(made.ask("NOOP"), "250", "NOOP")


@case("starttls", "with an argument", "RFC 3207 4", "STARTTLS now", "501")
def argument(talk):
    made = plain(talk)
    talk.expect(made.ask("STARTTLS now"), "50[14]", "STARTTLS")
    talk.expect(made.ask("NOOP"), "250", "NOOP")


@case("starttls", "before EHLO", "RFC 3207 4", "STARTTLS after the greeting", "503, or TLS")
def without_hello(talk):
    plain(talk)
    made = talk.open(hello="")
    if talk.expect(made.ask("STARTTLS"), "503|220", "STARTTLS").startswith("220"):
        talk.must(made.handshake(), "no TLS")


@case("starttls", "garbage instead of a ClientHello", "RFC 8446 6.2", "STARTTLS; after 220 octets that are no TLS", "closed; the server lives")
def garbage(talk):
    made = plain(talk)
    talk.expect(made.ask("STARTTLS"), "220", "STARTTLS")
    made.raw(bytes(range(256)) * 8)
    made.half_close()
    while made._read():
        pass
    talk.must(made.over, "not closed")
    talk.alive()


@case("starttls", "closed instead of a ClientHello", "RFC 8446 6.1", "STARTTLS, FIN", "the server lives")
def closed(talk):
    made = plain(talk)
    talk.expect(made.ask("STARTTLS"), "220", "STARTTLS")
    made.close()
    talk.alive()


@case("starttls", "a ClientHello, octet by octet", "RFC 8446 5.1", "the handshake, an octet a segment", "TLS")
def hello_octets(talk):
    made = plain(talk)
    talk.expect(made.ask("STARTTLS"), "220", "STARTTLS")
    talk.must(made.handshake(each=1, pause=0.0005), "no TLS")
    talk.hello(made)


for old in ("TLSv1", "TLSv1_1"):
    def version(talk, old=old):
        made = plain(talk)
        talk.expect(made.ask("STARTTLS"), "220", "STARTTLS")
        talk.must(not made.handshake(client.context(maximum=ssl.TLSVersion[old])), "TLS is on")
    case("starttls", f"{old.replace('_', '.')} is not done", "RFC 8996", f"a ClientHello of {old}", "no TLS")(version)

for new in ("TLSv1_2", "TLSv1_3"):
    def version_done(talk, new=new):
        made = plain(talk)
        talk.expect(made.ask("STARTTLS"), "220", "STARTTLS")
        talk.must(made.handshake(client.context(maximum=ssl.TLSVersion[new])), "no TLS")
        talk.hello(made)
    case("starttls", f"{new.replace('_', '.')} is done", "RFC 9325 3.1.1", f"a ClientHello of {new}", "TLS")(version_done)


@case("tls", "a record for each octet", "RFC 8446 5.1", "a mail inside TLS, an octet a record", "delivered once, octet for octet")
def records(talk):
    talk.deliver(talk.data(talk.open(secure=True)), b"..\r\n.x\r\n", b".\r\nx\r\n", each=1)


@case("tls", "a mail inside TLS", "RFC 3207", "a mail of 300 KB inside TLS", "delivered once, octet for octet")
def secured(talk):
    talk.deliver(talk.data(talk.open(secure=True)), (b"0123456789 " * 70 + b"\r\n") * 400)


TRUNCATION = "RFC 8446 6.1"


def truncated(name, sends, reference=TRUNCATION):
    def register(run):
        def begin(talk):
            run(talk, talk.open(secure=True))
            talk.alive()
            talk.arrives(0)
        return case("tls", name, reference, sends, "nothing arrives; the server lives")(begin)
    return register


@truncated("cut in DATA", "DATA, half a text, and FIN without close_notify")
def cut_data(talk, made):
    talk.data(made).send(talk.head() + b"text\r\n")
    made.close()


@truncated("close_notify in DATA", "DATA, half a text, close_notify, FIN")
def notify_data(talk, made):
    talk.data(made).send(talk.head() + b"text\r\n")
    made.end_tls()
    made.close()


@truncated("close_notify in DATA, its end in plaintext", "DATA, a text, close_notify, CRLF.CRLF in plaintext", "CVE-2026-45185")
def plain_end(talk, made):
    talk.data(made).send(talk.head() + b"text")
    made.end_tls()
    made.raw(b"\r\n.\r\n")
    made.half_close()
    made.replies(1)


@truncated("cut in the end of DATA", "DATA, a text, CRLF . and FIN without close_notify")
def cut_end(talk, made):
    talk.data(made).send(talk.head() + b"text\r\n.")
    made.close()


@truncated("cut in a chunk", "BDAT n LAST, half of it, and FIN without close_notify", "RFC 3030 2; CVE-2026-45185")
def cut_chunk(talk, made):
    talk.needs(made, "CHUNKING")
    talk.ready(made).send(b"BDAT 2000 LAST\r\n" + talk.head())
    made.close()


@truncated("close_notify in a chunk", "BDAT n LAST, half of it, close_notify, FIN", "RFC 3030 2; CVE-2026-45185")
def notify_chunk(talk, made):
    talk.needs(made, "CHUNKING")
    talk.ready(made).send(b"BDAT 2000 LAST\r\n" + talk.head())
    made.end_tls()
    made.close()


@truncated("close_notify in a chunk, the rest in plaintext", "BDAT n LAST, half of it, close_notify, the rest in plaintext",
           "RFC 3030 2; CVE-2026-45185")
def plain_chunk(talk, made):
    talk.needs(made, "CHUNKING")
    text = talk.head() + b"text\r\n"
    talk.ready(made).send(b"BDAT %d LAST\r\n" % (len(text) + 1000) + text)
    made.end_tls()
    made.raw(b"x" * 998 + b"\r\n")
    made.half_close()
    made.replies(1)


@truncated("cut between chunks", "a chunk that is not the last, and FIN without close_notify", "RFC 3030 2")
def cut_between(talk, made):
    talk.needs(made, "CHUNKING")
    text = talk.head() + b"text\r\n"
    talk.ready(made).send(b"BDAT %d\r\n" % len(text) + text)
    talk.expect(made.reply(), "250", "chunk")
    made.close()


@truncated("reset in DATA", "DATA, half a text, and RST")
def reset_data(talk, made):
    talk.data(made).send(talk.head() + b"text\r\n")
    made.abort()


@truncated("a broken record", "DATA, half a text, and a record with a wrong tag", "RFC 8446 5.2")
def broken(talk, made):
    talk.data(made).send(talk.head() + b"text\r\n")
    made.raw(b"\x17\x03\x03\x00\x20" + bytes(32))
    made.half_close()
    talk.expect(made.reply(), f"{CLOSED}|{ENDED}", "after a broken record")
