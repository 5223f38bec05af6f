#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""testssl.sh against mode proxy on 25, 465 and 587: nothing of severity MEDIUM or worse, and the chain is trusted.

Leaves what it says in build/torture/testssl-PORT.json. It takes minutes, so `make check` runs it, not `make test`.
"""
import concurrent.futures
import json
import sys

import torturebed
from frontbed import Front
from lab import GATEWAY4, INTERNET4, Lab

PORTS = {25: ["-t", "smtp"], 587: ["-t", "smtp"], 465: []}
BAD = {"MEDIUM", "HIGH", "CRITICAL", "WARN", "FATAL"}
# The lab's CA has no revocation service, and its openssl no engine.
LAB_ONLY = {"cert_revocation", "engine_problem"}
SECONDS = 600


def faults(rows):
    return [row for row in rows if row["severity"] in BAD and row["id"] not in LAB_ONLY]


def findings(front, port, words):
    """What it says; a check that it could not make ("WARN") on a busy machine is made once more."""
    rows = ask(front, port, words)
    warned = [row for row in faults(rows) if row["severity"] == "WARN"]
    if not warned:
        return rows
    print(f"{port}: once more, because of {warned}", flush=True)
    return ask(front, port, words)


def ask(front, port, words):
    path = torturebed.FIGURES.resolve() / f"testssl-{port}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    done = front.lab.ns(front.lab.internet, "testssl", "--quiet", "--color", "0", "--warnings", "batch", "--nodns", "none", "--ip", GATEWAY4, "--add-ca",
                        front.ca, "--jsonfile", path, *words, f"mx.own.example:{port}", check=False, timeout=SECONDS)
    rows = json.loads(path.read_text())
    if len(rows) < 50:
        raise RuntimeError(f"testssl.sh says only {rows}: {done.out[-1000:]}")
    return rows


def main():
    with Lab("testssl") as lab:
        front = Front(lab, backends="sink")
        front.start(smtp={"commands-max": 10000, "errors-max": 10000})
        lab.ctl("allow", "add", INTERNET4)  # on 465 it tries HTTP, for which its address would be blocked at the second time
        with concurrent.futures.ThreadPoolExecutor() as pool:
            found = dict(zip(PORTS, pool.map(lambda port: findings(front, port, PORTS[port]), PORTS)))
    wrong = 0
    for port, rows in found.items():
        bad = faults(rows)
        trusted = [row for row in rows if row["id"].startswith("cert_chain_of_trust") and row["finding"].startswith("passed")]
        if not trusted:
            bad += [row for row in rows if row["id"].startswith("cert_chain_of_trust")] or [{"id": "cert_chain_of_trust", "severity": "?", "finding": "missing"}]
        for row in bad:
            print(f"{port}: {row['severity']} {row['id']}: {row['finding']}")
        wrong += len(bad)
        print(f"{port}: {len(rows)} findings, {len(bad)} bad")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
