# SPDX-License-Identifier: GPL-2.0-only
"""Evaluations of SPF a second, and questions to the DNS, with a real resolver: for bench_spf.py.

unbound is the resolver, on one processor, and whoever is measured is on the other. The policies are local data of
unbound, so it knows all answers. Everything is in a network namespace of its own, where the resolver of
/etc/resolv.conf is this one.

Postern keeps many evaluations under way, each of a domain of its own, and is asked without its cache; with its cache it
makes one at a time, as libspf2 does with its own.
"""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import spf

LOOKUP = spf.DNSLookup  # pyspf's own, before anybody puts another in its place

ADDRESS = "127.0.0.1"
IN_FLIGHT = 64
DOMAINS = IN_FLIGHT + 5
IP, HELO = "192.0.2.1", "mx.bench.example"
MINE, UNBOUNDS = 0, min(1, os.cpu_count() - 1)  # processors
INSIDE = "POSTERN_BENCH_INSIDE"
PYTHON_ROUNDS, PERL_ROUNDS = 300, 100
# The times of a fast subject, by case.
CASES = {"simple record": ("simple", 20000), "ten includes": ("chain", 3000), "ten exchanges": ("mx", 3000)}
CACHED_FACTOR = 20
QUESTION_ROUNDS = 200000

CONFIG = """\
server:
    interface: {address}
    username: ""
    chroot: ""
    directory: "{directory}"
    pidfile: ""
    use-syslog: no
    num-threads: 1
    module-config: "iterator"
    local-zone: "bench.example." static
    include: "{directory}/data.conf"
remote-control:
    control-enable: no
"""


def in_namespace():
    """Starts this program again with a network, mounts and processes of its own, unless it is there already."""
    if INSIDE in os.environ:
        return
    os.environ[INSIDE] = "yes"
    os.execvp("unshare", ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                          sys.executable, *sys.argv])


def records():
    """(name, type, data) of all policies."""
    for number in range(DOMAINS):
        simple, chain, exchanges = (f"d{number}.{suffix}.bench.example" for suffix in ("simple", "chain", "mx"))
        yield simple, "TXT", "v=spf1 ip4:192.0.2.0/24 -all"
        yield simple, "A", "192.0.2.9"
        names = [chain, *(f"c{link}.{chain}" for link in range(1, 11))]
        for name, following in zip(names, names[1:]):
            yield name, "TXT", f"v=spf1 include:{following} -all"
        yield names[-1], "TXT", "v=spf1 ip4:192.0.2.0/24 -all"
        yield exchanges, "TXT", "v=spf1 mx ~all"
        for link in range(10):
            yield exchanges, "MX", f"{link} x{link}.{exchanges}"
            yield f"x{link}.{exchanges}", "A", f"192.0.2.{10 + link}"


@contextlib.contextmanager
def resolver():
    """unbound, while it is needed, and /etc/resolv.conf that names it."""
    with tempfile.TemporaryDirectory(prefix="postern-spf-") as directory:
        files = pathlib.Path(directory)
        data = (f"local-data: '{name} 3600 IN {kind} " + (f'"{value}"' if kind == "TXT" else value) + "'\n"
                for name, kind, value in records())
        (files / "data.conf").write_text("server:\n" + "".join(data))
        (files / "unbound.conf").write_text(CONFIG.format(address=ADDRESS, directory=directory))
        (files / "resolv.conf").write_text(f"nameserver {ADDRESS}\n")
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["mount", "--bind", files / "resolv.conf", os.path.realpath("/etc/resolv.conf")], check=True)
        server = subprocess.Popen(["taskset", "-c", str(UNBOUNDS), "unbound", "-d", "-c", files / "unbound.conf"])
        try:
            while f"{ADDRESS}:53 " not in subprocess.run(["ss", "-Hlun"], capture_output=True, text=True).stdout:
                assert server.poll() is None, "unbound does not start"
                time.sleep(0.05)
            os.sched_setaffinity(0, {MINE})
            yield
        finally:
            server.terminate()
            server.wait()


def run(command, **options):
    """(result, times a second, times a second of its processor's) of a program that prints as bench_resolver does."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True, **options)
    figures = json.loads(done.stdout)
    assert not figures.get("timeouts"), f"{command}: {figures}"
    return figures["result"], figures["count"] / figures["seconds"], figures["count"] / figures["cpu"]


class Subjects:
    """Each of them takes (suffix of the domains, rounds) and gives what run() does, or less."""

    def __init__(self, programs):
        self.programs = pathlib.Path(programs)

    def postern(self, entries, at_once, suffix, rounds):
        return run([self.programs / "bench_resolver", ADDRESS, entries, "spf", at_once, rounds, f"{suffix}.bench.example", IP])

    def over_the_wire(self, suffix, rounds):
        return self.postern(0, IN_FLIGHT, suffix, rounds)

    def one_at_a_time(self, suffix, rounds):
        return self.postern(0, 1, suffix, rounds // 4)

    def cached(self, suffix, rounds):
        return self.postern(10000, 1, suffix, rounds * CACHED_FACTOR)

    def cached_many(self, suffix, rounds):
        return self.postern(10000, IN_FLIGHT, suffix, rounds * CACHED_FACTOR)

    def questions(self, _, rounds):
        return run([self.programs / "bench_resolver", ADDRESS, 10000, "dns", IN_FLIGHT, rounds, "simple.bench.example"])

    def libspf2(self, cache, suffix, rounds):
        sender = f"user@d0.{suffix}.bench.example"
        return run([self.programs / "bench_libspf2", cache, rounds, IP, HELO, sender])

    def libspf2_wire(self, suffix, rounds):
        return self.libspf2("none", suffix, rounds // 4)

    def libspf2_cached(self, suffix, rounds):
        return self.libspf2("cache", suffix, rounds * CACHED_FACTOR)

    @staticmethod
    def pyspf(suffix, _):
        spf.DNSLookup = LOOKUP
        start = time.perf_counter()
        for _ in range(PYTHON_ROUNDS):
            result = spf.query(i=IP, s=f"user@d0.{suffix}.bench.example", h=HELO, strict=True).check()[0]
        return result, PYTHON_ROUNDS / (time.perf_counter() - start)

    @staticmethod
    def mail_spf(suffix, _):
        case = json.dumps({"ip": IP, "helo": HELO, "from": f"user@d0.{suffix}.bench.example"}) + "\n"
        script = pathlib.Path(__file__).resolve().parent / "bench_mail_spf.pl"
        done = subprocess.run(["perl", script, str(PERL_ROUNDS)], input=case, capture_output=True, text=True, check=True)
        result, seconds = done.stdout.split()
        return result, PERL_ROUNDS / float(seconds)

    def over_unbound(self, has_perl):
        """(subject, measure) of those that are here, without a cache of their own."""
        found = [(f"Postern, {IN_FLIGHT} at once", self.over_the_wire), ("Postern, one at a time", self.one_at_a_time)]
        found += [("libspf2", self.libspf2_wire)] if self.has_libspf2() else []
        found.append(("pyspf", self.pyspf))
        return found + ([("Mail::SPF", self.mail_spf)] if has_perl else [])

    def from_cache(self):
        found = [("Postern, one at a time", self.cached), (f"Postern, {IN_FLIGHT} at once", self.cached_many)]
        return found + ([("libspf2", self.libspf2_cached)] if self.has_libspf2() else [])

    def has_libspf2(self):
        return (self.programs / "bench_libspf2").exists()


def measure(programs, has_perl, turns):
    """Everything, with turns.measure(figure, unit, [(subject, function)])."""
    if not shutil.which("unbound"):
        print("nothing is measured with a real resolver: unbound is not installed")
        return
    subjects = Subjects(programs)
    if not subjects.has_libspf2():
        print("libspf2 is not measured: it was not there when this was built (libspf2-dev)")
    with resolver():
        turns.measure("answers from the cache", "questions/s",
                      [(f"Postern, {IN_FLIGHT} times 5 at once", lambda: subjects.questions("", QUESTION_ROUNDS))])
        for case, (suffix, rounds) in CASES.items():
            for where, found in (("over unbound", subjects.over_unbound(has_perl)), ("from the cache", subjects.from_cache())):
                turns.measure(f"{case} {where}", "evaluations/s",
                              [(subject, lambda f=function, s=suffix, r=rounds: f(s, r)) for subject, function in found])
