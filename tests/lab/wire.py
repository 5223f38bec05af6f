# SPDX-License-Identifier: GPL-2.0-only
"""TCP segments as they are on the lab's links: watched, and made by hand.

What is made bears an address that nobody has (of SPOOFED4, SPOOFED6), so that no kernel answers for it.
"""
import contextlib
import ctypes
import dataclasses
import fcntl
import ipaddress
import os
import socket
import struct

from lab import GATEWAY4, GATEWAY6

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
PACKET_OUTGOING = 4
SOL_PACKET, PACKET_AUXDATA, AUXDATA_VLAN_VALID = 263, 8, 1 << 4
CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE = 33
ETHERTYPES = {4: 0x0800, 6: 0x86DD}


@contextlib.contextmanager
def inside(namespace):
    """Sockets that are made meanwhile belong to the namespace, and stay there."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(file):
        if libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    with open("/proc/thread-self/ns/net") as own, open(f"/run/netns/{namespace}") as other:
        enter(other)
        try:
            yield
        finally:
            enter(own)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


@dataclasses.dataclass
class Segment:
    """`length` is that of the IP packet; `outgoing` and `vlan` are known of segments that were seen."""
    source: str
    dest: str
    source_port: int
    dest_port: int
    sequence: int
    acknowledged: int
    flags: int
    window: int = 65535
    data: bytes = b""
    options: bytes = b""
    length: int = 0
    outgoing: bool = True
    vlan: int = None

    @property
    def next(self):
        """The sequence number of what follows it."""
        return (self.sequence + len(self.data) + bool(self.flags & SYN) + bool(self.flags & FIN)) % 2**32

    @classmethod
    def parse(cls, frame):
        """What an Ethernet frame holds, or None if it is no TCP."""
        at, vlan = 14, None
        kind = int.from_bytes(frame[12:14], "big")
        if kind == 0x8100:
            vlan, kind, at = int.from_bytes(frame[14:16], "big") & 0xfff, int.from_bytes(frame[16:18], "big"), 18
        if kind == ETHERTYPES[4] and frame[at + 9] == socket.IPPROTO_TCP:
            length, header = int.from_bytes(frame[at + 2:at + 4], "big"), (frame[at] & 15) * 4
            addresses = frame[at + 12:at + 16], frame[at + 16:at + 20]
        elif kind == ETHERTYPES[6] and frame[at + 6] == socket.IPPROTO_TCP:
            length, header = int.from_bytes(frame[at + 4:at + 6], "big") + 40, 40
            addresses = frame[at + 8:at + 24], frame[at + 24:at + 40]
        else:
            return None
        ip, tcp = frame[at:at + length], frame[at + header:at + length]
        if len(addresses[0]) == 4 and checksum(ip[:header]):
            raise ValueError("wrong IPv4 checksum")
        fields = struct.unpack("!HHIIBBHHH", tcp[:20])
        offset = (fields[4] >> 4) * 4
        return cls(*(str(ipaddress.ip_address(a)) for a in addresses), *fields[:4], fields[5], fields[6],
                   tcp[offset:], tcp[20:offset], length, vlan=vlan)

    def _pseudo(self, length):
        addresses = [ipaddress.ip_address(a).packed for a in (self.source, self.dest)]
        tail = struct.pack("!IBBBB", length, 0, 0, 0, 6) if len(addresses[0]) == 16 else struct.pack("!BBH", 0, 6, length)
        return b"".join(addresses) + tail

    def tcp(self):
        offset = 5 + len(self.options) // 4
        raw = struct.pack("!HHIIBBHHH", self.source_port, self.dest_port, self.sequence % 2**32,
                          self.acknowledged % 2**32, offset << 4, self.flags, self.window, 0, 0)
        raw += self.options + self.data
        check = checksum(self._pseudo(len(raw)) + raw)
        return raw[:16] + struct.pack("!H", check) + raw[18:]

    def packet(self):
        tcp = self.tcp()
        source, dest = (ipaddress.ip_address(a) for a in (self.source, self.dest))
        if source.version == 6:
            return struct.pack("!IHBB", 6 << 28, len(tcp), 6, 64) + source.packed + dest.packed + tcp
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0) + source.packed + dest.packed
        return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + tcp


def vlan_of(ancillary):
    """The tag that the kernel has taken off a frame before it showed it."""
    for level, kind, data in ancillary:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, tci = struct.unpack("I12xH", data[:18])
            if status & AUXDATA_VLAN_VALID:
                return tci & 0xfff
    return None


class Tap:
    """Sees every TCP segment of some addresses on a link from now on, and can send some."""

    def __init__(self, lab, *addresses, namespace=None, iface="i0", gateway_iface="g0"):
        self.addresses, self.seen = addresses, []
        with inside(namespace or lab.internet):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            own = fcntl.ioctl(self.socket, 0x8927, struct.pack("16s16x", iface.encode()))[18:24]  # SIOCGIFHWADDR
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.bind((iface, 3))
        self.link = bytes.fromhex(lab.mac(gateway_iface).replace(":", "")) + own

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def segments(self):
        """All that was seen so far, in order."""
        with contextlib.suppress(BlockingIOError):
            while True:
                frame, ancillary, _, where = self.socket.recvmsg(65536, 256, socket.MSG_DONTWAIT)
                segment = Segment.parse(frame)
                if segment and {segment.source, segment.dest} & set(self.addresses):
                    segment.outgoing = where[2] == PACKET_OUTGOING
                    segment.vlan = segment.vlan if segment.vlan is not None else vlan_of(ancillary)
                    self.seen.append(segment)
        return self.seen

    def answers(self):
        """What came back."""
        return [segment for segment in self.segments() if not segment.outgoing]

    def send(self, segment):
        """The socket does not see what it sends itself."""
        packet = segment.packet()
        segment.length = len(packet)
        self.segments().append(segment)
        self.socket.send(self.link + struct.pack("!H", ETHERTYPES[packet[0] >> 4]) + packet)


class Peer:
    """A TCP client made by hand: it sends what a test wants, when it wants it."""

    def __init__(self, tap, source, port=40000, dest=None, dest_port=25):
        self.tap, self.source, self.port = tap, source, port
        self.dest, self.dest_port = dest or (GATEWAY6 if ":" in source else GATEWAY4), dest_port
        self.sequence = int.from_bytes(os.urandom(4), "big")
        self.acknowledged = 0

    def ask(self, flags, data=b"", sequence=None, acknowledged=None, options=b""):
        """Sends a segment."""
        self.tap.send(Segment(self.source, self.dest, self.port, self.dest_port,
                              self.sequence if sequence is None else sequence,
                              self.acknowledged if acknowledged is None else acknowledged, flags, data=data,
                              options=options))

    def answers(self):
        return [segment for segment in self.tap.answers() if segment.dest_port == self.port]
