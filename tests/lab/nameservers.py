# SPDX-License-Identifier: GPL-2.0-only
"""Real name servers in a network namespace of their own: nsd has the zones, unbound asks it.

    127.0.0.1  unbound, the resolver
    127.0.0.2  (and ::1) nsd, authoritative for lab.test and 2.0.192.in-addr.arpa
    127.0.0.3  unbound, a resolver that answers for names that do not exist
    127.0.0.4  nobody: the kernel refuses
    127.0.0.5  somebody who never answers
"""
import atexit
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import dnsconf
from lab import BUILD, run, wait_until

RESOLVER, AUTHORITY, REWRITER, NOBODY, SILENT = (f"127.0.0.{host}" for host in range(1, 6))
BIG = 'x' * 250

ZONE = f"""\
$ORIGIN lab.test.
$TTL 300
@       IN SOA ns hostmaster 1 3600 600 86400 40
@       IN NS  ns
ns      IN A   {AUTHORITY}
www     IN A   192.0.2.1
www     IN A   192.0.2.2
www     IN AAAA 2001:db8::1
alias   60 IN CNAME www
alias2  IN CNAME alias
@       IN MX  10 mx
@       IN MX  20 mx2
nullmx  IN MX  0 .
@       IN TXT "v=spf1 ip4:192.0.2.0/24 " "-all"
big     IN TXT {" ".join(f'"{BIG}"' for _ in range(12))}
*.wild  IN A   127.0.0.2
"""

REVERSE = """\
$ORIGIN 2.0.192.in-addr.arpa.
$TTL 300
@ IN SOA ns.lab.test. hostmaster.lab.test. 1 3600 600 86400 40
@ IN NS ns.lab.test.
1 IN PTR www.lab.test.
"""

ZONES = {"lab.test": "lab.test.zone", "2.0.192.in-addr.arpa": "reverse.zone"}
OWN = ["test.", "2.0.192.in-addr.arpa."]
STUBS = {zone: AUTHORITY for zone in [*ZONES, "unserved.test"]}

# It says "invalid" itself, which is the zone that a redirection needs.
REWRITES = '    local-zone: "invalid." redirect\n    local-data: "invalid. 60 IN A 203.0.113.80"\n'

SINK = """
import socket, sys
sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sink.bind((sys.argv[1], 53))
while sink.recv(4096):
    pass
"""


class Resolve:
    """The agent's resolver in a process of its own."""

    def __init__(self, process):
        self.process = process

    def say(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def hear(self):
        line = self.process.stdout.readline()
        assert line, f"resolve has ended: {self.process.wait()}"
        return json.loads(line)

    def do(self, *words):
        self.say(*words)
        return self.hear()

    def ask(self, name, kind="A"):
        return self.do("ask", name, kind)

    @property
    def stats(self):
        return self.do("stats")

    def close(self):
        """Ends it by the end of its input; its exit status says whether all was closed."""
        self.process.stdin.close()
        status = self.process.wait(20)
        self.process.stdout.close()
        return status


class NameServers:
    """See the module's text. Use it as a context manager, or call close()."""

    def __init__(self):
        self.namespace = f"dns{os.getpid()}"
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="postern-dns-"))
        self.processes = []
        atexit.register(self.close)
        try:
            run("ip", "netns", "add", self.namespace)
            self.ns("ip", "link", "set", "lo", "up")
            self.start_nsd()
            self.resolver = self.start_unbound(RESOLVER)
            self.start_unbound(REWRITER, REWRITES)
            self.start("/usr/bin/python3", "-c", SINK, SILENT)
            wait_until(lambda: self.listens(SILENT), 20, "the server that never answers")
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def ns(self, *command, **options):
        return run("nsenter", f"--net=/run/netns/{self.namespace}", *command, **options)

    def start(self, *command, **options):
        options = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
        process = subprocess.Popen(["nsenter", f"--net=/run/netns/{self.namespace}", *map(str, command)], **options)
        self.processes.append(process)
        return process

    def listens(self, address):
        return f"{address}:53 " in self.ns("ss", "-Hlun").out

    def start_server(self, address, name, text, *command):
        config = self.directory / f"{name}-{address}.conf"
        config.write_text(text)
        with open(self.directory / f"{name}-{address}.log", "a") as log:
            process = self.start(*command, config, stdout=log, stderr=log)
        wait_until(lambda: process.poll() is not None or self.listens(address), 20, f"{name} on {address}")
        assert process.poll() is None, (self.directory / f"{name}-{address}.log").read_text()
        return process

    def start_nsd(self):
        (self.directory / "lab.test.zone").write_text(ZONE)
        (self.directory / "reverse.zone").write_text(REVERSE)
        return self.start_server(AUTHORITY, "nsd", dnsconf.nsd(self.directory, [AUTHORITY, "::1"], ZONES),
                                 "/usr/sbin/nsd", "-d", "-c")

    def start_unbound(self, address, more=""):
        text = dnsconf.unbound(self.directory, address, OWN, "    do-not-query-localhost: no\n" + more, STUBS)
        return self.start_server(address, "unbound", text, "/usr/sbin/unbound", "-d", "-c")

    def resolve(self, *servers, timeout=5000, tries=3):
        """The agent's resolver, asking these servers."""
        return Resolve(self.start(BUILD / "tests/resolve", timeout, tries, *servers, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True))

    def end(self, process, how=signal.SIGTERM):
        process.send_signal(how)
        process.wait(20)

    def close(self):
        if self.directory is None:
            return
        directory, self.directory = self.directory, None
        atexit.unregister(self.close)
        for process in reversed(self.processes):
            if process.poll() is None:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()
        for pid in run("ip", "netns", "pids", self.namespace, check=False).out.split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        run("ip", "netns", "del", self.namespace, check=False)
        shutil.rmtree(directory, ignore_errors=True)
