# SPDX-License-Identifier: GPL-2.0-only
"""Zones of the SPF tests: how the openspf suite writes them, and a DNS server of one process that serves them.

A zone is a dict: a name in lower case, and for each type of record a list of what there is, or the text "TEMPORARY"
for a question that is not answered; tests/unit/dns_script.h describes it. The key "CNAME" is a name.
"""
import socket
import socketserver
import threading

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

TYPES = ("A", "AAAA", "PTR", "TXT", "MX")
STRING_MAX = 255


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
            if not records.get(kind):
                records[kind] = "TEMPORARY"
        zone[name.lower()] = records
    return zone


def plain(kind, value):
    """One record as dns_script.h has it."""
    if kind == "TXT":
        return value if isinstance(value, str) else "".join(value)
    if kind == "PTR":
        return value.rstrip(".")
    if kind == "MX":
        return [value[0], value[1].rstrip(".")]
    return value


def wire_name(text):
    """A name whose labels may hold any octet but the dot."""
    labels = [label.encode() for label in text.split(".")] if text else []
    return dns.name.Name(labels + [b""])


def rdata(kind, value):
    """The octets of a record."""
    if kind == "TXT":
        text = value.encode()
        strings = [text[i:i + STRING_MAX] for i in range(0, len(text), STRING_MAX)]
        return b"".join(bytes([len(string)]) + string for string in strings)  # none of an empty text
    if kind == "MX":
        return value[0].to_bytes(2, "big") + wire_name(value[1]).to_wire()
    if kind == "PTR":
        return wire_name(value).to_wire()
    return socket.inet_pton(socket.AF_INET if kind == "A" else socket.AF_INET6, value)


def text_of(name):
    return ".".join(label.decode(errors="replace") for label in name.labels if label).lower()


def add(response, owner, kind, data):
    """Adds a record to the answers; its data are octets that need not make sense."""
    record = dns.rdata.GenericRdata(dns.rdataclass.IN, dns.rdatatype.from_text(kind), data)
    rrset = response.find_rrset(response.answer, owner, dns.rdataclass.IN, dns.rdatatype.from_text(kind), create=True)
    rrset.update_ttl(300)
    rrset.items[record] = None


def respond(zone, query):
    """The answer to a query, or None for silence."""
    question = query.question[0]
    owner, name, kind = question.name, text_of(question.name), dns.rdatatype.to_text(question.rdtype)
    response = dns.message.make_response(query, recursion_available=True)
    seen = set()
    while name in zone and "CNAME" in zone[name] and name not in seen:
        seen.add(name)
        name = zone[name]["CNAME"]
        add(response, owner, "CNAME", wire_name(name).to_wire())
        owner = wire_name(name)
    if name in seen:
        response.answer.clear()
        response.set_rcode(dns.rcode.SERVFAIL)
        return response
    records = zone.get(name, {}).get(kind, [])
    if records == "TEMPORARY":
        return None
    for record in records:
        add(response, owner, kind, rdata(kind, record))
    if name not in zone and not any(other.endswith("." + name) for other in zone):
        response.set_rcode(dns.rcode.NXDOMAIN)
    return response


class Udp(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        response = respond(self.server.zone, dns.message.from_wire(data))
        if response is None:
            return
        wire = response.to_wire(max_size=65535)
        if len(wire) > 1232:
            response.answer.clear()
            response.flags |= dns.flags.TC
            wire = response.to_wire()
        sock.sendto(wire, self.client_address)


class Tcp(socketserver.StreamRequestHandler):
    def handle(self):
        while len(length := self.rfile.read(2)) == 2:
            response = respond(self.server.zone, dns.message.from_wire(self.rfile.read(int.from_bytes(length, "big"))))
            if response is not None:
                wire = response.to_wire(max_size=65535)
                self.wfile.write(len(wire).to_bytes(2, "big") + wire)


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
