# SPDX-License-Identifier: GPL-2.0-only
"""Random SPF policies: zones of a few domains that refer to one another, and senders to be checked against them.

Everything follows from a seed. Addresses and names come from small pools, so that terms match as often as not; most
records are right, some hold a term that is nearly right, and some have a character changed. Half of the zones are tidy:
everything is there and right, so that evaluations get as far as the limits.
"""
import random

DOMAINS = ["example.com", "a.example.com", "b.example.net", "mail.example.org", "_spf.example.com", "c.d.example.org",
           "x-1.example.net", "deep.a.example.com"]
MISSING = ["nx.example.com", "gone.example.net", "void.example.org"]
ODD = ["museum", "foo..example.com", "a" * 64 + ".example.com", "foo:bar/baz.example.com", "example.com.", "abc.123",
       "example.-com", "1.2.3.4", "%{d}", "%{h}", "foo-bar"]
CLIENTS = ["192.0.2.1", "192.0.2.77", "198.51.100.9", "203.0.113.200", "2001:db8::1", "2001:db8:1:2::77"]
FOUR = CLIENTS[:4] + ["192.0.2.2", "10.1.2.3"]
SIX = CLIENTS[4:] + ["2001:db8::2", "fe80::1"]
LOCALS = ["user", "first.last", "a-b+c", "postmaster", "we_ird=x", "UPPER.case", "a b", "x/y", "~t&q"]
HELOS = ["mail.example.org", "a.example.com", "nx.example.com", "HELO", "[192.0.2.1]", "MX.Example.COM"]
LETTERS = "slodiphv"
QUALIFIERS = ["", "", "", "-", "-", "~", "?", "+"]
CHANGES = " %{}:/=.-+~?0129azZ,;\t\"\\"


class Generator:
    """Cases of one seed: each is (zone, [(ip, helo, from)])."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.tidy = False

    def one(self, items):
        return self.random.choice(items)

    def chance(self, share):
        return self.random.random() < share

    def macro(self, letters=LETTERS):
        letter = self.one(letters)
        if self.chance(0.15):
            letter = letter.upper()
        digits = self.one(["", "", "", "1", "2", "3", "12"]) if not self.chance(0.02) else "0"
        delimiters = self.one(["", "", "", "-", ".-", "+", "=", "_/"])
        return "%{" + letter + digits + self.one(["", "", "r"]) + delimiters + "}"

    def domain(self):
        """A domain-spec."""
        kind = self.random.random()
        if kind < (0.9 if self.tidy else 0.55):
            return self.one(DOMAINS)
        if kind < 0.72:
            return self.one(MISSING)
        if kind < 0.8:
            return self.one(ODD)
        text = ".".join(self.macro() for _ in range(self.random.randint(1, 2)))
        return text + self.one(["", ".example.com", "._spf.%{d2}", ".%%.example.net", "%_x.example.com", "%-.example.org"])

    def cidr(self):
        four = self.one(["", "", "", "/24", "/0", "/32", "/8", "/31"]) if not self.chance(0.02) else "/33"
        six = self.one(["", "", "", "//64", "//0", "//128", "//48"]) if not self.chance(0.02) else "//129"
        return four + six

    def mechanism(self):
        kind = self.one(["a", "a", "mx", "mx", "ip4", "ip4", "ip6", "include", "include", "exists", "ptr", "all"])
        if self.chance(0.1):
            kind = kind.upper()
        argument = ""
        if kind.lower() in ("a", "mx", "ptr"):
            argument = self.one(["", ":" + self.domain()])
            argument += self.cidr() if kind.lower() != "ptr" else ""
        elif kind.lower() in ("include", "exists"):
            argument = ":" + self.domain()
        elif kind.lower() == "ip4":
            argument = ":" + self.one(FOUR) + self.one(["", "/24", "/32", "/0", "/16"])
        elif kind.lower() == "ip6":
            argument = ":" + self.one(SIX) + self.one(["", "/64", "/128", "/0", "/32"])
        if kind.lower() == "all" and not self.chance(0.2):
            kind = "ip4:192.0.2.250"
        return self.one(QUALIFIERS) + kind + argument

    def modifier(self):
        name = self.one(["redirect", "exp", "exp", "foo", "x-y.z", "Redirect"])
        return name + "=" + (self.domain() if name.lower() in ("redirect", "exp") else self.one(["", "%{d}", "a:b", "%x"]))

    def record(self):
        terms = [self.mechanism() for _ in range(self.random.choice([0, 1, 2, 2, 3, 3, 4, 6, 12]))]
        for _ in range(self.random.choice([0, 0, 0, 0, 1, 1, 2])):
            terms.insert(self.random.randint(0, len(terms)), self.modifier())
        if self.chance(0.6):
            terms.append(self.one(["-all", "~all", "?all", "all", "redirect=" + self.one(DOMAINS)]))
        text = self.one(["v=spf1", "v=spf1", "V=SPF1"]) + "".join(self.one([" ", " ", "  "]) + term for term in terms)
        return self.change(text) if self.chance(0.005 if self.tidy else 0.08) else text

    def change(self, text):
        at = self.random.randrange(len(text))
        return text[:at] + self.one(["", self.one(CHANGES)]) + text[at + 1:]

    def texts(self):
        kind = self.random.random()
        if kind < (0.97 if self.tidy else 0.84):
            return [self.record()]
        if kind < 0.88:
            return [self.record(), "unrelated text"]
        if kind < 0.9:
            return [self.record(), self.record()]
        if kind < 0.92:
            return "TEMPORARY"
        if kind < 0.96:
            return [self.one(["Go away, %{i}.", "%{s} from %{c} (%{h}) %{v}", "no %x", "See %{d}%%%_%-", "%{p} %{O}",
                              "\u00e9"])]
        return []

    def names(self, count):
        return [self.one(DOMAINS if self.tidy else DOMAINS + MISSING) for _ in range(self.random.randint(1, count))]

    def domain_records(self):
        records = {"TXT": self.texts()}
        for kind, share, make in (("A", 0.6, lambda: [self.one(FOUR)]), ("AAAA", 0.4, lambda: [self.one(SIX)]),
                                  ("MX", 0.5, self.exchanges)):
            if self.tidy or self.chance(share):
                records[kind] = make() if self.tidy or not self.chance(0.03) else "TEMPORARY"
        return {kind: values for kind, values in records.items() if values}

    def exchanges(self):
        names = self.names(3) if not self.chance(0.03) else self.names(12)
        return [[10 * number, name] for number, name in enumerate(names)]

    def reverse(self, client):
        import ipaddress
        return ipaddress.ip_address(client).reverse_pointer

    def case(self):
        self.tidy = self.chance(0.5)
        zone = {name: self.domain_records() for name in DOMAINS if self.tidy or self.chance(0.9)}
        for client in CLIENTS:
            if self.chance(0.5):
                zone[self.reverse(client)] = {"PTR": self.names(3) if not self.chance(0.05) else "TEMPORARY"}
        senders = [(self.one(CLIENTS), self.one(HELOS), self.sender()) for _ in range(4)]
        return zone, senders

    def sender(self):
        if self.chance(0.08):
            return ""
        return self.one(LOCALS) + "@" + self.one(DOMAINS + MISSING[:1])
