# SPDX-License-Identifier: GPL-2.0-only
"""Certificates and keys: when they expire is shown, what is wrong is said by `config check`, and a reload keeps the old ones until all is right."""
import contextlib
import os
import re
import socket
import ssl
import time

import pytest

import guardbed
import torturebed
from frontbed import Front
from lab import BUILD, GATEWAY4, Lab
from wire import inside

SOURCE = "203.0.113.90"
EXPIRY = "postern_tls_certificate_expiry_timestamp_seconds"


@pytest.fixture(scope="module")
def front():
    with Lab("frontcerts") as lab:
        made = Front(lab, backends="none")
        made.start()
        yield made


def served(front):
    """The certificate at port 465: DER, and when it expires."""
    context = ssl.create_default_context(cafile=front.ca)
    with inside(front.lab.internet), socket.create_connection((GATEWAY4, 465), 10, (SOURCE, 0)) as plain, \
            context.wrap_socket(plain, server_hostname="mx.own.example") as client:
        return client.getpeercert(True), ssl.cert_time_to_seconds(client.getpeercert()["notAfter"])


def test_when_it_expires_is_shown(front):
    _, expires = served(front)
    assert front.guard.metric(EXPIRY, file=str(front.chain)) == expires
    assert front.lab.ctl("status", "--json").json["smtp"]["certificates"] == [{"file": str(front.chain), "expires": expires}]
    assert re.search(rf"^Certificates +{front.chain} expires in 1[23]w", front.lab.ctl("status").out, re.MULTILINE)


def foreign_key(front):
    front.key.write_text(torturebed.certificate(front.lab.directory, name="foreign")[1].read_text())
    return f"{front.key}: not the key of the certificate in {front.chain}"


def no_certificate(front):
    front.chain.write_text("-----BEGIN CERTIFICATE-----\n")
    return f"{front.chain}: "


def gone(front):
    front.chain.unlink()
    return f"{front.chain}: No such file or directory"


def for_root_alone(front):
    os.chown(front.key, 0, 0)
    front.key.chmod(0o600)
    return f'{front.key}: permission denied: the user "nobody" has to be able to read it'


@contextlib.contextmanager
def kept(*paths):
    before = [path.read_bytes() for path in paths]
    try:
        yield
    finally:
        for path, octets in zip(paths, before):
            path.write_bytes(octets)
            path.chmod(0o644)


@pytest.mark.parametrize("spoil", [foreign_key, no_certificate, gone, for_root_alone])
def test_what_is_broken_is_named_and_changes_nothing(front, spoil):
    before, path = served(front), front.lab.directory / "postern.yaml"
    with kept(front.chain, front.key):
        what = spoil(front)
        place = rf"{re.escape(str(path))}:\d+: tls\.certificates: {re.escape(what)}.*\n"
        checked = front.lab.ctl("config", "check", path, check=False)
        assert checked.rc == 4 and re.fullmatch("posternctl: " + place, checked.err), checked
        checked = front.lab.ns(front.lab.gateway, BUILD / "posternd", "-c", path, "--check", check=False)
        assert checked.rc == 1 and re.fullmatch("posternd: " + place, checked.err) and not checked.out, checked
        refused = front.lab.ctl("reload", check=False)
        assert refused.rc == 4 and what.split(":")[0] in refused.err, refused
        time.sleep(guardbed.RELOAD_SECONDS)
        assert served(front) == before
    assert front.lab.ctl("config", "check", path).out.endswith("no mistakes\n")


def test_somebody_else_is_told_what_he_cannot_see(front):
    """The key is the agent's user's: a person without rights is warned, and not told that the file is wrong."""
    path = front.lab.directory / "postern.yaml"
    os.chown(front.key, 65534, 65534)
    with kept(front.key):
        front.key.chmod(0o400)
        checked = front.lab.ns(front.lab.gateway, "setpriv", "--reuid", "2", "--regid", "2", "--clear-groups", BUILD / "posternctl", "config", "check", path)
        assert "no mistakes\n" in checked.out and f"warning: {front.key} cannot be looked at: permission denied" in checked.out, checked
        assert front.lab.ctl("config", "check", path).out.endswith("no mistakes\n")


def test_a_renewed_one_is_taken(front):
    before, expires = served(front)
    front.chain.write_text(torturebed.certificate(front.lab.directory, name="renewed")[0].read_text())
    front.key.write_text((front.lab.directory / "renewed.key").read_text())
    assert front.guard.metric(EXPIRY, file=str(front.chain)) == expires, "it shows what is in force, and not what is in the file"
    front.lab.ctl("reload")
    time.sleep(guardbed.RELOAD_SECONDS)
    after, expires = served(front)
    assert after != before and front.guard.metric(EXPIRY, file=str(front.chain)) == expires
