#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Hostile and odd SMTP against any server, and what it made of it.

usage: torture.py HOST PORT [options]      exit status 1 if the server did what it must not

A server is right, or lenient (it let pass what it should have refused, but nobody is harmed by that alone), or WRONG.

Each case says what it is about (RFC section or CVE), what is sent and what is acceptable; the table has what was seen. With a sink
behind the server (sink.py, whose log is named by --sink) it is also looked at which octets went on: no bare CR or LF, no
message that was smuggled in, none that was not promised, and each one that was promised, octet for octet below its header. All that
was answered is looked at, too: lines of RFC 5321 4.2, whose enhanced codes do not contradict them.

Give it addresses to come from (--sources) if the server counts what one of them does.
"""
import argparse
import concurrent.futures
import ipaddress
import itertools
import json
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from torture import auth, chunking, dialogue, framing, identity, limits, order, sink, tls  # noqa: E402
from torture.registry import CASES, Bad, Lenient, NotOffered, Talk, Target  # noqa: E402

SECTIONS = framing, chunking, order, tls, auth, identity, dialogue, limits  # each has put its cases into CASES
RIGHT, LENIENT, WRONG, NOT_OFFERED = "right", "lenient", "WRONG", "not offered"
THREADS = 16
HIDDEN_DOT = re.compile(r"\r\n\0+\.\0*\r\n")
# RFC 5321 4.2, and the enhanced code of RFC 2034.
REPLY = re.compile(r"(?P<code>[2-5]\d\d)(?:[ -](?:(?P<class>[245])\.\d{1,3}\.\d{1,3}(?= |$))?[ -~\t]*)?")
REPLY_MAX = 512  # octets of a line (RFC 5321 4.5.3.1.5)
BARE = re.compile(r"(?<!\r)\n|\r(?!\n)")


def run(case, target, number):
    """(row of the table, Talk)"""
    talk, why, verdict = Talk(target, number), "", RIGHT
    begin = time.monotonic()
    try:
        case.run(talk)
    except Bad as bad:
        verdict, why = WRONG, str(bad)
    except Lenient as lenient:
        verdict, why = LENIENT, str(lenient)
    except NotOffered as missing:
        verdict, why = NOT_OFFERED, str(missing)
    except OSError as error:
        verdict, why = WRONG, f"{type(error).__name__}: {error}"
    finally:
        talk.close()
    return {"section": case.section, "name": case.name, "reference": case.reference, "sends": case.sends, "accepts": case.accepts,
            "seen": [line[:200] for line in talk.seen[-12:]], "verdict": verdict, "why": why, "seconds": round(time.monotonic() - begin, 2)}, talk


def run_all(target, words=()):
    chosen = [case for case in CASES if not words or any(word in case.id for word in words)]
    numbered = list(enumerate(chosen))
    found = [None] * len(chosen)
    for number, case in numbered:
        if case.first:
            found[number] = run(case, target, number)
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        jobs = {number: pool.submit(run, case, target, number) for number, case in numbered if not case.alone and not case.first}
        for number, job in jobs.items():
            found[number] = job.result()
    for number, case in numbered:
        if case.alone:
            found[number] = run(case, target, number)
    return found


# ---- what was answered

def odd_line(line):
    """What is wrong with a line of a reply, or ""."""
    text = line.removesuffix(b"\r").decode("latin-1")
    found = REPLY.fullmatch(text)
    if not line.endswith(b"\r") or not found:
        return "is none"
    if len(line) + 1 > REPLY_MAX:
        return "is too long"
    if found["code"] == "521":
        return "says that the host takes no mail at all (RFC 7504)"
    return f"contradicts itself (RFC 2034 4): {text}" if found["class"] and found["class"] != text[0] else ""


def look_at_replies(found):
    """Every line that any case was answered is one of RFC 5321 4.2, and its enhanced code says the same as its code."""
    for row, talk in found:
        wrong = {odd_line(line) for made in talk.clients for line in made.lines} - {""}
        if wrong and row["verdict"] != WRONG:
            row.update(verdict=WRONG, why="; ".join(f"a line of a reply {why}" for why in sorted(wrong)))


# ---- what went on to the server behind

def text_of(octets):
    """What stands below the header."""
    return octets.partition("\r\n\r\n")[2]


def fault(talk, messages):
    """What is wrong with the messages of one case, or ""."""
    smuggled = [row for row in messages if "<smuggled." in row["from"]]
    if smuggled:
        return f"a message was smuggled in: {smuggled[0]['from']}"
    if any(BARE.search(row["octets"]) for row in messages):
        return "a bare CR or LF went on"
    if any(HIDDEN_DOT.search(row["octets"]) for row in messages):
        return "a dot between NULs went on, which is an end for who leaves out NULs"
    if not talk.least <= len(messages) <= talk.most:
        return f"{len(messages)} messages arrived, not {talk.least} to {talk.most}"
    if talk.body is not None and any(text_of(row["octets"]).encode("latin-1") != talk.body for row in messages):
        return f"other octets arrived: {[text_of(row['octets'])[:100] for row in messages]}"
    return ""


def of(talk, messages):
    return [row for row in messages if talk.token in row["from"]]


def look_behind(found, log, patience):
    """Adds to the rows what has arrived. A server with a queue is given some time for what it has promised."""
    end = time.monotonic() + patience
    while True:
        messages = sink.messages(log)
        short = any(talk.most is not None and len(of(talk, messages)) < talk.least for _, talk in found)
        if not short or time.monotonic() > end:
            break
        time.sleep(0.2)
    time.sleep(min(1, patience))  # for what must not come
    messages = sink.messages(log)
    for row, talk in found:
        own = of(talk, messages)
        row["arrived"] = len(own)
        if talk.most is None:
            talk.least, talk.most = 0, 1 << 20
        wrong = fault(talk, own)
        if wrong:
            row.update(verdict=WRONG, why="; ".join(filter(None, [row["why"], wrong])))


def report(rows, every):
    for row in rows:
        if every or row["verdict"] == WRONG:
            print(f"{row['verdict']:11} {row['section']}: {row['name']} ({row['reference']})")
            print(f"            sent {row['sends']}; acceptable: {row['accepts']}")
            print(f"            seen {row['seen'][-4:]} {row['why']}")
    counts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in (RIGHT, LENIENT, WRONG, NOT_OFFERED)}
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    return counts


def addresses(text):
    """Sources in turn: an address or a network."""
    if not text:
        return itertools.repeat(None)
    network = ipaddress.ip_network(text, strict=False)
    return itertools.cycle([str(host) for host in itertools.islice(network.hosts(), 65536)] if network.num_addresses > 1 else [text])


def arguments(parser):
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--tls", action="store_true", help="TLS from the start on PORT")
    parser.add_argument("--submission", type=int, default=0, metavar="PORT", help="with STARTTLS and AUTH")
    parser.add_argument("--domain", default="own.example", help="for which the server takes mail")
    parser.add_argument("--rcpt", default="user@own.example", help="who exists there")
    parser.add_argument("--sender-domain", default="sender.example", help="whose mail may come from here")
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--user-sender", default="", help="the address from which the user may send")
    parser.add_argument("--user-source", default="", help="the address from which the user logs in, and nobody else comes")
    parser.add_argument("--sources", help="an address or a network to come from")
    parser.add_argument("--timeout", type=float, default=5)
    parser.add_argument("--json", metavar="FILE")


def target(options):
    return Target(options.host, options.port, options.tls, options.submission, options.domain, options.rcpt, options.sender_domain,
                  options.user, options.password, options.user_sender, options.user_source, addresses(options.sources), options.timeout)


def write(path, rows):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments(parser)
    parser.add_argument("--sink", metavar="LOG", help="of sink.py behind the server")
    parser.add_argument("--patience", type=float, default=5, help="seconds for what was promised to arrive at the sink")
    parser.add_argument("--all", action="store_true", help="print every case")
    parser.add_argument("--only", nargs="*", default=[], help="cases whose names hold one of these words")
    options = parser.parse_args()
    found = run_all(target(options), options.only)
    look_at_replies(found)
    if options.sink:
        look_behind(found, options.sink, options.patience)
    rows = [row for row, _ in found]
    if options.json:
        write(options.json, rows)
    return 1 if report(rows, options.all)[WRONG] else 0


if __name__ == "__main__":
    sys.exit(main())
