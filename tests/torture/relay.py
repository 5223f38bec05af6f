#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tricks to make a mail server send mail on for a stranger (an open relay). All of them have to be refused.

usage: relay.py HOST PORT [options of torture.py]      exit status 1 if one was taken

A local part that names another domain without an old routing sign (as VERP does) is a mailbox like any other, and not tried.
`own` is a domain of the server, `ip` its address, `victim` somebody elsewhere. A recipient counts as taken if DATA is
answered with 354; nothing is sent.
"""
import argparse
import concurrent.futures
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from torture.client import GONE, SILENT  # noqa: E402
from torture.registry import Bad, Talk  # noqa: E402
from torture.torture import RIGHT, THREADS, WRONG, arguments, report, target, write  # noqa: E402

OTHER, LOOK = "elsewhere.example", "оwn.example"  # the last begins with a Cyrillic letter
SENDER = "<tester@{sender}>"

# (name, MAIL FROM, RCPT TO), each with its brackets.
TRICKS = [
    ("plainly", SENDER, "<victim@{other}>"),
    ("from the null sender", "<>", "<victim@{other}>"),
    ("from our own domain", "<user@{own}>", "<victim@{other}>"),
    ("from our postmaster", "<postmaster@{own}>", "<victim@{other}>"),
    ("from a domain that does not exist", "<user@nowhere.invalid>", "<victim@{other}>"),
    ("from a name without a domain", "<user>", "<victim@{other}>"),
    ("from root", "<root@localhost>", "<victim@{other}>"),
    ("from our address", "<user@[{ip}]>", "<victim@{other}>"),
    ("from the recipient", "<victim@{other}>", "<victim@{other}>"),
    ("percent hack", SENDER, "<victim%{other}@{own}>"),
    ("percent hack at our address", SENDER, "<victim%{other}@[{ip}]>"),
    ("percent hack without a domain", SENDER, "<victim%{other}>"),
    ("percent hack, twice", SENDER, "<victim%{other}%{own}@{own}>"),
    ("percent hack, quoted", SENDER, '<"victim%{other}"@{own}>'),
    ("percent hack from us", "<user@{own}>", "<victim%{other}@{own}>"),
    ("percent hack, both ways", SENDER, "<{own}%victim@{other}>"),
    ("bang path", SENDER, "<{other}!victim@{own}>"),
    ("bang path alone", SENDER, "<{other}!victim>"),
    ("bang path over us", SENDER, "<{own}!{other}!victim>"),
    ("bang path at our address", SENDER, "<{other}!victim@[{ip}]>"),
    ("bang path, quoted", SENDER, '<"{other}!victim"@{own}>'),
    ("bang path from us", "<user@{own}>", "<{other}!victim@{own}>"),
    ("bang and percent", SENDER, "<{own}!victim%{other}@{own}>"),
    ("source route over us", SENDER, "<@{own}:victim@{other}>"),
    ("source route over our address", SENDER, "<@[{ip}]:victim@{other}>"),
    ("source route over two", SENDER, "<@{own},@{other}:victim@{other}>"),
    ("source route to us by another", SENDER, "<@{other}:user@{own}@{other}>"),
    ("source route and percent", SENDER, "<@{own}:victim%{other}@{own}>"),
    ("source route with a blank", SENDER, "<@{own}: victim@{other}>"),
    ("source route without brackets", SENDER, "@{own}:victim@{other}"),
    ("source route from us", "<@{own}:user@{own}>", "<@{own}:victim@{other}>"),
    ("source route over nobody", SENDER, "<@:victim@{other}>"),
    ("quoted address", SENDER, '<"victim@{other}">'),
    ("quoted address at us", SENDER, '<"victim@{other}"@{own}>'),
    ("quoted address at our address", SENDER, '<"victim@{other}"@[{ip}]>'),
    ("quoted local part", SENDER, '<"victim"@{other}>'),
    ("escaped @", SENDER, "<victim\\@{other}@{own}>"),
    ("escaped quote", SENDER, '<"victim\\"@{other}"@{own}>'),
    ("two @", SENDER, "<victim@{other}@{own}>"),
    ("two @, the other way", SENDER, "<victim@{own}@{other}>"),
    ("two @ at our address", SENDER, "<victim@{other}@[{ip}]>"),
    ("two @ in a row", SENDER, "<victim@@{other}>"),
    ("an empty domain", SENDER, "<victim@{other}@>"),
    ("an empty domain, percent", SENDER, "<victim%{other}@>"),
    ("a domain of a dot", SENDER, "<victim%{other}@.>"),
    ("two brackets, the second", SENDER, "<user@{own}><victim@{other}>"),
    ("brackets in brackets", SENDER, "<<user@{own}>victim@{other}>"),
    ("behind the bracket", SENDER, "<victim@{other}>@{own}"),
    ("before the bracket", SENDER, "victim@{other}<user@{own}>"),
    ("no brackets", SENDER, "victim@{other}"),
    ("no brackets, two", SENDER, "user@{own} victim@{other}"),
    ("a list", SENDER, "<user@{own},victim@{other}>"),
    ("a list of two", SENDER, "<user@{own}>,<victim@{other}>"),
    ("a group", SENDER, "<all:victim@{other};@{own}>"),
    ("an RFC 822 comment", SENDER, "<victim@{other}(@{own})>"),
    ("a comment in the domain", SENDER, "<victim@{other} (x) @{own}>"),
    ("a comment before", SENDER, "(@{own})<victim@{other}>"),
    ("a blank in the domain", SENDER, "<victim@{other} {own}>"),
    ("a tab in the domain", SENDER, "<victim@{other}\t{own}>"),
    ("folded", SENDER, "<victim@{other}\r @{own}>"),
    ("a CR in the domain", SENDER, "<victim@{other}\r{own}>"),
    ("a LF in the domain", SENDER, "<victim@{other}\n.{own}>"),
    ("NUL before our domain", SENDER, "<victim@{other}\0@{own}>"),
    ("NUL in the domain", SENDER, "<victim@{other}\0.{own}>"),
    ("NUL behind our domain", SENDER, "<victim@{own}\0.{other}>"),
    ("our domain as a part of another, behind", SENDER, "<victim@{own}.{other}>"),
    ("our domain as a part of another, before", SENDER, "<victim@x{own}>"),
    ("a domain below ours", SENDER, "<victim@sub.{own}>"),
    ("an empty label before ours", SENDER, "<victim@.{own}>"),
    ("an empty label in it", SENDER, "<victim@own..example>"),
    ("two trailing dots", SENDER, "<victim@{own}..>"),
    ("another domain with a trailing dot", SENDER, "<victim@{other}.>"),
    ("another domain in capitals", SENDER, "<VICTIM@ELSEWHERE.EXAMPLE>"),
    ("look-alike of our domain", SENDER, "<victim@{look}>"),
    ("look-alike as an A-label", SENDER, "<victim@xn--wn-fmc.example>"),
    ("a full-width dot", SENDER, "<victim@own\uff0eexample>"),
    ("an ideographic full stop", SENDER, "<victim@own\u3002example>"),
    ("a full-width @", SENDER, "<victim\uff20{other}@{own}>"),
    ("a small @", SENDER, "<victim\ufe6b{other}>"),
    ("a zero-width space", SENDER, "<victim@own\u200b.example>"),
    ("a soft hyphen", SENDER, "<victim@o\u00adwn.example>"),
    ("an address of elsewhere", SENDER, "<victim@[198.51.100.77]>"),
    ("an address without brackets", SENDER, "<victim@198.51.100.77>"),
    ("an IPv6 address", SENDER, "<victim@[IPv6:2001:db8::77]>"),
    ("the loopback address", SENDER, "<victim%{other}@[127.0.0.1]>"),
    ("an address as a number", SENDER, "<victim@[3325256781]>"),
    ("an address with a tag", SENDER, "<victim@[x400:abc]>"),
    ("localhost", SENDER, "<victim%{other}@localhost>"),
    ("an address with a port", SENDER, "<victim@{other}:25>"),
    ("a mail host's name", SENDER, "<victim@mx.{other}>"),
    ("an underscore", SENDER, "<victim@_smtp.{other}>"),
    ("a null domain", SENDER, "<victim@{other}%00@{own}>"),
    ("a long local part", SENDER, "<" + "a" * 300 + "%{other}@{own}>"),
    ("a long local part that is cut to another", SENDER, "<" + "a" * 64 + "@{other}@{own}>"),
    ("a long domain that is cut to ours", SENDER, "<victim@{own}." + "a" * 60 + ".{other}>"),
    ("ORCPT elsewhere", SENDER, "<victim@{other}> ORCPT=rfc822;user@{own}"),
    ("a parameter that names us", SENDER, "<victim@{other}> RELAY=yes"),
    ("postmaster elsewhere", SENDER, "<postmaster@{other}>"),
    ("abuse elsewhere", SENDER, "<abuse@{other}>"),
    ("postmaster with percent", SENDER, "<postmaster%{other}@{own}>"),
    ("RFC 2821 domain literal list", SENDER, "<@[{ip}],@{own}:victim@{other}>"),
    ("UUCP in a quoted route", SENDER, '<"{own}!victim@{other}">'),
    ("colon", SENDER, "<{other}:victim@{own}>"),
    ("DECnet", SENDER, "<{other}::victim@{own}>"),
    ("a mailto address", SENDER, "<mailto:victim@{other}>"),
    ("a pipe", SENDER, '<"|/usr/sbin/sendmail victim@{other}"@{own}>'),
    ("VERP", SENDER, "<user+victim={other}%{other}@{own}>"),
]


def attempt(talk, sender, to, words):
    made = talk.open()
    reply = made.ask(f"MAIL FROM:{sender.format(**words)}".encode())
    if reply[0] != "2":
        talk.must(sender != SENDER, f"MAIL: {reply}: nothing was tried")
        return
    made.send(f"RCPT TO:{to.format(**words)}\r\n".encode())
    reply = made.reply()
    while reply[0] in "45" and made.reply(0.02) != SILENT and not made.over:
        pass  # a line that was read as several
    if made.over:
        return
    if reply[0] == "2":
        data = made.ask("DATA")
        raise Bad(f"taken: {reply}; DATA: {data}")
    talk.expect(made.ask("DATA"), f"5|4|{GONE}", "DATA after a refusal")


def tried(where, trick, number):
    name, sender, to = trick
    words = dict(own=where.domain, other=OTHER, look=LOOK, ip=where.host, sender=where.sender)
    talk, verdict, why = Talk(where, number), RIGHT, ""
    try:
        attempt(talk, sender, to, words)
    except (Bad, OSError) as bad:
        verdict, why = WRONG, str(bad)
    finally:
        talk.close()
    return {"section": "relay", "name": name, "reference": "RFC 5321 3.6, C, F.2; RFC 2505", "sends": f"MAIL FROM:{sender} RCPT TO:{to}"[:120],
            "accepts": "refused", "seen": talk.seen[-3:], "verdict": verdict, "why": why}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments(parser)
    options = parser.parse_args()
    where = target(options)
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        rows = list(pool.map(lambda numbered: tried(where, numbered[1], numbered[0]), enumerate(TRICKS)))
    if options.json:
        write(options.json, rows)
    return 1 if report(rows, False)[WRONG] else 0


if __name__ == "__main__":
    sys.exit(main())
