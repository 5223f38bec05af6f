#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The torture suite against Postfix, Postfix with its strict settings and Exim, beside what test_front_torture.py has found of Postern.

Leaves each server's rows in build/torture/NAME.json, and build/torture/compare.json and compare.md with all of them.

usage: compare_torture.py [NAME ...]     only these servers
"""
import json
import sys

import torturebed
from lab import Lab


def peer(name, start, *more):
    with Lab("torture") as lab:
        behind = torturebed.Sink(lab)
        start(lab)
        torturebed.suite(lab, name, *more, log=behind.path, patience=20)
        torturebed.suite(lab, f"{name}-relay", script="relay.py")


SERVERS = {
    "postfix": lambda: peer("postfix", torturebed.postfix),
    "postfix-strict": lambda: peer("postfix-strict", lambda lab: torturebed.postfix(lab, hardened=True)),
    "exim": lambda: peer("exim", torturebed.Exim, *torturebed.AUTH),
}


def compare():
    """Writes the table of all servers whose rows are there."""
    tables = {}
    for name in ("postern", *SERVERS):
        files = [path for path in (torturebed.FIGURES / f"{name}.json", torturebed.FIGURES / f"{name}-relay.json") if path.exists()]
        if files:
            tables[name] = {(row["section"], row["name"]): row for path in files for row in json.loads(path.read_text())}
    keys = list(dict.fromkeys(key for rows in tables.values() for key in rows))
    rows = []
    for key in keys:
        any_row = next(table[key] for table in tables.values() if key in table)
        rows.append({**{part: any_row[part] for part in ("section", "name", "reference", "sends", "accepts")},
                     "servers": {name: {part: table[key][part] for part in ("verdict", "why", "seen")} for name, table in tables.items() if key in table}})
    (torturebed.FIGURES / "compare.json").write_text(json.dumps(rows, indent=1) + "\n")
    lines = [f"| section | case | reference | {' | '.join(tables)} |", "|---" * (3 + len(tables)) + "|"]
    for row in rows:
        said = [row["servers"].get(name, {"verdict": ""})["verdict"] for name in tables]
        lines.append(f"| {row['section']} | {row['name'].replace('|', chr(92) + '|')} | {row['reference']} | {' | '.join(said)} |")
    (torturebed.FIGURES / "compare.md").write_text("\n".join(lines) + "\n")
    for name, table in tables.items():
        counts = {}
        for row in table.values():
            counts[row["verdict"]] = counts.get(row["verdict"], 0) + 1
        print(f"{name:16} {counts}")


def main():
    for name in sys.argv[1:] or SERVERS:
        print(f"== {name}", flush=True)
        SERVERS[name]()
    compare()


if __name__ == "__main__":
    main()
