# SPDX-License-Identifier: GPL-2.0-only
"""Zones of the SPF tests: how the openspf suite writes them, and a DNS server of one process that serves them.

A zone is a dict: a name in lower case, and for each type of record a list of what there is, or the text "TEMPORARY"
for a question that is not answered; tests/replay/zone_play.h describes it. The key "CNAME" is a name.
"""
import socket
import socketserver
import struct
import threading

TYPES = {"A": 1, "CNAME": 5, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}
NUMBERS = {number: kind for kind, number in TYPES.items()}
STRING_MAX = 255
UDP_MAX, TCP_MAX = 1232, 65535
HEADER, RECORD = struct.Struct("!6H"), struct.Struct("!HHIH")
RESPONSE, TRUNCATED = 0x8180, 0x0200  # with recursion
SERVFAIL, NXDOMAIN = 2, 3
TTL = 300


def from_suite(zonedata):
    """The zone of a scenario of rfc7208-tests.yml."""
    zone = {}
    for name, items in zonedata.items():
        records, timeout, aliases = {}, False, []
        for item in items or []:
            if item == "TIMEOUT":
                timeout = True
                continue
            (kind, value), = item.items()
            if kind == "SPF":
                aliases.append(value)
            elif (kind, value) == ("TXT", "NONE"):
                records.setdefault("TXT", [])
            elif kind == "CNAME":
                records["CNAME"] = value.rstrip(".").lower()
            else:
                records.setdefault(kind, []).append(value)
        if "TXT" not in records and aliases:
            records["TXT"] = aliases
        records = {kind: [plain(kind, value) for value in values] if kind != "CNAME" else values
                   for kind, values in records.items()}
        for kind in TYPES if timeout else ():
            # An empty list here is "TXT: NONE", which says nothing of what is answered.
            if not records.get(kind) and kind != "CNAME":
                records[kind] = "TEMPORARY"
        zone[name.lower()] = records
    return zone


def plain(kind, value):
    """One record as zone_play.h has it."""
    if kind == "TXT":
        return value if isinstance(value, str) else "".join(value)
    if kind == "PTR":
        return value.rstrip(".")
    if kind == "MX":
        return [value[0], value[1].rstrip(".")]
    return value


def wire_name(text):
    """A name whose labels may hold any octet but the dot, without compression."""
    labels = [label.encode() for label in text.split(".")] if text else []
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def rdata(kind, value):
    """The octets of a record."""
    if kind == "TXT":
        text = value.encode()
        strings = [text[i:i + STRING_MAX] for i in range(0, len(text), STRING_MAX)]
        return b"".join(bytes([len(string)]) + string for string in strings)  # none of an empty text
    if kind == "MX":
        return value[0].to_bytes(2, "big") + wire_name(value[1])
    if kind in ("PTR", "CNAME"):
        return wire_name(value)
    return socket.inet_pton(socket.AF_INET if kind == "A" else socket.AF_INET6, value)


def read_question(query):
    """(owner, type, where the question ends) of a query."""
    labels, at = [], HEADER.size
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]])
        at += 1 + query[at]
    kind = int.from_bytes(query[at + 1:at + 3], "big")
    return ".".join(label.decode(errors="replace") for label in labels), NUMBERS.get(kind, ""), at + 5


def resolve(zone, name, kind):
    """(RCODE or None for silence, [(owner, type, record)])"""
    answers, owner, name, seen = [], name, name.lower(), set()
    while "CNAME" in zone.get(name, {}):
        if name in seen:
            return SERVFAIL, []
        seen.add(name)
        answers.append((owner, "CNAME", zone[name]["CNAME"]))
        owner = name = zone[name]["CNAME"]
    records = zone.get(name, {}).get(kind, [])
    if records == "TEMPORARY":
        return None, []
    there = name in zone or any(other.endswith("." + name) for other in zone)
    return 0 if there else NXDOMAIN, answers + [(owner, kind, record) for record in records]


def respond(zone, query, limit):
    """The answer to a query, in the order of the zone and truncated if it has to be; None for silence."""
    name, kind, end = read_question(query)
    rcode, answers = resolve(zone, name, kind)
    if rcode is None:
        return None
    body = b""
    for owner, kind, record in answers:
        data = rdata(kind, record)
        body += wire_name(owner) + RECORD.pack(TYPES[kind], 1, TTL, len(data)) + data
    cut = HEADER.size + len(body) > limit
    flags = RESPONSE | (TRUNCATED if cut else 0) | rcode
    header = HEADER.pack(int.from_bytes(query[:2], "big"), flags, 1, 0 if cut else len(answers), 0, 0)
    return header + query[HEADER.size:end] + (b"" if cut else body)


class Udp(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        response = respond(self.server.zone, data, UDP_MAX)
        if response is not None:
            sock.sendto(response, self.client_address)


class Tcp(socketserver.StreamRequestHandler):
    def handle(self):
        while len(length := self.rfile.read(2)) == 2:
            response = respond(self.server.zone, self.rfile.read(int.from_bytes(length, "big")), TCP_MAX)
            if response is not None:
                self.wfile.write(len(response).to_bytes(2, "big") + response)


class Server:
    """Serves a zone, which may be exchanged, on one port of the loopback by UDP and TCP."""

    def __init__(self, zone=None):
        self.tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tcp)
        self.tcp.daemon_threads = True
        self.udp = socketserver.UDPServer(self.tcp.server_address, Udp)
        self.servers = (self.tcp, self.udp)
        self.address = "127.0.0.1:%d" % self.tcp.server_address[1]
        self.serve(zone or {})

    def serve(self, zone):
        for server in self.servers:
            server.zone = zone

    def __enter__(self):
        for server in self.servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.shutdown()
            server.server_close()
