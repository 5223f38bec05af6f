#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The second part of `make demo`: mode proxy, with Postern on port 25, 587 and 465 in front of two real Postfix.

Mail arrives over STARTTLS and from a user; five kinds of abuse are refused, and each reply is shown; a backend is
killed while messages are under way. At the end every message that a sender was told 250 for is in a mailbox, and the
counters of the agent agree with what the senders saw. It can also be run by itself.
"""
import base64
import contextlib
import re
import sys
import time

import frontsenders
import senders
import torturebed
import world
from frontbed import BACKENDS, USER, Front
from lab import GATEWAY4, Failed, Lab, wait_until
from lists import CAUGHT
from story import dropped, good, say, show_check, step
from torture.client import Client  # torturebed has made tests/torture known
from wire import inside

SOUND, SOUND_HOST = "info@sound.example", "mail.example"  # a domain with an SPF record, and its mail server
STRANGER, FORGER, GUESSER, SMUGGLER = "203.0.113.21", "203.0.113.22", "203.0.113.23", "203.0.113.24"
WAITING = 8  # senders that are in the middle when a backend is killed
AFTERWARDS = 12  # mails after that
# The score decides here, too.
SETTINGS = {"escalation": {"first-action": "drop", "ttl": 600}, "check": {"score": "reject"}}
# What a server that takes a line feed for the end of a line would read as a second message.
SMUGGLED = b"Subject: first\r\n\r\ntext\r\n\n.\r\nMAIL FROM:<boss@own.example>\r\nRCPT TO:<user@own.example>\r\nDATA\r\nsmuggled\r\n.\r\n"


def shown(reply):
    """Of a reply of several lines the last."""
    return reply.split(" | ")[-1]


def lookup_id(reply):
    found = re.search(r"lookup id (\w{13})", reply)
    return found[1] if found else ""


class FrontDemo:
    def __init__(self, lab):
        self.lab, self.front = lab, None
        self.told_250 = 0  # messages that a sender was told are taken
        self.told = {}  # by the reason of the log: how many refusals clients saw
        self.seen = []  # whether each thing that was tried came out as it must

    def expect(self, reply, code):
        """A reply, painted; remembers whether it is what it must be."""
        self.seen.append(reply.startswith(code))
        if not reply.startswith(code):
            return dropped(f"{shown(reply)} (NOT {code})")
        return (good if code[0] in "23" else dropped)(shown(reply))

    # ---- what is shown

    def prepare(self):
        step("Mode proxy: Postern takes the mail itself, in front of two mail servers")
        say(f"gateway {GATEWAY4}: Postern on ports 25, 587 and 465; Postfix on {BACKENDS[0]} and {BACKENDS[1]}, which "
            f"take\neverything for anybody from the gateway: what is refused here, Postern refuses")
        self.front = Front(self.lab)
        self.front.start(**SETTINGS)
        wait_until(lambda: self.front.guard.metric("postern_backend_up") == len(BACKENDS), 10, "the backends")
        self.status()

    def status(self):
        lines = self.lab.ctl("status").out.splitlines()
        start = next(number for number, line in enumerate(lines) if line.startswith("Sessions"))
        say("$ posternctl status")
        for line in [line for line in lines[start:start + 4 + 1 + len(BACKENDS)] if line.strip()]:
            say(f"  {line}".rstrip())

    def deliver(self, token, source, port, **words):
        """A message by swaks; `words` are its options that are not those of frontsenders."""
        path = self.lab.directory / token
        frontsenders.message(path, token)
        way = senders.Way(self.lab.internet, source, GATEWAY4)
        options = [item for name, value in words.items() for item in (f"--{name}", value)]
        try:
            frontsenders.swaks(self.lab, way, port, path, *options)
        except Failed as failed:
            say(str(failed))
            return "failed"
        self.told_250 += 1
        return "250"

    def good_mail(self):
        step("Good mail")
        self.deliver("goodmail", world.NAMED, "25s", helo=SOUND_HOST, **{"from": SOUND})
        mail = self.front.wait_for_mail("goodmail")[0].decode()
        say(f"{world.NAMED} sends a mail from {SOUND} by STARTTLS; it is in the mailbox with")
        wanted = {"Authentication-Results": "spf=pass", "Received": "(Postern)"}
        for name, value in re.findall(r"^([\w-]+): (.*(?:\n[ \t].*)*)", mail.partition("\n\n")[0], re.M):
            if wanted.get(name, "\0") in value:
                say(f"  {good(name)}: " + value.replace("\n\t", "\n      "))
                wanted.pop(name)
        self.seen.append(not wanted)
        reply = self.deliver("usermail", torturebed.USER_SOURCE, "587")
        say(f"a user logs in on port 587, over TLS, and sends a mail: {self.expect(reply, '250')}")

    def dialogue(self, source, *lines, port=25):
        """What the client says; returns the last reply."""
        with inside(self.lab.internet):
            client = Client((GATEWAY4, port), source, 20)
        reply = client.reply()
        for line in lines:
            if reply[0] not in "23":
                break
            client.send(line + b"\r\n")
            reply = client.reply()
        with contextlib.suppress(OSError):
            client.send(b"QUIT\r\n")
        client.socket.close()
        return reply

    def refuse(self, title, reason, code, source, *lines, port=25):
        reply = self.dialogue(source, *lines, port=port)
        self.told[reason] = self.told.get(reason, 0) + 1
        say(f"{title}:\n  {self.expect(reply, code)}")
        return lookup_id(reply)

    def abuse(self):
        step("What is refused, and what the client is told")
        hello, mail = b"EHLO mail.addressed.example", f"MAIL FROM:<{frontsenders.FROM}>".encode()
        rcpt = f"RCPT TO:<{USER}>".encode()
        guess = b"AUTH PLAIN " + base64.b64encode(b"\0user\0guess")
        ids = [
            self.refuse(f"{STRANGER} tries to send through us to somebody else", "relay", "550", STRANGER, hello, mail,
                        b"RCPT TO:<somebody@elsewhere.example>"),
            self.refuse(f"{FORGER} says that it sends for sound.example, whose SPF record ends in -all", "spf", "550", FORGER,
                        hello, b"MAIL FROM:<boss@sound.example>", rcpt),
            self.refuse(f"{GUESSER} guesses a password on port 587, without TLS", "auth", "538", GUESSER, hello, guess, port=587),
            self.refuse(f"{SMUGGLER} hides a second message behind a bare line feed (SMTP smuggling)", "content", "554", SMUGGLER,
                        hello, mail, rcpt, b"DATA", SMUGGLED.removesuffix(b"\r\n")),
            self.refuse(f"{CAUGHT}, which is on a DNS list, connects", "reputation", "554", CAUGHT),
            self.refuse("  it comes again, its second offence", "reputation", "554", CAUGHT)]
        wait_until(lambda: self.front.guard.blocks(CAUGHT), 10, "the kernel's entry")
        again = self.lab.connect(CAUGHT)
        self.seen.append(again == "timeout")
        say(f"  from then on the kernel drops its attempts: {dropped(again)}")
        self.explain(ids)

    def explain(self, ids):
        """`why ID` knows each of them; one is shown."""
        answers = [self.lab.ctl("why", each, check=False).out if each else "" for each in ids]
        self.seen += ["refused: " in answer for answer in answers]
        say(f"$ posternctl why {ids[3]}")
        for line in answers[3].splitlines():
            say(f"  {line}")

    def begin(self, number):
        """A sender who has said all but the message."""
        with inside(self.lab.internet):
            client = Client((GATEWAY4, 25), f"198.51.100.{130 + number}", 20)
        replies = [client.reply(), client.ask("EHLO mail.addressed.example"), client.ask(f"MAIL FROM:<{frontsenders.FROM}>"),
                   client.ask(f"RCPT TO:<{USER}>"), client.ask("DATA")]
        self.seen.append(all(reply[0] in "23" for reply in replies))
        return client

    def end(self, client, token):
        """The message, and whether it was taken."""
        client.send(frontsenders.message(self.lab.directory / token, token) + b".\r\n")
        taken = client.reply().startswith("250")
        client.send(b"QUIT\r\n")
        client.socket.close()
        self.seen.append(taken)
        self.told_250 += taken
        return taken

    def failover(self):
        step("A mail server is killed while messages are under way")
        waiting = [self.begin(number) for number in range(WAITING)]
        self.front.backends[0].kill()
        say(f"{WAITING} senders are about to send their messages; kill -9 of all of Postfix on {BACKENDS[0]}")
        taken = sum(self.end(client, f"waiting{number}") for number, client in enumerate(waiting))
        moved = int(self.front.guard.metric("postern_backend_failovers_total"))
        say(f"{WAITING} messages come: {good(f'{taken} taken')}; {moved} of them had begun with it, and went on with the other")
        taken = sum(self.end(self.begin(number), f"after{number}") for number in range(AFTERWARDS))
        say(f"{AFTERWARDS} others send one each: {good(f'{taken} taken')}")
        self.status()
        self.front.backends[0].start()
        say(f"Postfix on {BACKENDS[0]} is started again, with what it had in its queue")

    # ---- whether it adds up

    def summary(self):
        step("What was sent, and what became of it")
        metric = self.front.guard.metric
        with contextlib.suppress(Failed):  # the table shows what is missing
            wait_until(lambda: len(self.front.mails()) >= self.told_250, 20, "delivery of all mails")
        accepted = int(metric("postern_smtp_messages_total"))
        rows = [("Messages that were told 250", self.told_250, "counted by Postern", accepted),
                ("Messages in the mailboxes", len(self.front.mails()), "told 250", self.told_250),
                ("  handed to the backends", int(metric("postern_backend_accepted_total")), "counted by Postern", accepted),
                ("  that nobody knows the fate of", int(metric("postern_backend_ambiguous_total")), "none", 0)]
        rows += [(f"Refused: {reason}", int(metric("postern_smtp_refused_total", reason=reason)), "told so", count)
                 for reason, count in self.told.items()]
        rows += [("  all together", int(metric("postern_smtp_refused_total")), "told so", sum(self.told.values())),
                 ("Things tried on the way", len(self.seen), "came out as they must", sum(self.seen))]
        return all([show_check(*row) for row in rows])


def play():
    """Whether all of it adds up."""
    start = time.monotonic()
    with Lab("demofront") as lab:
        demo = FrontDemo(lab)
        for part in (demo.prepare, demo.good_mail, demo.abuse, demo.failover):
            part()
        adds_up = demo.summary()
    say(f"Mode proxy took {time.monotonic() - start:.0f} seconds.")
    return adds_up


if __name__ == "__main__":
    sys.exit(0 if play() else 1)
