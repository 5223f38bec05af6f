#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""`make demo`: Postern's main job on real traffic, told as it happens.

A lab (lab.py) with an internet, a gateway and a real Postfix. Lists in several formats are loaded; mail
arrives; a refused client is told why, another one is held in the tarpit; a sender on a DNS list is let in once and
then no more; then floods come from listed senders of both families, from one behind a VLAN and from one that is too
fast, while good senders go on delivering, ssh from a listed address works, and the agent is killed and comes back. Last
comes a flood from forged addresses, which are answered with SYN cookies, while mail from a sender that nobody knows
arrives. At the end everything that was sent must be found again: every SYN under the reason why it was dropped or let
through, and every mail in the mailbox. What the senders count stands against what Postern counts; no figure is checked
against itself. A second lab follows, with mode proxy (demo_front.py). Exit status 0 only if all of it adds up and
nobody was treated otherwise than announced.
"""
import contextlib
import signal
import sys
import time

import demo_front
import guardbed
import senders
from lab import GATEWAY4, SPOOFED4, SPOOFED6, VLAN_SENDER4, Failed, Lab, wait_until
from story import dropped, good, paint, say, show_check, step

GOOD = ["198.51.100.25", "2001:db8:900d::25", "198.51.100.26"]
LISTED, TOO_FAST, REFUSED, WATCHED = "203.0.113.200", "192.0.2.200", "203.0.113.9", "198.51.100.77"
TOLD, HELD, NEW = "203.0.113.10", "203.0.113.11", "198.51.100.99"
CAUGHT_PASSED = 1  # its first SYN
CAUGHT = guardbed.lists.CAUGHT  # on no list of the gateway, but on a DNS list
FORGED = "100.64.0.0/10"
CLIENTS = {"good": GOOD, "listed": [LISTED], "refused": [REFUSED], "watched": [WATCHED], "told": [TOLD],
           "held": [HELD], "unknown": [NEW], "caught": [CAUGHT]}
# Guard mode, and a flood from so many SYNs a second to one port. A bad verdict holds for as long as the demo runs.
SETTINGS = {"flood": {"threshold": 10000}, **{key: guardbed.SETTINGS[key] for key in ("mode", "dns", "dnsbl", "score")},
            "escalation": {"first-action": "drop", "ttl": 600}}
FORGED_RATE, FORGED_SECONDS = 40000, 6
JUDGED = ("listed", "rate-source", "rate-net", "rate-total", "allowed", "accepted", "challenged")
FLOOD_SECONDS = 10  # that are shown
SHOWN_SOURCES = 3  # of those that are dropped most
SLACK = 3  # that the floods go on, so that they outlast what is shown

LISTS = {
    "drop": ("block", "drop.txt", [], f"; Spamhaus DROP List, as it is published\n{SPOOFED4} ; SBL000001\n"
             "203.0.113.128/25 ; SBL000002\n"),
    "six": ("block", "six.netset", [], f"#\n# a netset file\n#\n{SPOOFED6}\n"),
    "vlan": ("block", "vlan.rbldnsd", [], f":127.0.0.2:Listed, see https://lists.example.net/\n{VLAN_SENDER4}\n"),
    "rude": ("block", "rude.txt", ["--action", "reset"], f"{REFUSED} # gets a reset, so that it gives up at once\n"),
    "told": ("block", "told.txt", ["--action", "refuse", "--reason", "much spam from there"], f"{TOLD}\n"),
    "pit": ("block", "pit.txt", ["--action", "tarpit"], f"{HELD}\n"),
    "new": ("block", "new.ipset", [], f"create new hash:ip family inet timeout 0\nadd new {WATCHED} timeout 3600\n"),
    "friends": ("allow", "friends.txt", [], "198.51.100.24 - 198.51.100.27 # our own mail servers\n"
                "2001:db8:900d::/48\n"),
}


class Demo:
    def __init__(self, lab):
        self.lab = lab
        self.postfix = self.ssh = self.guard = None
        self.mails = self.taken = self.forged = 0
        self.before_forged = {}  # what was judged before the last flood
        self.floods = {}
        self.seen = []  # whether each thing that was tried came out as it must

    # ---- what is shown

    def prepare(self):
        step("An internet, a gateway, a mail server")
        say(f"gateway {GATEWAY4}: Postern on its interfaces g0 and g1 (VLAN 100), Postfix on port 25, sshd on port 22")
        self.postfix = self.lab.start_postfix()
        self.ssh = self.lab.start_sshd()
        self.guard = guardbed.Guard(self.lab, mail=False)
        self.lab.count_client_syns(CLIENTS)
        self.lab.start_posternd(**SETTINGS)
        for line in self.lab.log("interface.attached"):
            say(f"posternd: {line['detail']}")

    def load(self):
        step("Lists, in the formats that they come in")
        for name, (kind, file, options, text) in LISTS.items():
            path = self.lab.directory / file
            path.write_text(text)
            say(f"$ posternctl {kind} load {name} {file} {' '.join(options)}".rstrip())
            say("  " + self.lab.ctl(kind, "load", name, path, *options).out.strip())
        self.lab.ctl("monitor", "on", "--list", "new")
        say("$ posternctl monitor on --list new        (counts what it would stop, stops nothing)")

    def mail(self, source):
        self.mails += 1
        self.taken += self.lab.swaks(source)

    def expect(self, outcome, wanted):
        """Remembers whether something came out as it must; returns it painted accordingly."""
        self.seen.append(outcome == wanted)
        if outcome != wanted:
            return paint("1;33", f"{outcome} (NOT {wanted})")
        return dropped(outcome) if wanted in ("refused", "timeout") else good(outcome)

    def knock(self, source, wanted):
        return self.expect(self.lab.connect(source), wanted)

    def ssh_works(self):
        works = self.ssh.greeting(self.lab, REFUSED).startswith("SSH-")
        return self.expect("works" if works else "fails", "works")

    def quiet_day(self):
        step("A quiet day")
        for source in GOOD[:2]:
            self.mail(source)
        wait_until(lambda: self.postfix.delivered() == self.mails, 20, "delivery")
        say(f"two good senders: {good(f'{self.mails} mails in the mailbox')}")
        say(f"{REFUSED} is on a reset list: connection {self.knock(REFUSED, 'refused')}; "
            f"its ssh to port 22: {self.ssh_works()}")
        self.refuse()
        self.hold()
        say(f"{WATCHED} is on the monitored list: connection {self.knock(WATCHED, 'open')}, and counted")

    def refuse(self):
        """A client that is answered by the kernel alone, and the id that it was told."""
        reply = senders.greeting(senders.Way(self.lab.internet, TOLD, GATEWAY4)).strip()
        say(f"{TOLD} is refused, and told why:  {dropped(reply)}")
        told = reply.rsplit("id ", 1)[-1]
        why = wait_until(lambda: self.remembered(told), 5, f"an event with the id {told}")
        say(f"$ posternctl why {told}")
        for line in why.splitlines()[:4]:
            say(f"  {line}".rstrip())
        self.seen.append(f"[{TOLD}]" in reply and TOLD in why)

    def remembered(self, told):
        """What `why` says of an id once the agent has read the event, which takes it a moment."""
        why = self.lab.ctl("why", told).out
        return why if TOLD in why else ""

    def hold(self):
        """A client in the tarpit: connected, as it believes, and the gateway knows nothing of it."""
        with senders.connect(senders.Way(self.lab.internet, HELD, GATEWAY4)) as client:
            client.send(b"EHLO spam.example\r\n")
            time.sleep(1)
            sockets = self.lab.ns(self.lab.gateway, "ss", "-Htn", "src", f"{GATEWAY4}:25", "dst", HELD).out
            waits = "waits" if "ESTAB" in self.lab.ns(self.lab.internet, "ss", "-Htn", "src", HELD).out else "is gone"
        say(f"{HELD} is in the tarpit: it has connected and {self.expect(waits, 'waits')}; "
            f"sockets for it on the gateway: {self.expect(str(sockets.count(HELD)), '0')}")

    def look_up(self):
        step("A sender that nobody here knows, and that a DNS list does: guard mode")
        self.guard.wait_for_zones()
        say(f"{CAUGHT} connects to Postfix for the first time: {self.knock(CAUGHT, 'open')}, "
            "and its SYN has set off the lookups")
        verdict = self.guard.wait_for_verdict(CAUGHT)
        say(f"posternd: {verdict['source']} has a score of {verdict['score']}, after {verdict['ms']} ms: "
            f"{self.expect(verdict['decision'], 'reject')}")
        say(f"its second attempt, dropped in the kernel: {self.knock(CAUGHT, 'timeout')}")
        self.explain(CAUGHT, paragraphs=5)

    def start_floods(self):
        seconds = FLOOD_SECONDS
        plan = {"drop": ([SPOOFED4], 40000, False), "six": ([SPOOFED6], 20000, False),
                "vlan": ([f"{VLAN_SENDER4}/32"], 2000, True), "too fast": ([f"{TOO_FAST}/32"], 5000, False)}
        for name, (prefixes, rate, vlan) in plan.items():
            self.floods[name] = self.lab.flood(*prefixes, count=rate * (seconds + SLACK), rate=rate, vlan=vlan)

    def flood(self):
        step("A SYN flood: 67,000 a second, from some 390,000 addresses and from one that is too fast")
        last = self.show_second(0, None)
        self.start_floods()
        start = time.monotonic()
        for second in range(1, FLOOD_SECONDS + 1):
            if second == 4:
                self.explain(TOO_FAST)
            if second == 5:
                self.kill()
            if second == 7:
                self.restart()
            self.mail(GOOD[second % len(GOOD)])
            time.sleep(max(0, start + second - time.monotonic()))
            if self.lab.posternd.poll() is None:
                last = self.show_second(second, last)
            else:
                say(f"{second:3} s  no agent; the kernel goes on filtering. "
                    f"A listed address: {self.knock(LISTED, 'timeout')}; ssh from one: {self.ssh_works()}")
        self.floods = {name: flood.result() for name, flood in self.floods.items()}

    def show_second(self, second, last):
        stats = self.lab.ctl("top", "--count", "1", "--json").json
        now = {row["reason"]: 0 for row in stats["reasons"]}
        for row in stats["reasons"]:
            if row["outcome"] == "enforced":
                now[row["reason"]] += row["packets"]
        at = stats["time_ns"] / 1e9
        if last and at > last[0]:
            rate = {reason: (now[reason] - last[1].get(reason, 0)) / (at - last[0]) for reason in now}
            drops = "  ".join(f"{reason} {value:,.0f}/s" for reason, value in sorted(rate.items(), key=lambda r: -r[1])
                              if value >= 1 and reason in ("listed", "rate-source"))
            say(f"{second:3} s  dropped: {dropped(drops)}   mails: {good(f'{self.taken} of {self.mails} taken')}")
            say("       most of all " + ", ".join(
                f"{row['source']} ({row['reason']}{' ' + row['list'] if row['list'] else ''})"
                for row in stats["offenders"][:SHOWN_SOURCES]))
        return at, now

    def counts(self):
        return {reason: self.lab.packets(reason) for reason in JUDGED}

    def forge(self):
        step(f"A flood of {FORGED_RATE:,} SYNs a second from forged addresses, all different, on no list")
        self.before_forged = self.counts()
        flood = self.lab.flood(FORGED, count=FORGED_RATE * FORGED_SECONDS, rate=FORGED_RATE)
        wait_until(lambda: self.lab.stats()["health"]["cookies_sent"], 10, "the first SYN cookie")
        self.mail(NEW)
        say(f"{NEW}, which nobody knows, delivers a mail meanwhile: {good(f'{self.taken} of {self.mails} taken')}")
        for line in self.lab.ctl("status").out.splitlines():
            if "lood" in line or "cookies" in line:
                say(f"  {line.strip()}")
        self.forged = flood.result()["sent"]
        cookies = self.lab.stats()["health"]["cookies_sent"]
        say(f"{cookies:,} of {self.forged:,} were answered with SYN cookies, for which nothing is remembered")

    def kill(self):
        self.lab.stop_posternd(signal.SIGKILL)
        say(paint("1;33", "     kill -9 of posternd"))

    def restart(self):
        self.lab.start_posternd(**SETTINGS)
        opened = self.lab.log("gate.opened")[-1]
        found = self.expect("adopted" if opened["adopted"] else "replaced", "adopted")
        say(paint("1;33", "     posternd starts again; what it found in the kernel was ") + found)

    def explain(self, address, paragraphs=1):
        say(f"$ posternctl why {address}")
        for line in "\n\n".join(self.lab.ctl("why", address).out.split("\n\n")[:paragraphs]).splitlines():
            say(f"  {line}".rstrip())

    def why(self):
        step("Every refusal can be explained")
        offenders = self.lab.ctl("top", "--count", "1", "--json").json
        listed = next((row["source"] for row in offenders["offenders"] if row["list"] == "drop"), LISTED)
        for address in (listed, GOOD[0]):
            self.explain(address)
        self.explain(VLAN_SENDER4, paragraphs=4)

    # ---- whether it adds up

    def summary(self):
        step("What was sent, and what became of it")
        with contextlib.suppress(Failed):  # the table shows what is missing
            wait_until(lambda: self.postfix.delivered() == self.taken, 30, "delivery of all mails")
        judged, before = self.counts(), self.before_forged
        forged = {reason: judged[reason] - before[reason] for reason in judged}
        lists = {name: 0 for name in [*LISTS, guardbed.LEARNED]}
        for row in self.lab.stats()["lists"]:
            if row["outcome"] == "enforced":
                lists[row["list"]] += row["packets"]
        sent = {name: report["sent"] for name, report in self.floods.items()}
        clients = self.lab.client_syns()
        # Of the source that is too fast: what its burst allows.
        passed = before["accepted"] - clients["watched"] - CAUGHT_PASSED
        return all([show_check(*row) for row in [
            ("SYNs sent by the floods", sum(sent.values()) + self.forged),
            ("SYNs sent by clients", sum(clients.values())),
            ("SYNs judged by Postern", sum(judged.values()), "sent in all", sum(sent.values()) + self.forged + sum(clients.values())),
            ("  dropped or reset, listed", judged["listed"], "by the lists' own counters",
             sum(lists[name] for name in ("drop", "six", "vlan", "rude", "told", "pit", guardbed.LEARNED))),
            ("    IPv4, Spamhaus DROP", lists["drop"], f"flood, and {clients['listed']} of a client",
             sent["drop"] + clients["listed"]),
            ("    IPv6, netset", lists["six"], "flood", sent["six"]),
            ("    behind the VLAN, rbldnsd", lists["vlan"], "flood", sent["vlan"]),
            ("    answered by a reset", lists["rude"], "sent by that client", clients["refused"]),
            ("    told why, by a 554", lists["told"], "sent by that client", clients["told"]),
            ("    held in the tarpit", lists["pit"], "sent by that client", clients["held"]),
            ("    on a DNS list, learned", lists[guardbed.LEARNED], f"sent by that client, less {CAUGHT_PASSED}",
             clients["caught"] - CAUGHT_PASSED),
            ("  dropped, too fast", before["rate-source"], f"flood, less {passed} within its rate",
             sent["too fast"] - passed),
            ("  passed, allow list", judged["allowed"], "sent by good senders", clients["good"]),
            ("  passed, others, before the last flood", before["accepted"]),
            ("    of the monitored list", self.lab.packets("listed", "monitored"), "sent by that client",
             clients["watched"]),
            ("  of the flood from forged addresses", sum(forged.values()) - clients["unknown"], "sent", self.forged),
            ("    answered with SYN cookies", forged["challenged"], "sent by the program",
             self.lab.stats()["health"]["cookies_sent"]),
            ("Mails sent by good senders", self.mails, "taken by Postfix", self.taken),
            ("Mails in the mailbox", self.postfix.delivered(), "sent", self.mails),
            ("Things tried on the way", len(self.seen), "came out as they must", sum(self.seen)),
        ]])


def main():
    start = time.monotonic()
    with Lab("demo") as lab:
        demo = Demo(lab)
        for part in (demo.prepare, demo.load, demo.quiet_day, demo.look_up, demo.flood, demo.why, demo.forge):
            part()
        adds_up = demo.summary()
    adds_up = demo_front.play() and adds_up
    say(f"\n{good('Everything adds up.') if adds_up else dropped('Not everything adds up.')} "
        f"{time.monotonic() - start:.0f} seconds. Nothing is left running.")
    return 0 if adds_up else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
