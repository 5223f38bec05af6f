# SPDX-License-Identifier: GPL-2.0-only
"""Guard mode in the lab: the internet with its DNS (world.py), and a gateway with Postern in front of a Postfix that knows
nothing of it.

    guard = Guard(lab); guard.start(...)    # sections of the configuration over those of SETTINGS
"""
import ipaddress
import itertools
import re
import shutil
import time

import lists
import world
from lab import NO_LIMITS, wait_until

# Everything but a block is short, so that what happens in a day happens here in seconds; SHORT is about blocks, too.
BLOCK_SECONDS, FACTOR = 3, 4
RELOAD_SECONDS = 1.2  # until the guard has seen a new configuration: it looks once a second
SETTINGS = {
    "mode": "guard",
    "interfaces": ["g0"],
    "limits": NO_LIMITS,
    "dns": {"servers": [world.RESOLVER], "timeout": 500, "tries": 1, "ttl-min": 0, "ttl-negative": 1},
    "dnsbl": {"zones": ["bl.test*10", "wl.test*-10"], "test-interval": 1},
    "guard": {"ttl-min": 1, "ttl-max": 1, "timeout": 2000},
    "score": {"rdns-missing": 0},
    "escalation": {"first-action": "drop", "action": "drop", "ttl": 60, "factor": FACTOR},
}
SHORT = {**SETTINGS["escalation"], "ttl": BLOCK_SECONDS}
CLIENTS4 = "198.19.0.0/16"  # addresses that are on no list
LEARNED = "learned"  # what Postern calls the list of those that it has blocked


class Guard:
    """`mail`: whether there is a Postfix; else the gateway has listeners that say nothing if a test starts some. `zones`: see world.World."""

    def __init__(self, lab, mail=True, zones=None):
        self.lab = lab
        self.world = world.World(lab, zones)
        self.postfix = lab.start_postfix() if mail else None
        self.bad = map(str, ipaddress.ip_network(lists.LISTED4).hosts())
        self.bad6 = (f"2001:db8:bad:{number:x}::25" for number in itertools.count(1))
        lab.ns(lab.internet, "ip", "route", "add", "local", CLIENTS4, "dev", "lo")
        self.good = map(str, ipaddress.ip_network(CLIENTS4).hosts())
        self.good6 = (f"2001:db8:900d:{number:x}::25" for number in itertools.count(1))

    def configure(self, **overrides):
        return self.lab.write_config(**{**SETTINGS, **overrides})

    def start(self, **overrides):
        self.lab.start_posternd(**{**SETTINGS, **overrides})
        self.wait_for_zones()

    def end(self):
        """Nothing of the agent is left: not what it knows, counts or has written."""
        if self.lab.posternd.poll() is None:
            self.lab.ctl("detach", "g0", check=False)
            self.lab.stop_posternd()
        self.lab.ns(self.lab.gateway, "ip", "link", "set", "dev", "g0", "xdp", "off")
        for place in (self.lab.pins, self.lab.directory / "state"):
            shutil.rmtree(place, ignore_errors=True)
        self.lab.log_path.unlink()

    def reload(self, **overrides):
        self.configure(**overrides)
        self.lab.ctl("reload")
        time.sleep(RELOAD_SECONDS)

    # ---- what is found out

    def check_ip(self, address, *more, json=True):
        return self.lab.ctl("check", "ip", address, *more, *(["--json"] if json else []), check=False)

    def page(self):
        return self.lab.ns(self.lab.gateway, "curl", "-sS", "http://127.0.0.1:9125/metrics").out

    def metric(self, name, **labels):
        """The sum over all samples of that name with these labels."""
        wanted, total = set(labels.items()), 0
        for line in re.findall(rf"^{name}(?:{{.*}})? .*$", self.page(), re.M):
            if wanted <= set(re.findall(r'(\w+)="([^"]*)"', line)):
                total += float(line.rsplit(" ", 1)[1])
        return total

    def zone_up(self, zone):
        return self.metric("postern_dnsbl_zone_up", zone=zone) == 1

    def wait_for_zones(self):
        """Until the lists have passed their tests: before, nothing that they say counts."""
        rows = [*self.lab.config["dnsbl"]["zones"], *self.lab.config["dnsbl"].get("domains", [])]
        for zone in {re.split("[=*]", row)[0] for row in rows} - lists.BROKEN:
            wait_until(lambda: self.zone_up(zone), 10, f"the test of {zone}")

    def verdicts(self, source):
        """What the log says of verdicts on an address; of IPv6 its /64."""
        return [line for line in self.lab.log("guard.verdict") if line["source"].split("/")[0] == source]

    def wait_for_verdict(self, source, number=1):
        return wait_until(lambda: self.verdicts(source)[number - 1:], 10, f"a verdict on {source}")[0]

    # ---- clients

    def seen(self, source):
        """How often Postfix was connected to from an address."""
        return self.postfix.log.count(f": connect from unknown[{source}]")

    def is_blocked(self, source):
        return self.lab.connect(source) == "timeout"

    def offend(self, source):
        """A listed client's first connection, which arrives, and the verdict that follows it."""
        assert self.lab.connect(source) == "open"
        verdict = self.wait_for_verdict(source)
        assert verdict["decision"] == "reject", verdict
        return verdict

    def offend_again(self, source, number=2):
        """It comes until it is let in and looked up again. The kernel does not tell of it for some seconds after the last time."""
        wait_until(lambda: self.lab.connect(source) and self.verdicts(source)[number - 1:], 15,
                   f"another verdict on {source}")
        return self.blocks(source)[number - 1]

    def blocks(self, source):
        """What the log says of what the kernel was told."""
        return [line for line in self.lab.log("guard.blocked") if line["source"].split("/")[0] == source]

    def dropped(self, outcome="enforced"):
        """Packets that were dropped because of what was learned."""
        return sum(row["packets"] for row in self.lab.stats()["lists"]
                   if row["list"] == LEARNED and row["outcome"] == outcome)
