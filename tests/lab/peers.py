# SPDX-License-Identifier: GPL-2.0-only
"""What Postern is measured against, and Postern itself: one class each, with the same methods.

    prepare(entries)  writes what the peer reads; takes no part in any time
    load(entries)     puts a whole list where there is none
    replace(entries)  exchanges it for another, in one step where the peer has one
    add(address)      one more entry
    memory()          MiB that the entries take

Each has a bed (see bed.py) of its own, so that all can be measured in turn.
"""
import json
import os
import pathlib
import re
import resource
import shutil
import time

from bed import TOOLS, Bed
from figures import Missing
from lab import run

BUDGET = 60  # seconds that one operation may take
MEMORY_BUDGET = 8 << 30  # bytes of address space of one command
KNOWN_AS = "bench"  # what entries.c calls its set


class Entries:
    """A list that entries.c wrote."""

    def __init__(self, directory, count, seed):
        self.directory = pathlib.Path(directory) / f"{count}-{seed}"
        self.count, self.seed = count, seed
        self.directory.mkdir()
        run(TOOLS / "entries", count, seed, self.directory, timeout=300)

    def path(self, name):
        return self.directory / name

    def remove(self):
        shutil.rmtree(self.directory)


def bounded():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BUDGET, MEMORY_BUDGET))


def kernel_memory():
    """MiB of the kernel that lists could be in."""
    text = pathlib.Path("/proc/meminfo").read_text()
    return sum(int(re.search(rf"^{name}:\s+(\d+)", text, re.M).group(1)) for name in ("SUnreclaim", "VmallocUsed")) / 1024


class Peer:
    name = ""
    limit = 10_000_000  # entries
    budget = BUDGET
    beyond = "holds {limit:,} entries"  # why it is not measured with more
    networks = True  # whether it takes networks; if not, it gets an address of each

    def __init__(self):
        self.bed = Bed(type(self).__name__.lower())

    def close(self):
        self.bed.close()

    def prepare(self, entries):
        pass

    def call(self, *command, **options):
        return self.bed.ns(self.bed.gateway, *command, timeout=self.budget, preexec_fn=bounded, **options)


class Bare(Peer):
    """Not a peer, but the measure: an XDP program that drops everything."""
    name = "XDP_DROP alone"
    limit = 0

    def load(self, entries):
        self.bed.peermap(self.bed.gateway, "bare", TOOLS / "peers.bpf.o", "g0")


class Map(Peer):
    kind, file = "", ""

    def __init__(self):
        super().__init__()
        self.pin = f"/sys/fs/bpf/{self.bed.id}-map"

    def close(self):
        pathlib.Path(self.pin).unlink(missing_ok=True)
        super().close()

    def load(self, entries):
        before = kernel_memory()
        self.call(TOOLS / "peermap", self.kind, TOOLS / "peers.bpf.o", "g0", self.pin, entries.path(self.file))
        self.grown = kernel_memory() - before

    replace = load

    def add(self, address):
        self.call(TOOLS / "peermap", "add", self.pin, address)

    def memory(self):
        """What the kernel says of a trie leaves out its inner nodes."""
        said = json.loads(run("bpftool", "-j", "map", "show", "pinned", self.pin).out)["bytes_memlock"] / 2**20
        return max(said, self.grown)


class Trie(Map):
    name, kind, file = "XDP LPM trie", "lpm", "binary"


class Hash(Map):
    name, kind, file, networks = "XDP hash", "hash", "binary-addresses", False


class XdpFilter(Peer):
    """It takes an address a call, and has room for ten thousand; its maps are pinned for the whole machine."""
    name, limit, networks = "xdp-filter", 10_000, False
    budget = 180  # ten thousand calls; else a busy machine would leave it out
    LOOP = 'while read -r address; do xdp-filter ip -m src "$address" || exit; done <"$1"'

    def __init__(self):
        self.loaded = False
        super().__init__()

    def close(self):
        if self.loaded:
            self.bed.ns(self.bed.gateway, "xdp-filter", "unload", "g0", check=False)
        super().close()

    def load(self, entries):
        if os.path.exists("/sys/fs/bpf/xdp-filter"):
            raise Missing("xdp-filter is in use on this machine")
        self.call("xdp-filter", "load", "-m", "native", "-f", "ipv4", "g0")
        self.loaded = True
        self.call("sh", "-c", self.LOOP, "sh", entries.path("addresses"))

    def replace(self, entries):
        raise Missing("no such operation: a call for each address to go and to come")

    def add(self, address):
        raise Missing("its table is full")

    def memory(self):
        pins = run("find", "/sys/fs/bpf/xdp-filter", "-name", "filter_*").out.split()
        return sum(json.loads(run("bpftool", "-j", "map", "show", "pinned", pin).out)["bytes_memlock"] for pin in pins) / 2**20


class Nft(Peer):
    """nftables. A set of single addresses is a hash; with networks in it, a tree of intervals."""
    name, networks, file, flags = "nftables netdev, addresses", False, "sets-addresses", ""
    family, hook = "netdev", "ingress device g0"

    def prepare(self, entries):
        head = f"add table {self.family} t\n" \
               f"add set {self.family} t s {{ type ipv4_addr; size {entries.count + 1024}; {self.flags} }}\n" \
               f"add chain {self.family} t c {{ type filter hook {self.hook} priority 0; }}\n" \
               f"flush chain {self.family} t c\nadd rule {self.family} t c ip saddr @s drop\n"
        for name, start in (("load", head), ("replace", f"flush set {self.family} t s\n")):
            with open(self._script(entries, name), "w") as out, open(entries.path(self.file)) as lines:
                out.write(start)
                for line in lines:
                    out.write(f"add element {self.family} t s {{ {line.strip()} }}\n")

    def _script(self, entries, name):
        return entries.path(f"{name}-{self.family}-{self.file}")

    def load(self, entries):
        self.before = kernel_memory()
        self.call("nft", "-f", self._script(entries, "load"))
        self.after = kernel_memory()

    def replace(self, entries):
        self.call("nft", "-f", self._script(entries, "replace"))

    def add(self, address):
        self.call("nft", "add", "element", self.family, "t", "s", f"{{ {address} }}")

    def memory(self):
        return max(0, self.after - self.before)


class NftNetworks(Nft):
    name, networks, file, flags = "nftables netdev, networks", True, "sets", "flags interval;"


class NftInput(Nft):
    name, family, hook = "nftables input hook, addresses", "ip", "input"
    limit, beyond = 1_000_000, "left out: loads and looks up as netdev"


class Ipset(Peer):
    name = "ipset, iptables raw"

    def prepare(self, entries):
        made = f"hash:net maxelem {entries.count + 1024} hashsize {max(1024, entries.count // 4)}\n"
        with open(entries.path("replace-ipset"), "w") as out, open(entries.path("restore")) as lines:
            out.write(f"create spare {made}")
            for line in lines:
                out.write(line.replace(KNOWN_AS, "spare", 1))
            out.write(f"swap spare {KNOWN_AS}\ndestroy spare\n")
        with open(entries.path("load-ipset"), "w") as out, open(entries.path("restore")) as lines:
            out.write(f"create {KNOWN_AS} {made}")
            shutil.copyfileobj(lines, out)

    def load(self, entries):
        self.call("ipset", "restore", "-file", entries.path("load-ipset"))
        self.call("iptables", "-t", "raw", "-A", "PREROUTING", "-m", "set", "--match-set", KNOWN_AS, "src", "-j", "DROP")

    def replace(self, entries):
        self.call("ipset", "restore", "-file", entries.path("replace-ipset"))

    def add(self, address):
        self.call("ipset", "add", KNOWN_AS, address)

    def memory(self):
        return int(re.search(r"Size in memory: (\d+)", self.call("ipset", "list", "-terse", KNOWN_AS).out).group(1)) / 2**20


class Postern(Peer):
    """The product: the agent, its program on the interface, and the command line."""
    name = "Postern"
    CAPACITY = 1 << 20  # the default
    interfaces = ["g0"]

    def load(self, entries):
        self.bed.ctl("block", "load", "bench", entries.path("plain"), timeout=BUDGET)

    replace = load

    def prepare(self, entries):
        if self.bed.posternd is None:
            self.bed.start_posternd(interfaces=self.interfaces, **self.settings(entries))

    def settings(self, entries):
        capacity = self.CAPACITY if entries.count < self.CAPACITY else 10_000_000
        return {"table": {"capacity-ipv4": capacity}}

    def add(self, address):
        self.bed.ctl("block", "add", address, timeout=BUDGET)

    def memory(self):
        status = pathlib.Path(f"/proc/{self.bed.posternd.pid}/status").read_text()
        table = self.bed.ctl("status", "--json").json["table"]["bytes"]
        return table / 2**20 + int(re.search(r"RssAnon:\s+(\d+)", status).group(1)) / 1024


class PosternLimits(Postern):
    """
    Its program with one rule more, which drops what passes (lastrule.bpf.c), and the maps of an agent that is attached
    to nothing.
    """
    name = "Postern, last rule"
    interfaces = []
    UNLIMITED = {f"{kind}-{level}": 1_000_000 for kind in ("rate", "burst") for level in ("source", "net", "site")}

    def settings(self, entries):
        return {**super().settings(entries), "limits": self.UNLIMITED}

    def load(self, entries):
        super().load(entries)
        directory = next(pathlib.Path(self.bed.pins).glob("set-*"))
        self.bed.peermap(self.bed.gateway, "last", TOOLS / "lastrule.bpf.o", "g0", directory)

    def exceed(self):
        """From now on one attempt a second is too many."""
        self.bed.ctl("limits", "set", "burst-source", 1)
        self.bed.ctl("limits", "set", "rate-source", 1)
        time.sleep(1.1)


PEERS = [Bare, Postern, XdpFilter, Hash, Trie, Nft, NftNetworks, NftInput, Ipset]
