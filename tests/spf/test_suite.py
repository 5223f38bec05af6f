# SPDX-License-Identifier: GPL-2.0-only
"""The openspf suite: over the wire with posternctl, and in one process with scripted answers.

What a zone does not answer is waited for over the wire, so the cases of a scenario run side by side.
"""
import concurrent.futures
import json
import os
import subprocess
from pathlib import Path

import pytest

import suite
import zone

BUILD = Path(os.environ.get("BUILD", suite.ROOT / "build"))
POSTERNCTL = BUILD / "posternctl"
EVALUATE = BUILD / "tests/spf/evaluate"
DEFAULT = "the domain of the sender does not allow this host to send its mail"
SCENARIOS = suite.scenarios()
AT_ONCE = 8

needs_suite = pytest.mark.skipif(not SCENARIOS, reason=f"skipped: {suite.FILE} is not there (POSTERN_VECTORS)")


def mismatch(case, verdict):
    """What is wrong with a verdict; "" if nothing is. Of two accepted results it is to be the preferred one."""
    if verdict["result"] != suite.accepted(case)[0]:
        return f"{verdict['result']}, not {suite.accepted(case)[0]} ({verdict['problem']})"
    wanted = case.get("explanation")
    wanted = DEFAULT if wanted == "DEFAULT" else wanted
    return "" if wanted in (None, verdict["explanation"]) else f"explained with {verdict['explanation']!r}"


def over_the_wire(case, address):
    command = [POSTERNCTL, "check", "spf", "--ip", case["host"], "--helo", case["helo"],
               "--from", case.get("mailfrom") or "", "--dns", address, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 1), f"{command}: {done.stderr}"
    verdict = json.loads(done.stdout)
    assert done.returncode == (1 if verdict["result"] == "fail" else 0)
    return mismatch(case, verdict)


@needs_suite
def test_there_are_as_many_cases_as_there_should_be():
    assert sum(len(cases) for _, _, cases in SCENARIOS) == suite.CASES


@needs_suite
@pytest.mark.parametrize("description, records, cases", SCENARIOS, ids=[scenario[0] for scenario in SCENARIOS])
def test_over_the_wire(description, records, cases):
    with zone.Server(records) as server, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        found = dict(zip(cases, pool.map(lambda case: over_the_wire(case, server.address), cases.values())))
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@needs_suite
def test_scripted():
    lines, names = [], []
    for _, records, cases in SCENARIOS:
        for name, case in cases.items():
            names.append((name, case))
            lines.append(json.dumps({"zone": records, "ip": case["host"], "helo": case["helo"],
                                     "from": case.get("mailfrom") or ""}) + "\n")
    done = subprocess.run([EVALUATE], input="".join(lines), capture_output=True, text=True, check=True, timeout=60)
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(verdicts) == len(names)
    wrong = {name: mismatch(case, verdict) for (name, case), verdict in zip(names, verdicts)}
    assert {name: text for name, text in wrong.items() if text} == {}
