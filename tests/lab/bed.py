# SPDX-License-Identifier: GPL-2.0-only
"""A lab in which one defence is measured: a flood at the speed of one CPU, and what became of it.

The flood (tests/lab/spray.c) and the gateway's receiving side share one CPU, so that no frame is lost between
them and each takes what the other leaves: the rate is one over the time of both.
"""
import json

from lab import BUILD, GATEWAY4, INTERNET4, Failed, Lab

FLOOD_CPU, MAIL_CPU = 0, 1
TOOLS = BUILD / "tests"


class Bed(Lab):
    def __init__(self, name):
        super().__init__(name)
        # Answers to forged sources have a way out, as on any gateway, and end there.
        self.ns(self.gateway, "ip", "route", "add", "default", "via", INTERNET4)
        self.peermap(self.internet, "sink", TOOLS / "spray.bpf.o", "i0")
        # NAPI also without an XDP program, as on a NIC: else redirected frames do not arrive.
        self.ns(self.gateway, "ethtool", "-K", "g0", "gro", "on")

    def peermap(self, namespace, *words, **options):
        return self.ns(namespace, TOOLS / "peermap", *words, **options)

    def spray_command(self, sources, seconds, rate=0):
        return [TOOLS / "spray", TOOLS / "spray.bpf.o", "i0", self.mac(), GATEWAY4, 25, sources, seconds, rate, FLOOD_CPU]

    def received(self):
        """Frames that the gateway's interface has taken from the link."""
        lines = self.ns(self.gateway, "ethtool", "-S", "g0").out.splitlines()
        return sum(int(line.split(":")[1]) for line in lines if "rx_queue" in line and line.split(":")[0].endswith("xdp_packets"))

    def delivered(self):
        """Packets that the gateway's stack has handed on to TCP."""
        words = self.ns(self.gateway, "nstat", "-asz", "IpInDelivers").out.split()
        return int(words[words.index("IpInDelivers") + 1])

    def spray(self, sources, seconds):
        """{"rate", "ns"}: frames received a second, and CPU nanoseconds each."""
        received, delivered = self.received(), self.delivered()
        report = json.loads(self.ns(self.internet, *self.spray_command(sources, seconds)).out)
        received, delivered = self.received() - received, self.delivered() - delivered
        if delivered > received * 0.001 + 100:
            raise Failed(f"{self.id}: {delivered} of {received} packets were let through")
        return {"rate": received / report["seconds"], "ns": report["cpu"] / max(received, 1) * 1e9}
