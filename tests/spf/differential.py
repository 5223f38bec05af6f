#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Postern beside pyspf, on generated policies and senders, with the same scripted answers.

Where the two disagree one of them is wrong. mended.MENDS is the table of what pyspf does wrong, with the section of
RFC 7208 that says so; a disagreement that does not go away when that is mended fails the run.

usage: differential.py EVALUATE [CASES [SEED]]     EVALUATE is build/tests/spf/evaluate
"""
import collections
import json
import subprocess
import sys

import spf

import generate
import mended

SEED = 7208
SENDERS = 4
EXPLANATION_MAX = 399  # octets that Postern keeps: SPF_EXPLANATION_MAX without the NUL


class Zone:
    """Answers pyspf's questions out of a zone."""

    def __init__(self, records):
        self.records = records

    def lookup(self, name, kind, *_):
        values = self.records.get(name.rstrip(".").lower(), {}).get(kind, [])
        if values == "TEMPORARY":
            raise spf.TempError("DNS timeout")
        return [((name, kind), self.value(kind, value)) for value in values]

    @staticmethod
    def value(kind, value):
        if kind == "TXT":
            return [value.encode()]
        return tuple(value) if kind == "MX" else value


def ask_pyspf(zone, ip, helo, sender, mends):
    """(result, explanation, what pyspf says is wrong)"""
    spf.DNSLookup = Zone(zone).lookup
    query = mended.Query(i=ip, s=sender, h=helo, receiver=None, strict=True)
    query.mends = frozenset(mends)
    query.set_default_explanation("DEFAULT")
    query.t = "1000000000"
    try:
        result, _, explanation = query.check()
    except Exception as failure:  # pylint: disable=broad-except
        return "crash", "", repr(failure)
    return result, explanation if result == "fail" else "", explanation if result.endswith("error") else ""


def verdict_of_pyspf(zone, sender, mends=()):
    """(result, the domain's explanation)"""
    result, explanation, _ = ask_pyspf(zone, *sender, mends)
    return result, "" if explanation == "DEFAULT" else explanation[:EXPLANATION_MAX]


def ask_postern(evaluate, cases):
    lines = []
    for zone, senders in cases:
        for number, (ip, helo, sender) in enumerate(senders):
            case = {"ip": ip, "helo": helo, "from": sender}
            lines.append(json.dumps(case if number else {"zone": zone, **case}) + "\n")
    done = subprocess.run([evaluate], input="".join(lines), capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def triage(zone, sender, ours):
    """The mends with which pyspf agrees: one alone if there is such a one, else as few as leave out none in vain."""
    for name in mended.MENDS:
        if verdict_of_pyspf(zone, sender, {name}) == ours:
            return (name,)
    needed = set(mended.MENDS)
    if verdict_of_pyspf(zone, sender, needed) != ours:
        return None
    for name in mended.MENDS:
        if verdict_of_pyspf(zone, sender, needed - {name}) == ours:
            needed.remove(name)
    return tuple(sorted(needed))


Disagreement = collections.namedtuple("Disagreement", "zone sender ours theirs problem their_problem")


def compare(zone, sender, verdict):
    """(the mends that settle the disagreement about a sender, what is left): both None if there is none."""
    ours = (verdict["result"], verdict["explanation"] if verdict["explained"] else "")
    theirs = verdict_of_pyspf(zone, sender)
    if ours == theirs:
        return None, None
    mends = triage(zone, sender, ours)
    if mends:
        return mends, None
    return None, Disagreement(zone, sender, ours, theirs, verdict["problem"], ask_pyspf(zone, *sender, mended.MENDS))


def run(evaluate, count, seed):
    """(results by name, triaged kinds, disagreements that are nobody's known fault)"""
    generator = generate.Generator(seed)
    cases = [generator.case() for _ in range(count // SENDERS)]
    verdicts = iter(ask_postern(evaluate, cases))
    results, kinds, unknown = collections.Counter(), collections.Counter(), []
    for zone, senders in cases:
        for sender in senders:
            verdict = next(verdicts)
            results[verdict["result"]] += 1
            mends, left = compare(zone, sender, verdict)
            if mends:
                kinds[mends] += 1
            if left:
                unknown.append(left)
    return results, kinds, unknown


def show(found):
    name = (found.sender[2] or found.sender[1]).rsplit("@", 1)[-1].lower()
    print(f"\n{found.sender}: Postern {found.ours} {found.problem!r}, pyspf {found.theirs},\n"
          f"  mended {found.their_problem}")
    print(f"  {name}: {found.zone.get(name)}")


def main():
    evaluate = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else SEED
    results, kinds, unknown = run(evaluate, count, seed)
    print(f"seed {seed}: {sum(results.values())} cases, {sum(kinds.values())} where pyspf is wrong")
    print("  " + ", ".join(f"{name} {number}" for name, number in results.most_common()))
    for mends, number in kinds.most_common():
        print(f"  {number:5}  {' and '.join(mends)}")
    for name in sorted({name for mends in kinds for name in mends}):
        print(f"  {name:9} {': '.join(mended.MENDS[name])}")
    for found in unknown[:20]:
        show(found)
    print(f"{len(unknown)} disagreements left")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
