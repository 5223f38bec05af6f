# SPDX-License-Identifier: GPL-2.0-only
"""A lab of network namespaces: an internet, a gateway with Postern on its interfaces, real servers.

    internet  203.0.113.0/24, 198.51.100.0/24, 192.0.2.0/24, 2001:db8::/32: every address is there
        |
        i0 --- g0   gateway: Postern on g0 and g1; Postfix on 10.77.0.1 and fd00:77::1, port 25
               g1 --- v0   a sender behind VLAN 100: 10.78.0.2, fd00:78::2

Everything that a lab makes bears the id of its process and is taken away by close(), which also runs
when the process ends or is told to end. Servers are started by hand and ended by their process id.
Programs run inside a namespace through `nsenter --net`, which leaves /sys and its BPF file system alone.
"""
import atexit
import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import servers

BUILD = pathlib.Path(os.environ.get("BUILD", "build"))
GATEWAY4, GATEWAY6 = "10.77.0.1", "fd00:77::1"
INTERNET4, INTERNET6 = "10.77.0.2", "fd00:77::2"
VLAN_GATEWAY4, VLAN_SENDER4 = "10.78.0.1", "10.78.0.2"
VLAN_GATEWAY6, VLAN_SENDER6 = "fd00:78::1", "fd00:78::2"
SOURCES4 = ["203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24"]
SOURCES6 = ["2001:db8::/32"]
SPOOFED4, SPOOFED6 = "198.18.0.0/15", "3fff::/20"  # sources of floods; nobody answers for them
NO_LIMITS = {"rate-source": 0, "burst-source": 0, "conn-source": 0, "rate-net": 0, "burst-net": 0,
             "conn-net": 0, "rate-site": 0, "burst-site": 0, "conn-site": 0, "reset-rate": 0}


class Failed(Exception):
    """A command of the lab that had to succeed."""


class Result:
    """What a command printed, and its exit status."""

    def __init__(self, done):
        self.rc, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"rc {self.rc}\nout {self.out}\nerr {self.err}"


def run(*command, check=True, timeout=60, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=timeout, **{"stdin": None if "input" in options else subprocess.DEVNULL, **options})
    if check and done.returncode:
        raise Failed(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return Result(done)


# What takes a second on an idle machine may take several on one that runs many labs.
PATIENCE = 4


def wait_until(condition, seconds=10, what="it"):
    """
    Waits until the condition holds, and returns what it returned. The seconds are what it may take on an idle
    machine; nobody waits longer than it takes.
    """
    seconds *= PATIENCE
    start, pause = time.monotonic(), 0.01
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > start + seconds:
            raise Failed(f"{what} did not happen within {seconds} seconds")
        time.sleep(pause)
        pause = min(pause * 1.3, 0.1)  # to ask may cost a process, and there are others who need the CPU


@contextlib.contextmanager
def uninterrupted():
    """A second signal must not stop the tidying that the first one caused."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def mount_bpf():
    """One lab of those that begin at the same moment mounts the file system: a second would cover the first's pins."""
    there = os.open("/sys/fs/bpf", os.O_RDONLY)
    try:
        fcntl.flock(there, fcntl.LOCK_EX)
        if run("stat", "-f", "-c", "%T", "/sys/fs/bpf").out.strip() != "bpf_fs":
            run("mount", "-t", "bpf", "bpf", "/sys/fs/bpf")
    finally:
        os.close(there)


class Generator:
    """A flood or a probe that is under way."""

    def __init__(self, process):
        self.process = process

    def stop(self):
        """Ends it early; returns what it reports."""
        self.process.send_signal(signal.SIGTERM)
        return self.result()

    def result(self, seconds=120):
        out, err = self.process.communicate(timeout=seconds)
        if self.process.returncode:
            raise Failed(f"{self.process.args}: {err}")
        return json.loads(out)


class Lab:
    """See the module's text. Use it as a context manager, or call close()."""

    def __init__(self, name="lab"):
        self.id = f"{name}{os.getpid()}"
        self.internet, self.gateway, self.vlan = (f"{self.id}-{part}" for part in ("net", "gw", "vlan"))
        self.namespaces = []
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"postern-{self.id}-"))
        self.directory.chmod(0o755)
        self.pins = f"/sys/fs/bpf/postern-{self.id}"
        self.socket = self.directory / "control.sock"
        self.log_path = self.directory / "posternd.log"
        self.config = {}
        self.processes = []
        self.posternd = None
        atexit.register(self.close)
        with contextlib.suppress(ValueError):  # not in the main thread: the exit handler has to do
            # As Ctrl-C: pytest ends its session for it, but takes SystemExit for one failed test.
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- namespaces and links

    def ns(self, namespace, *command, **options):
        """Runs a command inside a namespace."""
        return run("nsenter", f"--net=/run/netns/{namespace}", *command, **options)

    def start(self, namespace, *command, **options):
        """Starts a command inside a namespace; close() ends it."""
        options = {"stdin": subprocess.DEVNULL, **options}
        process = subprocess.Popen(["nsenter", f"--net=/run/netns/{namespace}", *map(str, command)], **options)
        self.processes.append(process)
        return process

    def _build(self):
        mount_bpf()
        for namespace in (self.internet, self.gateway, self.vlan):
            self.add_namespace(namespace)
        self.link(self.internet, "i0", self.gateway, "g0")
        self.link(self.vlan, "v0", self.gateway, "g1")
        self.address(self.gateway, "g0", f"{GATEWAY4}/24", f"{GATEWAY6}/64")
        self.address(self.internet, "i0", f"{INTERNET4}/24", f"{INTERNET6}/64")
        self.address(self.gateway, "g1", f"{VLAN_GATEWAY4}/24", f"{VLAN_GATEWAY6}/64")
        self.address(self.vlan, "v0", f"{VLAN_SENDER4}/24", f"{VLAN_SENDER6}/64")
        self._routes()
        self._wire()

    def add_namespace(self, namespace):
        self.namespaces.append(namespace)
        run("ip", "netns", "add", namespace)
        self.ns(namespace, "ip", "link", "set", "lo", "up")
        self.ns(namespace, "sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0",
                "net.ipv6.conf.default.accept_dad=0", "net.ipv4.ip_nonlocal_bind=1", "net.ipv6.ip_nonlocal_bind=1")

    def link(self, left, left_name, right, right_name):
        run("ip", "link", "add", left_name, "netns", left, "type", "veth", "peer", "name", right_name, "netns", right)
        for namespace, name in ((left, left_name), (right, right_name)):
            self.ns(namespace, "ip", "link", "set", name, "up")

    def relink(self):
        """Makes the link between the internet and the gateway anew, as when a card is replaced."""
        self.ns(self.gateway, "ip", "link", "del", "g0")
        self.link(self.internet, "i0", self.gateway, "g0")
        self.address(self.gateway, "g0", f"{GATEWAY4}/24", f"{GATEWAY6}/64")
        self.address(self.internet, "i0", f"{INTERNET4}/24", f"{INTERNET6}/64")
        for prefix in [*SOURCES4, SPOOFED4]:
            self.ns(self.gateway, "ip", "route", "replace", prefix, "via", INTERNET4)
        for prefix in [*SOURCES6, SPOOFED6]:
            self.ns(self.gateway, "ip", "-6", "route", "replace", prefix, "via", INTERNET6)

    def address(self, namespace, iface, *addresses):
        for address in addresses:
            self.ns(namespace, "ip", "addr", "add", address, "dev", iface, *(["nodad"] if ":" in address else []))

    def _routes(self):
        for prefix in SOURCES4:
            self.ns(self.internet, "ip", "route", "add", "local", prefix, "dev", "lo")
            self.ns(self.gateway, "ip", "route", "add", prefix, "via", INTERNET4)
        for prefix in SOURCES6:
            self.ns(self.internet, "ip", "-6", "route", "add", "local", prefix, "dev", "lo")
            self.ns(self.gateway, "ip", "-6", "route", "add", prefix, "via", INTERNET6)
        self.ns(self.gateway, "ip", "route", "add", SPOOFED4, "via", INTERNET4)
        self.ns(self.gateway, "ip", "-6", "route", "add", SPOOFED6, "via", INTERNET6)

    def _wire(self):
        """The far ends: XDP programs so that XDP_TX arrives, and the VLAN tags."""
        wire = BUILD / "tests/wire.bpf.o"
        for namespace, iface in ((self.internet, "i0"), (self.vlan, "v0")):
            self.ns(namespace, "ip", "link", "set", "dev", iface, "xdpdrv", "obj", wire, "sec", "xdp")
        self.ns(self.vlan, "ethtool", "-K", "v0", "txvlan", "off")
        for namespace, iface, hook, section in ((self.vlan, "v0", "egress", "tc/push"),
                                                (self.vlan, "v0", "ingress", "tc/pop"),
                                                (self.gateway, "g1", "ingress", "tc/pop")):
            self.ns(namespace, "tc", "qdisc", "replace", "dev", iface, "clsact")
            self.ns(namespace, "tc", "filter", "add", "dev", iface, hook, "bpf", "da", "obj", wire, "sec", section)

    # ---- Postern

    def write_config(self, **overrides):
        """The agent's configuration; sections are dictionaries. Returns its path."""
        self.config = {
            "user": "nobody", "state-directory": str(self.directory / "state"), "pin-directory": self.pins,
            "interfaces": ["g0", "g1"], "control": {"socket": str(self.socket)},
            "metrics": {"listen": "127.0.0.1:9125"},
            "table": {"capacity-ipv4": 100000, "capacity-ipv6": 50000, "sources": 65536}, **overrides}
        path = self.directory / "postern.yaml"
        path.write_text(json.dumps(self.config, indent=1) + "\n")  # JSON is YAML
        return path

    def start_posternd(self, wait=True, within=(), **overrides):
        """`within`: a command that runs the agent, whose own is added to it."""
        path = self.write_config(**overrides)
        with open(self.log_path, "a") as log:
            self.posternd = self.start(self.gateway, *within, BUILD.resolve() / "posternd", "-c", path, stdout=log,
                                       stderr=log)
        if wait:
            wait_until(self._answers, 20, "the agent's answer")
        return self.posternd

    def _answers(self):
        if self.posternd.poll() is not None:
            raise Failed(f"posternd has ended: {self.log_path.read_text()[-2000:]}")
        return self.socket.exists() and self.ctl("status", check=False).rc == 0

    @staticmethod
    def read_only(path):
        """For `within`: a part of /proc/sys that even root cannot write, as in a container."""
        return ("unshare", "--mount", "sh", "-c",
                f'mount --bind {path} {path} && mount -o remount,bind,ro {path} && exec "$@"', "sh")

    def stop_posternd(self, how=signal.SIGTERM):
        """Ends the agent, gently or by SIGKILL; filtering goes on."""
        self.posternd.send_signal(how)
        self.posternd.wait(20)

    def log(self, event=None):
        """The log's lines as dictionaries, of one event if it is named."""
        lines = [json.loads(line) for line in self.log_path.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if event in (None, line["event"])]

    def ctl(self, *arguments, check=True, **options):
        return run(BUILD / "posternctl", "--socket", self.socket, *arguments, check=check, **options)

    def stats(self):
        return self.ctl("stats", "--json").json

    def packets(self, reason, outcome="enforced"):
        """Packets counted under a reason, of both families."""
        return sum(row["packets"] for row in self.stats()["reasons"]
                   if row["reason"] == reason and row["outcome"] == outcome)

    # ---- servers and clients

    def listen(self, port=25):
        """
        Servers of both families that accept and say nothing. Without one an address that is let through
        would get a reset and no SYN-ACK.
        """
        # "*": IPv6, and IPv4 through it
        families = {"-4": [f" 0.0.0.0:{port} "], "-6": [f" [::]:{port} ", f" *:{port} "]}

        def missing():
            there = self.ns(self.gateway, "ss", "-Hltn").out
            return [family for family, names in families.items() if not any(name in there for name in names)]

        for family in missing():
            self.start(self.gateway, sys.executable, "-IS", "-c", servers.LISTENER, family, port)
        wait_until(lambda: not missing(), 5, "a listener")

    def start_postfix(self, **options):
        return servers.Postfix(self, **options)

    def start_sshd(self):
        return servers.Sshd(self)

    def mac(self, iface="g0"):
        return json.loads(self.ns(self.gateway, "ip", "-j", "link", "show", iface).out)[0]["address"]

    def flood(self, *prefixes, count=1000, rate=0, seed=1, port=25, vlan=False, dest=None):
        """Starts a flood of exactly `count` SYNs from addresses in the prefixes."""
        namespace, iface, gate = (self.vlan, "v0", "g1") if vlan else (self.internet, "i0", "g0")
        dest = dest or (VLAN_GATEWAY4 if vlan else GATEWAY6 if ":" in prefixes[0] else GATEWAY4)
        return Generator(self.start(namespace, BUILD / "tests/flood", iface, self.mac(gate), dest, port, count, rate,
                                    seed, *prefixes, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))

    def probe(self, source, rate=500, seconds=60, port=25, least=0):
        """Starts to knock from one address until it is stopped, but at least so many times, however long that takes."""
        dest = GATEWAY6 if ":" in source else GATEWAY4
        return Generator(self.start(self.internet, BUILD / "tests/probe", "i0", self.mac(), source, dest, port, rate,
                                    seconds, least, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))

    def connect(self, source, port=25, timeout=1, namespace=None, dest=None):
        """
        Opens and closes a connection from an address: "open", "refused", "timeout", or "reset" by a listener that
        ends with the connection in its queue; all else is a failure.
        """
        dest = dest or (GATEWAY6 if ":" in source else GATEWAY4)
        done = self.ns(namespace or self.internet, "nc", "-v", "-z", "-w", timeout, "-s", source, dest, port,
                       check=False)
        for word, outcome in (("succeeded", "open"), ("refused", "refused"), ("reset by peer", "reset"), ("timed out", "timeout")):
            if word in done.err:
                return outcome
        raise Failed(f"{source} to {dest}: {done}")

    def hold(self, source, port=25):
        """A connection that stays open until its process is ended."""
        dest = GATEWAY6 if ":" in source else GATEWAY4
        return self.start(self.internet, "nc", "-s", source, dest, port, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE)

    def swaks(self, source, to="user@lab.example", timeout=20, **options):
        """Sends a mail from an address; returns whether the server took it."""
        dest = options.get("dest") or (GATEWAY6 if ":" in source else GATEWAY4)
        header = options.get("subject", f"from {source}")
        done = self.ns(self.internet, "swaks", "--server", dest,
                       "--local-interface", source, "--to", to, "--from",
                       "sender@example.net", "-6" if ":" in source else "-4", "--helo", "sender.example.net", "--timeout", timeout,
                       "--header", f"Subject: {header}", "--hide-all", check=False, timeout=timeout + 20)
        return done.rc == 0

    def count_client_syns(self, groups):
        """
        Counts from now on the SYNs to port 25 that the clients' kernels send, retransmitted ones too, for each
        name and its addresses. The generators' frames do not pass there.
        """
        rules = ["add table inet lab", "add chain inet lab out { type filter hook output priority 0; }"]
        for name, addresses in groups.items():
            rules.append(f"add counter inet lab {name}")
            rules += [f"add rule inet lab out {'ip6' if ':' in address else 'ip'} saddr {address} tcp dport 25 "
                      f"tcp flags & (syn | ack) == syn counter name {name}" for address in addresses]
        self.ns(self.internet, "nft", "; ".join(rules))

    def client_syns(self):
        """{name: packets} of the groups."""
        rows = json.loads(self.ns(self.internet, "nft", "-j", "list", "counters", "table", "inet", "lab").out)
        return {row["counter"]["name"]: row["counter"]["packets"] for row in rows["nftables"] if "counter" in row}

    # ---- the end

    def _end_processes(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
        for process in reversed(self.processes):
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe:
                    with contextlib.suppress(BrokenPipeError):  # what was written last has found nobody
                        pipe.close()
        self.processes.clear()

    @staticmethod
    def _end_strays(namespace):
        """What our processes have started and left behind: it would keep the namespace alive."""
        for pid in run("ip", "netns", "pids", namespace, check=False).out.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def close(self):
        if self.directory is None:
            return
        directory, self.directory = self.directory, None
        atexit.unregister(self.close)
        with uninterrupted():
            self._end_processes()
            for namespace in self.namespaces:
                self._end_strays(namespace)
                run("ip", "netns", "del", namespace, check=False)
            shutil.rmtree(self.pins, ignore_errors=True)
            shutil.rmtree(directory, ignore_errors=True)
