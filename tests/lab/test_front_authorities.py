# SPDX-License-Identifier: GPL-2.0-only
"""Mode proxy: a reload reads smtp.backend-ca again, under the name that it had, in front of a Postfix with a certificate."""
import itertools
import shutil

import pytest

import torturebed
from frontbed import BACKENDS, Backend, Front
from frontclient import Session
from lab import Lab, run, wait_until

TOKENS = itertools.count()


@pytest.fixture(scope="module")
def front():
    with Lab("frontauth") as lab:
        made = Front(lab, backends="none")
        chain, key, _ = torturebed.certificate(lab.directory, ("backend.test",), name="backend")
        made.backends = [Backend(lab, 0, smtpd_tls_chain_files=f"{key} {chain}", smtpd_tls_security_level="may")]
        made.other = lab.directory / "other.pem"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 9, "-subj", "/CN=Other", "-keyout",
            lab.directory / "other.key", "-out", made.other)
        made.file = lab.directory / "authorities.pem"
        shutil.copyfile(made.ca, made.file)
        made.start(smtp={"backends": [f"{BACKENDS[0]}:25 xclient verify=backend.test"], "backend-ca": str(made.file)})
        wait_until(lambda: backend(made)["up"], 20, "the backend")
        yield made


def backend(front):
    return front.lab.ctl("status", "--json").json["smtp"]["backends"][0]


def deliver(front, session):
    token = f"authority{next(TOKENS):03d}x"
    assert session.data(f"Subject: {token}\r\n\r\ntext\r\n".encode()).startswith("250")
    session.close()
    assert front.wait_for_mail(token)


def replace(front, source):
    shutil.copyfile(source, front.file)
    return front.lab.ctl("reload")


def test_another_authority_holds_from_the_next_session_on(front):
    """Without it the server is not trusted; who has begun goes on with what there was."""
    begun = Session(front)
    begun.mail()
    replace(front, front.other)
    wait_until(lambda: not backend(front)["up"] and "TLS: " in backend(front)["why"], 20, "a server that is not trusted")
    begun.says("NOOP", "250")
    deliver(front, begun)
    replace(front, front.ca)
    wait_until(lambda: backend(front)["up"], 20, "a server that is trusted again")
    session = Session(front)
    session.mail()
    deliver(front, session)


def test_a_file_that_is_broken(front):
    """One line says which; what was read before stays, with its connections."""
    before = backend(front)
    for octets in (front.ca.read_text()[:300], "", front.ca.read_text() + front.ca.read_text()[:300], "no certificate\n"):
        front.file.write_text(octets)
        refused = front.lab.ctl("reload", check=False)
        assert refused.rc == 4 and not refused.out and refused.err.count("\n") == 1, refused
        assert f"smtp.backend-ca: {front.file}: " in refused.err
    front.file.unlink()
    assert f"smtp.backend-ca: {front.file}: No such file" in front.lab.ctl("reload", check=False).err
    session = Session(front)
    session.mail()
    deliver(front, session)
    assert backend(front)["transactions"] == before["transactions"] + 1


def test_a_file_that_is_the_same(front):
    """The servers are not asked anew; the time of the file is nothing."""
    replace(front, front.ca)
    before = backend(front)
    answer = replace(front, front.ca).out
    assert "CAs" in answer and "were read again" in answer
    assert backend(front)["up"] and backend(front)["transactions"] == before["transactions"] > 0
