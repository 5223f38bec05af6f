#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs every test program and every file of pytest, several side by side; closes with one line: N passed, N failed.

A program counts as many tests as it says that it ran. One that crashes, takes longer than its time, or
runs no test at all is a failure of its own. What a failing program prints is shown whole, when it has ended.
A file of pytest is one process, because its tests share a lab. What measures runs alone, after the others.

usage: run.py BUILD [WORD ...]      with words: only what holds one in its name, such as tests/unit/test_addr,
                                    tests/packet/packet or tests/lab/test_lists.py

In the environment: AT_ONCE, how many run side by side; PROGRAM_SECONDS and SUITE_SECONDS, the most that one may take.
"""
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

PYTHON = "/usr/bin/python3"
PROGRAM_SECONDS = int(os.environ.get("PROGRAM_SECONDS", "300"))
SUITE_SECONDS = int(os.environ.get("SUITE_SECONDS", "400"))
# Most tests of the lab wait: two for each CPU keep it busy.
AT_ONCE = int(os.environ.get("AT_ONCE", 2 * os.cpu_count()))
# A suite takes its namespaces and servers away when it is told to end.
TIDY_SECONDS = 20
POLL_SECONDS = 0.2
FOLDERS = ("tests/lab", "tests/spf", "tests/lint")
# What takes long begins first, so that not one of them is left over when all else has ended.
LONG = ("tests/lab/test_front_greylist.py", "tests/lab/test_guard.py", "tests/lab/test_front_deadlines.py", "tests/lab/test_lifecycle.py", "branches of the XDP program",
        "tests/lab/test_syncookies.py", "tests/lab/test_cookies.py", "tests/lab/test_lists.py", "tests/lab/test_start.py",
        "tests/unit/test_lists", "tests/unit/test_table_scale", "tests/lab/test_conn_limit.py", "tests/lab/test_limits.py",
        "tests/lab/test_crash.py", "tests/spf/test_suite.py", "tests/packet/packet", "tests/unit/test_store_crash")
# These count what passes at full speed, or compare times.
ALONE = ("tests/lab/test_bench.py", "tests/lab/test_evidence.py", "tests/lab/test_flood.py", "tests/lab/test_front_slow.py")


class Tally:
    """What has passed and failed so far."""

    def __init__(self):
        self.passed = self.failed = 0
        self.names = set()

    def add(self, name, passed, failed, seconds, output, skipped=0):
        if passed + failed:
            self.names.add(name)
        self.passed += passed
        self.failed += failed
        verdict = "ok" if not failed else "FAILED"
        left_out = f", {skipped} skipped" if skipped else ""
        print(f"{verdict:7} {name:40} {passed:4} passed {failed:3} failed {seconds:6.1f} s{left_out}", flush=True)
        if failed:
            print(output, flush=True)

    def counts(self, folder):
        """Whether anything in a folder has passed or failed."""
        return any(name.startswith(f"{folder}/") for name in self.names)


class Job:
    """A command that is run once: start(), poll() until it has ended, finish() to count it."""

    def __init__(self, name, command, seconds):
        self.name, self.command, self.seconds = name, command, seconds
        self.ended_by = None

    def start(self):
        # Not a pipe: what a command leaves behind must not keep anybody waiting for the end of it.
        self.file = tempfile.TemporaryFile()
        self.begin = time.monotonic()
        self.deadline = self.begin + self.seconds
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.file,
                                        stderr=subprocess.STDOUT, start_new_session=True)

    def end(self, number):
        """Ends it and what it started. It is not reaped yet, so the number is still its own."""
        self.ended_by = number
        os.killpg(self.process.pid, number)
        self.deadline = time.monotonic() + TIDY_SECONDS

    def poll(self):
        """Whether it has ended. If its time is over it is told to, and killed when it does not."""
        if self.process.poll() is not None:
            return True
        if time.monotonic() > self.deadline:
            self.end(signal.SIGKILL if self.ended_by else signal.SIGTERM)
        return False

    def finish(self, tally):
        with self.file:
            self.file.seek(0)
            output = self.file.read().decode(errors="replace")
        status = self.process.returncode
        if self.ended_by:
            status, output = None, f"{output}\nended after {self.seconds} seconds"
        passed, failed, skipped = self.count(status, output)
        if not failed and (status != 0 or not passed + skipped):
            failed = 1
            output += f"\nexit status {status}, {passed} tests passed"
        tally.add(self.name, passed, failed, time.monotonic() - self.begin, output, skipped)


class Program(Job):
    """A cmocka program: its groups say how many tests passed and failed."""

    def __init__(self, name, path):
        super().__init__(name, [path], PROGRAM_SECONDS)

    def count(self, status, output):
        passed, failed = (sum(int(n) for n in re.findall(rf"^\[  {word}  \] (\d+) test", output, re.M))
                          for word in ("PASSED", "FAILED"))
        return passed, failed, 0


class Check(Job):
    """A command that passes or fails as a whole."""

    def __init__(self, name, command, seconds=PROGRAM_SECONDS):
        super().__init__(name, command, seconds)

    def count(self, status, output):
        return int(status == 0), int(status != 0), 0


class Suite(Job):
    """A file of pytest, with a directory for its report and for what its tests write."""

    def __init__(self, name):
        super().__init__(name, None, SUITE_SECONDS)

    def start(self):
        self.directory = tempfile.TemporaryDirectory(prefix="postern-run-")
        self.report = pathlib.Path(self.directory.name) / "report.xml"
        self.command = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={self.report}",
                        f"--basetemp={self.directory.name}/tmp", self.name]
        super().start()

    def count(self, status, output):
        if not self.report.exists():
            return 0, 0, 0
        counts = next(xml.etree.ElementTree.parse(self.report).getroot().iter("testsuite")).attrib
        failed, skipped = int(counts["failures"]) + int(counts["errors"]), int(counts["skipped"])
        return int(counts["tests"]) - failed - skipped, failed, skipped

    def finish(self, tally):
        super().finish(tally)
        if self.report.exists():
            skipped = xml.etree.ElementTree.parse(self.report).iter("skipped")
            for reason in sorted({test.get("message") for test in skipped} - {None, ""}):
                print(f"        {reason}", flush=True)
        self.directory.cleanup()


class Runner:
    """Runs jobs until all have ended, or until it is told to end: then it leaves nothing running."""

    def __init__(self):
        self.running, self.told_to_end = [], False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, *_):
        self.told_to_end = True

    def run(self, jobs, at_once, tally):
        waiting = list(jobs)
        while waiting or self.running:
            while waiting and len(self.running) < at_once:
                self._start(waiting.pop(0), tally)
            for job in self._ended():
                job.finish(tally)
            if self.told_to_end:
                self._end_all()
                sys.exit("told to end")

    def _start(self, job, tally):
        try:
            job.start()
            self.running.append(job)
        except OSError as problem:
            tally.add(job.name, 0, 1, 0, f"it has not been built, or cannot be started: {problem}")

    def _ended(self):
        """Waits for a moment; returns the jobs that have ended meanwhile."""
        handles = [os.pidfd_open(job.process.pid) for job in self.running]
        select.select(handles, [], [], POLL_SECONDS)
        for handle in handles:
            os.close(handle)
        ended = [job for job in self.running if job.poll()]
        self.running = [job for job in self.running if job not in ended]
        return ended

    def _end_all(self):
        for job in self.running:
            job.end(signal.SIGTERM)
        while self.running:
            self._ended()


def programs(build, wanted):
    """By the sources, so that one that was not built is missed, and what an older source has left is not run."""
    for source in sorted(pathlib.Path("tests/unit").glob("test_*.c")):
        name = f"tests/unit/{source.stem}"
        if wanted(name):
            yield Program(name, build / name)
    name = "tests/packet/packet"
    if wanted(name):
        yield Program(name, build / name)
        yield Check("branches of the XDP program", ["tests/packet/coverage.py", build / f"{name}-coverage",
                                                    build / "packet-branches.txt"])


def suites(folder, wanted):
    return [Suite(str(path)) for path in sorted(pathlib.Path(folder).glob("test_*.py")) if wanted(str(path))]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build, words = pathlib.Path(sys.argv[1]), sys.argv[2:]
    wanted = lambda name: not words or any(word in name for word in words)
    tally, runner = Tally(), Runner()
    jobs = [job for folder in FOLDERS for job in suites(folder, wanted)]
    jobs += programs(build, wanted)
    jobs.sort(key=lambda job: LONG.index(job.name) if job.name in LONG else len(LONG))
    runner.run([job for job in jobs if job.name not in ALONE], AT_ONCE, tally)
    runner.run([job for job in jobs if job.name in ALONE], 1, tally)
    for folder in filter(wanted, FOLDERS):
        if not tally.counts(folder):
            tally.add(folder, 0, 1, 0, "no test has passed here")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
