#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Evaluations of SPF a second, with answers from memory: build/bench/spf.json.

The policies are such as large and small senders publish. Postern (tests/spf/evaluate) is measured beside pyspf and,
where it is installed, Perl's Mail::SPF, all on one processor and with the same answers; the scripted DNS of each is
part of what is measured. Every evaluation is of a fresh query, so nothing is kept from one to the next.

usage: bench_spf.py EVALUATE
"""
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

import differential

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


def subjects():
    found = {"Postern": postern, "pyspf": pyspf}
    if shutil.which("perl") and subprocess.run(["perl", "-MMail::SPF", "-MJSON::PP", "-e", "1"],
                                               capture_output=True).returncode == 0:
        found["Mail::SPF"] = mail_spf
    return found


def main():
    evaluate, rows = sys.argv[1], []
    for name, ip, sender in CASES:
        results = set()
        for subject, measure in subjects().items():
            runs = [measure(evaluate, ip, sender, ROUNDS[subject]) for _ in range(RUNS)]
            results |= {result for result, _ in runs}
            values = [value for _, value in runs]
            row = {"figure": name, "value": statistics.median(values), "unit": "evaluations/s", "subject": subject,
                   "runs": RUNS, "min": min(values), "max": max(values)}
            rows.append(row)
            print(f"{name:24} {subject:12} {row['value']:10.0f} evaluations/s  ({row['min']:.0f} to {row['max']:.0f})",
                  flush=True)
        assert len(results) == 1, f"{name}: {results}"
    path = HERE.parents[1] / "build/bench/spf.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
