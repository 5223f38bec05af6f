# SPDX-License-Identifier: GPL-2.0-only
"""Mode proxy before servers whose TLS is spoilt: mail waits and is never sent in plain text, and `status` says why."""
import pathlib

import pytest

import tamper
import torturebed
from frontbed import BACKENDS, Front
from frontclient import MAIL, RCPT, Session
from lab import Lab, run, wait_until
from test_backend import pin

NAME = "mx.own.example"
UNASKED, UNOFFERED = "an answer that nobody asked for", "STARTTLS: not offered"
# What `status` says of each way to spoil the plain part; all rows say "starttls".
PLAINS = {
    "an answer behind 220": UNASKED, "an answer to EHLO behind 220": UNASKED, "half an answer behind 220": UNASKED, "a NUL behind 220": UNASKED,
    "220 behind the answer to EHLO": UNASKED, "all answers behind the greeting": UNASKED, "no STARTTLS": UNOFFERED,
    "a keyword that was overwritten": UNOFFERED, "454": "STARTTLS: 4.7.0 TLS is not available", "502": "STARTTLS: 5.5.1 what is STARTTLS?",
    "250 in place of 220": "STARTTLS: 2.0.0 go on in plain text",
}


def expired(directory):
    """A chain for NAME whose time is over, and its key."""
    chain, key, ca = torturebed.certificate(directory, name="expired")
    request, more = directory / "expired.csr", directory / "expired.ext"
    (directory / "index").write_text("")
    (directory / "ca.conf").write_text(f"[ca]\ndefault_ca = lab\n[lab]\ndatabase = {directory}/index\nnew_certs_dir = {directory}\nserial = {directory}/expired.srl\n"
                                       "default_md = sha256\npolicy = any\nunique_subject = no\n[any]\ncommonName = supplied\n")
    (directory / "expired.srl").write_text("77\n")
    run("openssl", "ca", "-batch", "-notext", "-config", directory / "ca.conf", "-cert", ca, "-keyfile", directory / "ca.key", "-in", request, "-out", chain,
        "-extfile", more, "-startdate", "200101000000Z", "-enddate", "210101000000Z")
    return chain, key


def certificates(directory):
    """{name: (row, what is special about the server, what `status` says)}; all speak TLS after an honest STARTTLS."""
    directory = pathlib.Path(directory)
    (directory / "elsewhere").mkdir()
    good = torturebed.certificate(directory)[:2]
    other = torturebed.certificate(directory, names=("mx.elsewhere.example",), name="other")[:2]
    stranger = torturebed.certificate(directory / "elsewhere")[:2]
    verify, any_name = f"verify={NAME}", "starttls"
    return {
        "a certificate for another name": (verify, {"certificate": other}, "TLS: hostname mismatch"),
        "a certificate of another authority": (verify, {"certificate": stranger}, "TLS: "),
        "an expired certificate": (verify, {"certificate": expired(directory)}, "TLS: certificate has expired"),
        "a key that is not pinned": (f"pin={pin(other[0])}", {"certificate": good}, "TLS: "),
        "an old version of TLS": (any_name, {"certificate": good, "most": tamper.ssl.TLSVersion.TLSv1_1}, "TLS: "),
        "plain text in the handshake": (any_name, {"certificate": good, "late": b"250 2.0.0 injected\r\n" * 3}, "TLS: "),
        "no TLS behind 220": (any_name, {}, "TLS: "),
        "no STARTTLS, where a name is verified": (verify, {"kind": "no STARTTLS", "certificate": good}, UNOFFERED),
        "no STARTTLS, where a key is pinned": (f"pin={pin(good[0])}", {"kind": "no STARTTLS", "certificate": good}, UNOFFERED),
    }


class Spoilt:
    """Servers, one a row, all of them the only ones of a front; what they were told, and what was said of them."""

    def __init__(self, front, rows):
        self.servers = {name: tamper.Server(front.lab, BACKENDS[0], 2600 + number, **options) for number, (name, (_, options, _)) in enumerate(rows.items())}
        self.whys = {name: why for name, (_, _, why) in rows.items()}
        front.start(smtp={"backends": [f"{self.servers[name].place} {row}" for name, (row, _, _) in rows.items()], "backend-ca": str(front.ca), "workers": 1})
        self.mail(front, "early")
        wait_until(lambda: {line["backend"] for line in front.lab.log("backend.down")} == {server.place for server in self.servers.values()}, 10,
                   "the end of service of all servers")
        self.mail(front, "late")
        self.rows = {row["name"]: row for row in front.lab.ctl("status", "--json").json["smtp"]["backends"]}
        self.text = front.lab.ctl("status").out
        front.end()
        for server in self.servers.values():
            server.close()

    @staticmethod
    def mail(front, word):
        """All is put off, and the sender is told so at once."""
        session = Session(front)
        told = [session.ask(line) for line in (MAIL.replace("sender@", f"{word}@"), RCPT, "DATA")]
        assert told[0].startswith("451 4.4.1") and told[1][0] in "45" and told[2][0] == "5", told
        session.close()


@pytest.fixture(scope="module")
def front():
    with Lab("fronttls") as lab:
        yield Front(lab, backends="none")


@pytest.fixture(scope="module")
def plains(front):
    return Spoilt(front, {name: ("starttls", {"kind": name}, why) for name, why in PLAINS.items()})


@pytest.fixture(scope="module")
def secured(front):
    return Spoilt(front, certificates(front.lab.directory))


def check(spoilt, name):
    server, why = spoilt.servers[name], spoilt.whys[name]
    row = spoilt.rows[server.place]
    assert not row["up"] and row["failures"] and why in row["why"] and row["accepted"] == row["transactions"] == 0, row
    assert any(server.place in line and "down" in line and why in line for line in spoilt.text.splitlines()), spoilt.text
    said = {line.split(b" ")[0].strip() for line in server.plain if line[:1] not in (b"\x16", b"")}  # 22: a record of a handshake
    assert said <= {b"EHLO", b"STARTTLS"}, server.plain
    assert not server.secret, server.secret


@pytest.mark.parametrize("name", PLAINS)
def test_plain_part(plains, name):
    check(plains, name)


CERTIFICATES = ["a certificate for another name", "a certificate of another authority", "an expired certificate", "a key that is not pinned",
                "an old version of TLS", "plain text in the handshake", "no TLS behind 220", "no STARTTLS, where a name is verified",
                "no STARTTLS, where a key is pinned"]


@pytest.mark.parametrize("name", CERTIFICATES)
def test_tls(secured, name):
    assert set(secured.servers) == set(CERTIFICATES)
    check(secured, name)


@pytest.mark.parametrize("words", ["starttls", f"verify={NAME}", "pin"])
def test_an_honest_server_gets_it(front, words):
    """By the same means; and one that is spoilt beside it takes nothing away."""
    chain, key, ca = torturebed.certificate(front.lab.directory)
    words = f"pin={pin(chain)}" if words == "pin" else words
    honest = tamper.Server(front.lab, BACKENDS[0], 2650, certificate=(chain, key))
    spoilt = tamper.Server(front.lab, BACKENDS[0], 2651, "an answer behind 220", certificate=(chain, key))
    try:
        front.start(smtp={"backends": [f"{server.place} {words}" for server in (honest, spoilt)], "backend-ca": str(ca), "workers": 1})
        session = Session(front)
        for _ in range(4):
            session.mail()
            assert session.data(b"Subject: honest\r\n\r\ntext\r\n").startswith("250")
        session.close()
        assert sum(line.startswith(b"MAIL FROM") for line in honest.secret) == 4
        assert {line.split(b" ")[0].strip() for line in honest.plain} == {b"EHLO", b"STARTTLS"}
        assert not spoilt.secret and not any(line.startswith(b"MAIL") for line in spoilt.plain)
    finally:
        front.end()
        honest.close()
        spoilt.close()
