# SPDX-License-Identifier: GPL-2.0-only
"""pyspf with what it does against RFC 7208 mended, one mend a row of MENDS, each of which can be left out.

A disagreement between Postern and pyspf is settled by asking again with mends: that this one is why is then not an
opinion about a message, but found out.
"""
import re
import sys

import spf

MENDS = {
    "void": ("4.6.4", "terms with void lookups are limited, and pyspf counts every one of their questions"),
    "redirect": ("4.6.4", "a redirect that is not followed asks nothing, and pyspf counts it"),
    "count": ("4.6.4", "the PTR question of %{p} is one of the ten lookups, and pyspf does not count it"),
    "ptr": ("5.5", "a name of the client that cannot be looked up is skipped, and pyspf ends or counts it as void"),
    "mx": ("5.4", "an exchange that matches decides, and pyspf looks up the others first"),
    "include": ("4.6.4", "the limit of terms is what ends a record that includes itself, and pyspf refuses its sight"),
    "case": ("4.6.1", "names of modifiers have no case, and pyspf knows them in lower case only"),
    "twice": ("6", "only redirect and exp must not be there twice, and pyspf refuses that of any modifier"),
    "syntax": ("7.1", "macro strings hold visible ASCII and right macros only, and pyspf takes more"),
    "ending": ("7.1", "a domain-spec ends in a label or a macro, and pyspf takes what %{, %% or the like begins"),
    "join": ("7.3", "split parts are joined with dots, and pyspf keeps the delimiters"),
    "cut": ("7.3", "names are cut, by as many labels as it takes, and pyspf cuts one label, of explanations too"),
}

MACRO = re.compile(r"%(?:[%_-]|\{[slodiphvcrt](?!0+[^0-9])[0-9]*r?[.\-+,/_=]*\})", re.IGNORECASE)
STRING = re.compile(rf"(?:{MACRO.pattern}|[\x21-\x24\x26-\x7e])*", re.IGNORECASE)
TEXT = re.compile(rf"(?:{MACRO.pattern}|[\x20-\x24\x26-\x7e])*", re.IGNORECASE)
ENDING = re.compile(rf"(?:{MACRO.pattern}|[\x21-\x24\x26-\x7e])*(?:{MACRO.pattern}|\."
                    r"(?:[0-9a-z]*[a-z][0-9a-z]*|[0-9a-z]+-[0-9a-z-]*[0-9a-z])\.?)", re.IGNORECASE)


class Name(str):
    """A name that is the same as no other, for "include has trivial recursion"."""
    __hash__ = str.__hash__

    def __eq__(self, _):
        return False


class Redirect(str):
    """The target of a redirect, which has not been counted yet."""
    spec = ""


class Dots:
    """In place of spf.JOINERS."""

    @staticmethod
    def get(_):
        return "."


JOINERS = spf.JOINERS
LITERAL = {"%%": "%", "%_": " ", "%-": "%20"}


class Query(spf.query):
    mends = frozenset()
    voids = 0
    counted = False
    names_known = False

    @property
    def void_lookups(self):
        return self.voids

    @void_lookups.setter
    def void_lookups(self, value):
        if value == 0:
            self.voids, self.counted = 0, False
        elif "void" not in self.mends or not self.counted:
            self.voids, self.counted = value, True

    def check_lookups(self):
        modifiers = isinstance(sys._getframe(1).f_locals.get("m"), list)
        if "redirect" in self.mends and modifiers:
            return
        self.counted = False
        super().check_lookups()
        if not modifiers:
            self.count_names(sys._getframe(1).f_locals["mech"], sys._getframe(1).f_locals["m"] == "ptr")

    def count_names(self, term, known):
        """The names of the client are looked up once, by a ptr or for a %{p}."""
        if not known and not self.names_known and re.search(r"(?<!%)(?:%%)*%\{p", term, re.IGNORECASE):
            known = True
            if "count" in self.mends:
                spf.query.check_lookups(self)
        self.names_known |= known

    def dns_spf(self, domain):
        if isinstance(domain, Redirect):
            spf.query.check_lookups(self)
            self.count_names(domain.spec, False)
            self.counted = False
        return super().dns_spf(domain)

    def check0(self, text, recursion):
        if text and self.mends & {"case", "twice"}:
            text = " ".join(self.modifiers(text.split(" ")))
        return super().check0(text, recursion)

    def modifiers(self, terms):
        seen = set()
        for number, term in enumerate(terms):
            match = spf.RE_MODIFIER.match(term)
            name = match.group(1) if match else None
            if match and "case" in self.mends and name.lower() in ("redirect", "exp"):
                term = name.lower() + term[len(name):]
            elif match and "twice" in self.mends and name.lower() not in ("redirect", "exp"):
                term = f"x{number}-{term}" if name in seen else term
                seen.add(name)
            yield term

    def expand_domain(self, arg):
        if "ending" in self.mends and not ENDING.fullmatch(arg):
            raise spf.PermError("Invalid domain", arg)
        name = super().expand_domain(arg)
        caller = sys._getframe(1).f_locals
        if isinstance(caller.get("m"), list):
            if "redirect" in self.mends and caller.get("mod") == "redirect":
                name = Redirect(name)
                name.spec = arg
            return name
        return Name(name) if "include" in self.mends and caller.get("m") == "include" else name

    def expand(self, text, stripdot=True):
        spf.JOINERS = Dots if "join" in self.mends else JOINERS
        if "syntax" in self.mends and not (STRING if stripdot else TEXT).fullmatch(text):
            raise spf.PermError("invalid macro string", text)
        if not self.mends & {"syntax", "cut"}:
            return super().expand(text, stripdot)
        if stripdot and re.search(r"%\{[crt]", text, re.IGNORECASE):
            raise spf.PermError("c,r,t macros allowed in exp= text only", text)
        pieces = re.split(f"({MACRO.pattern})", text, flags=re.IGNORECASE)
        name = "".join(super(Query, self).expand(piece, False) if piece.startswith("%{") else LITERAL.get(piece, piece)
                       for piece in pieces)
        if not stripdot and "cut" in self.mends:
            return name
        name = name[:-1] if stripdot and name.endswith(".") else name
        while len(name) > 253 and "." in name:
            name = name.split(".", 1)[1]
            if "cut" not in self.mends:
                break
        return name

    def dns_mx(self, domainname):
        if "mx" not in self.mends:
            return super().dns_mx(domainname)
        exchanges = sorted(self.dns(domainname, "MX"))
        if len(exchanges) > spf.MAX_MX:
            raise spf.PermError("too many exchanges")
        found, bits = [], sys._getframe(1).f_locals["cidrlength"]
        for _, name in exchanges:
            found += self.dns_a(name, self.A)
            if self.cidrmatch(found, bits):
                break
        return found

    def validated_ptrs(self):
        if "ptr" not in self.mends:
            return super().validated_ptrs()
        macro = sys._getframe(1).f_code.co_name == "getp"
        try:
            names = self.dns(f"{spf.reverse_dots(self.i)}.{self.v}.arpa", "PTR", ignore_void=macro)
        except spf.TempError:
            return []
        return [name for name in names[:spf.MAX_PTR] if self.is_validated(name)]

    def is_validated(self, name):
        try:
            return self.cidrmatch(self.dns(name, self.A, ignore_void=True), self.cidrmax)
        except spf.TempError:
            return False
