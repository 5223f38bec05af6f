#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Evaluations of SPF a second, and questions to the DNS: build/bench/spf.json.

Postern is measured beside pyspf and, where they are installed, libspf2 and Perl's Mail::SPF, each on one processor.
First with answers from memory: the policies are such as large and small senders publish, the scripted DNS of each is
part of what is measured, and every evaluation is of a fresh query, so nothing is kept from one to the next. Then with a
real resolver (bench_wire.py). All subjects take turns, so what else the machine does meets all of them; what compares
them is the ratio to Postern's figure of the same turn, which is written, too.

usage: bench_spf.py DIRECTORY     of evaluate, bench_resolver and, if there is such a one, bench_libspf2
"""
import json
import pathlib
import shutil
import subprocess
import sys
import time

import bench_wire
import differential

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))
from figures import Figures  # noqa: E402

RUNS = 5
ROUNDS = {"Postern": 20000, "pyspf": 300, "Mail::SPF": 100}
HERE = pathlib.Path(__file__).resolve().parent

NETWORKS = " ".join(f"ip4:198.51.{number}.0/24" for number in range(20))
ZONE = {
    "small.example": {"TXT": ["v=spf1 mx a -all"], "A": ["192.0.2.1"], "MX": [[10, "mx1.small.example"]]},
    "mx1.small.example": {"A": ["192.0.2.2"]},
    "flat.example": {"TXT": [f"v=spf1 {NETWORKS} ip6:2001:db8::/32 ~all"]},
    "large.example": {"TXT": ["v=spf1 include:a.large.example include:b.large.example include:c.large.example -all"]},
    "a.large.example": {"TXT": [f"v=spf1 {NETWORKS} ~all"]},
    "b.large.example": {"TXT": ["v=spf1 include:d.large.example ip4:203.0.113.0/25 ~all"]},
    "c.large.example": {"TXT": ["v=spf1 ip4:203.0.113.128/25 ip6:2001:db8:1::/48 ~all"]},
    "d.large.example": {"TXT": ["v=spf1 mx:small.example ~all"]},
    "macro.example": {"TXT": ["v=spf1 exists:%{ir}.%{l1r-}._spf.%{d} redirect=_r.%{d2}"]},
    "_r.macro.example": {"TXT": ["v=spf1 a:%{h} exp=why.%{d} -all"], "A": ["192.0.2.1"]},
    "why.macro.example": {"TXT": ["%{i} is no host of %{o}"]},
    "1.2.0.192.user._spf.macro.example": {"A": ["127.0.0.2"]},
    "mx.macro.example": {"A": ["192.0.2.9"]},
}
CASES = [
    ("mx and a", "192.0.2.2", "user@small.example"),
    ("21 networks", "203.0.113.77", "user@flat.example"),
    ("four includes", "203.0.113.200", "user@large.example"),
    ("macros, redirect, exp", "203.0.113.200", "user-x@macro.example"),
]
HELO = "mx.macro.example"


def case_line(ip, sender):
    return json.dumps({"zone": ZONE, "ip": ip, "helo": HELO, "from": sender}) + "\n"


def postern(evaluate, ip, sender, rounds):
    done = subprocess.run([evaluate, str(rounds)], input=case_line(ip, sender), capture_output=True, text=True, check=True)
    verdict, figures = (json.loads(line) for line in done.stdout.splitlines())
    return verdict["result"], figures["evaluations"] / figures["seconds"]


def pyspf(_, ip, sender, rounds):
    start = time.perf_counter()
    for _ in range(rounds):
        result = differential.ask_pyspf(ZONE, ip, HELO, sender, ())[0]
    return result, rounds / (time.perf_counter() - start)


def mail_spf(_, ip, sender, rounds):
    done = subprocess.run(["perl", HERE / "bench_mail_spf.pl", str(rounds)], input=case_line(ip, sender),
                          capture_output=True, text=True, check=True)
    result, seconds = done.stdout.split()
    return result, rounds / float(seconds)


def has_mail_spf():
    return bool(shutil.which("perl")) and subprocess.run(["perl", "-MMail::SPF", "-MJSON::PP", "-e", "1"],
                                                         capture_output=True).returncode == 0


class Turns:
    """Measures subjects in turn. A subject is (name, function).

    The function gives the result, how often a second it came to it and, if it knows, how often a second of its own
    processor's: where others work, or a server is waited for, that is less than a second.
    """

    def __init__(self):
        self.figures = Figures()

    def measure(self, figure, unit, subjects):
        """All must come to the same result. The first one is what the others are compared with."""
        turns = [[function() for _, function in subjects] for _ in range(RUNS)]
        results = {measured[0] for turn in turns for measured in turn}
        assert len(results) == 1, f"{figure}: {results}"
        for index, of in ((1, ""), (2, " of processor")):
            known = [number for number in range(len(subjects)) if len(turns[0][number]) > index]
            for number in known:
                self.figures.add(figure, unit + of, subjects[number][0], [turn[number][index] for turn in turns])
            for number in known[1:]:
                self.figures.add(figure, f"ratio{of}", f"{subjects[0][0]} / {subjects[number][0]}",
                                 [turn[0][index] / turn[number][index] for turn in turns])


def from_memory(turns, evaluate, subjects):
    for name, ip, sender in CASES:
        turns.measure(name, "evaluations/s", [
            (subject, lambda m=measure, s=subject, i=ip, f=sender: m(evaluate, i, f, ROUNDS[s]))
            for subject, measure in subjects.items()])


def main():
    programs = pathlib.Path(sys.argv[1])
    bench_wire.in_namespace()
    turns, subjects = Turns(), {"Postern": postern, "pyspf": pyspf}
    if has_mail_spf():
        subjects["Mail::SPF"] = mail_spf
    else:
        print("Mail::SPF is not measured: libmail-spf-perl is not installed")
    from_memory(turns, programs / "evaluate", subjects)
    bench_wire.measure(programs, has_mail_spf(), turns)
    turns.figures.write("spf")


if __name__ == "__main__":
    main()
