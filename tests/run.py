#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs every test program and the pytest suites, and closes with one line: N passed, N failed.

A program counts as many tests as it says that it ran. One that crashes, takes longer than its time, or
runs no test at all is a failure of its own. What a failing program prints is shown whole.

usage: run.py BUILD [WORD ...]      with words: only the programs and suites whose names hold one
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

PYTHON = "/usr/bin/python3"
PROGRAM_SECONDS = int(os.environ.get("PROGRAM_SECONDS", "180"))
SUITE_SECONDS = 1200
# A suite takes its namespaces and servers away when it is told to end.
TIDY_SECONDS = 20


class Tally:
    """What has passed and failed so far."""

    def __init__(self):
        self.passed = self.failed = 0

    def add(self, name, passed, failed, seconds, output, skipped=0):
        self.passed += passed
        self.failed += failed
        verdict = "ok" if not failed else "FAILED"
        left_out = f", {skipped} skipped" if skipped else ""
        print(f"{verdict:7} {name:40} {passed:4} passed {failed:3} failed {seconds:6.1f} s{left_out}", flush=True)
        if failed:
            print(output, flush=True)


def end(started):
    """Ends a command and what it started."""
    os.killpg(started.pid, signal.SIGTERM)
    try:
        started.wait(TIDY_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def run(command, seconds):
    """(exit status or None after too long, output) of a command. Interrupted, it leaves nothing running."""
    with tempfile.TemporaryFile() as file:
        # Not a pipe: what a command leaves behind must not keep anybody waiting for the end of it.
        started = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                                   start_new_session=True)
        try:
            status, remark = started.wait(seconds), ""
        except subprocess.TimeoutExpired:
            end(started)
            status, remark = None, f"\nended after {seconds} seconds"
        except BaseException:
            end(started)
            raise
        file.seek(0)
        return status, file.read().decode(errors="replace") + remark


def tidy_when_told_to_end():
    """Makes SIGTERM and SIGHUP an exception, as SIGINT is, so that run() ends what it has started."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


def cmocka(tally, program):
    """A cmocka program: its groups say how many tests passed and failed."""
    if not os.access(program, os.X_OK):
        tally.add(program.name, 0, 1, 0, f"{program} has not been built")
        return
    start = time.monotonic()
    status, output = run([program], PROGRAM_SECONDS)
    passed = sum(int(n) for n in re.findall(r"^\[  PASSED  \] (\d+) test", output, re.M))
    failed = sum(int(n) for n in re.findall(r"^\[  FAILED  \] (\d+) test", output, re.M))
    if not failed and (status != 0 or not passed):
        failed = 1
        output += f"\nexit status {status}, {passed} tests passed"
    tally.add(program.name, passed, failed, time.monotonic() - start, output)


def suite(tally, folder):
    """A folder of pytest files."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        report = pathlib.Path(directory) / "report.xml"
        status, output = run([PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}",
                              str(folder)], SUITE_SECONDS)
        passed = failed = skipped = 0
        reasons = set()
        if report.exists():
            reasons = {test.get("message") for test in xml.etree.ElementTree.parse(report).iter("skipped")}
            counts = next(xml.etree.ElementTree.parse(report).getroot().iter("testsuite")).attrib
            failed = int(counts["failures"]) + int(counts["errors"])
            skipped = int(counts["skipped"])
            passed = int(counts["tests"]) - failed - skipped
    if not failed and (status != 0 or not passed):
        failed = 1
        output += f"\nexit status {status}, {passed} tests passed"
    tally.add(f"pytest {folder}", passed, failed, time.monotonic() - start, output, skipped)
    for reason in sorted(filter(None, reasons)):
        print(f"        {reason}", flush=True)


def check(tally, name, command):
    """A check that passes or fails as a whole."""
    start = time.monotonic()
    status, output = run(command, PROGRAM_SECONDS)
    tally.add(name, int(status == 0), int(status != 0), time.monotonic() - start, output)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    tidy_when_told_to_end()
    build, words = pathlib.Path(sys.argv[1]), sys.argv[2:]
    wanted = lambda name: not words or any(word in name for word in words)
    tally = Tally()
    # By the sources, so that one that was not built is missed, and what an older source has left is not run.
    for source in sorted(pathlib.Path("tests/unit").glob("test_*.c")):
        if wanted(source.stem):
            cmocka(tally, build / "tests/unit" / source.stem)
    packet = build / "tests/packet/packet"
    if wanted("packet"):
        cmocka(tally, packet)
        check(tally, "branches of the XDP program",
              ["tests/packet/coverage.py", f"{packet}-coverage", str(build / "packet-branches.txt")])
    for folder in ("tests/lint", "tests/spf", "tests/lab"):
        if wanted(folder):
            suite(tally, folder)
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
