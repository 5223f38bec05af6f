# SPDX-License-Identifier: GPL-2.0-only
"""Cases, what they are about, and what one of them talks through.

A case is a function of a Talk. It returns if the server was right, and raises Bad if it was not. What must be true of
the server behind it is said with Talk.arrives() and looked at when all cases have run, because a server with a queue
takes its time.
"""
import dataclasses
import itertools
import re
import typing

from torture import client

CASES = []


class Bad(Exception):
    """The server did what it must not do: the words for the table."""


class Lenient(Exception):
    """The server let pass what it should refuse, in a way that harms nobody by itself."""


class NotOffered(Exception):
    """What the case is about is not done by this server."""


@dataclasses.dataclass
class Case:
    section: str
    name: str
    reference: str  # RFC section, or CVE
    sends: str      # in words
    accepts: str    # in words
    run: typing.Callable
    alone: bool = False  # it loads the server, or is about time: not beside others
    first: bool = False  # before all others

    @property
    def id(self):
        return f"{self.section}: {self.name}"


def case(section, name, reference, sends, accepts, alone=False, first=False):
    def register(run):
        CASES.append(Case(section, name, reference, sends, accepts, run, alone, first))
        return run
    return register


@dataclasses.dataclass
class Target:
    host: str
    port: int = 25
    tls: bool = False  # from the start, on `port`
    submission: int = 0
    domain: str = "own.example"
    rcpt: str = "user@own.example"
    sender: str = "sender.example"  # a domain that may send from here
    user: str = ""
    password: str = ""
    user_sender: str = ""  # the address that the user may send from
    user_source: str = ""  # where the user logs in from, whom others' failures must not hold up
    sources: typing.Iterable = itertools.repeat(None)
    timeout: float = 5

    def __hash__(self):
        return id(self)


class Talk:
    """One case on its way: opens connections from an address of its own, and notes what was seen."""

    def __init__(self, target, number):
        self.target, self.token = target, f"tok{number:04d}x"
        self.source = next(target.sources)
        self.seen, self.clients = [], []
        self.least, self.most, self.body = 0, None, None

    @property
    def sender(self):
        return f"{self.token}@{self.target.sender}"

    def open(self, port=None, hello="EHLO", secure=False, greeting="2", timeout=None):
        """A connection that has been greeted and has said hello. `secure`: STARTTLS, unless TLS is on from the start."""
        made = client.Client((self.target.host, port or self.target.port), self.source, timeout or self.target.timeout, self.seen)
        self.clients.append(made)
        if self.target.tls and not port:
            self.must(made.handshake(), "no TLS")
        if greeting:
            self.expect(made.reply(), greeting, "greeting")
        if hello:
            self.hello(made, hello)
        if secure and not made.tls:
            if "STARTTLS" not in made.offers:
                raise NotOffered("STARTTLS")
            self.expect(made.ask("STARTTLS"), "220", "STARTTLS")
            self.must(made.handshake(), "no TLS")
            self.hello(made, hello)
        return made

    def hello(self, made, word="EHLO"):
        said = self.expect(made.ask(f"{word} torture.{self.target.sender}"), "250", word)
        made.offers = {line[4:].split(" ")[0].upper(): line[4:].split(" ")[1:] for line in said.split(" | ")[1:]}
        self.seen[-1] = said.split(" | ")[0]

    def ready(self, made, parameters="", rcpt=None):
        """MAIL and RCPT."""
        self.expect(made.ask(f"MAIL FROM:<{self.sender}>{parameters}"), "250", "MAIL")
        self.expect(made.ask(f"RCPT TO:<{rcpt or self.target.rcpt}>"), "250", "RCPT")
        return made

    def data(self, made, **options):
        """MAIL, RCPT and DATA."""
        self.ready(made, **options)
        self.expect(made.ask("DATA"), "354", "DATA")
        return made

    def deliver(self, made, text, body=None, **how):
        """After DATA: a message with this text, dots as they are; it is taken, and arrives once. `body`: without its stuffing."""
        made.send(self.head() + text + b".\r\n", **how)
        self.expect(made.reply(), "250", "message")
        self.arrives(1, 1, text if body is None else body)

    def needs(self, made, keyword):
        if keyword not in made.offers:
            raise NotOffered(keyword)

    def head(self):
        return f"Subject: {self.token}\r\nFrom: <{self.sender}>\r\nTo: <{self.target.rcpt}>\r\n\r\n".encode()

    def expect(self, reply, pattern, what):
        if not re.match(pattern, reply):
            raise Bad(f"{what}: {reply[:200]!r}, not {pattern}")
        return reply

    def must(self, condition, what):
        if not condition:
            raise Bad(what)

    def strict(self, condition, what):
        if not condition:
            raise Lenient(what)

    def alive(self):
        """The server still takes a session."""
        self.expect(self.open().ask("QUIT"), "221", "QUIT of a new session")

    def arrives(self, least, most=None, body=None):
        """How many messages of this case may reach the server behind, and what their text is, octet for octet."""
        self.least, self.most, self.body = least, least if most is None else most, body

    def close(self):
        for made in self.clients:
            made.close()


OFFERED = "2|3"
REFUSED = "5"
TURNED_AWAY = "5|4"
ENDED = f"5|4|{client.GONE}"
