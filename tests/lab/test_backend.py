# SPDX-License-Identifier: GPL-2.0-only
"""Messages are handed to a real Postfix, as the SMTP front does it: plain, with TLS, with XCLIENT and with PROXY."""
import re
import subprocess

import pytest

from lab import BUILD, wait_until

MESSAGE = b"Subject: t\r\n\r\n.dot\r\n..\r\n.\r\n\xff8-bit\r\nlast"
COUNT = 5


def certificate(directory):
    """One for mx.lab.example that its own CA has signed; returns both files."""
    cert, key = directory / "mx.pem", directory / "mx.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=mx.lab.example", "-addext", "subjectAltName=DNS:mx.lab.example", "-keyout", key,
                    "-out", cert], check=True, capture_output=True)
    return cert, key


def pin(cert):
    """SHA-256 of the public key, in hex."""
    public = subprocess.run(["openssl", "x509", "-in", cert, "-noout", "-pubkey"], check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public, check=True, capture_output=True).stdout
    return subprocess.run(["openssl", "sha256", "-r"], input=der, check=True, capture_output=True).stdout.decode().split()[0]


def hand_over(lab, row, recipient="<user@lab.example>", count=COUNT, ca=None):
    """What the senders are told, one text each, and the line of figures."""
    conf = lab.directory / "handover.yaml"
    conf.write_text(f"smtp:\n  hostname: gate.lab.example\n  backends: [\"{row}\"]\n"
                    + (f"  backend-ca: {ca}\n" if ca else ""))
    process = lab.start(lab.gateway, BUILD / "tests/handover", conf, recipient, count, stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE)
    out, _ = process.communicate(MESSAGE, timeout=60)
    assert process.returncode == 0
    lines = out.decode().splitlines()
    return lines[:-1], lines[-1]


def check_delivered(postfix, count=COUNT):
    """All have arrived, and as they were sent, but for the end of the last line."""
    wait_until(lambda: postfix.delivered() == count, 20, "the mails")
    for path in (postfix.mail / "user/new").iterdir():
        assert path.read_bytes().endswith(MESSAGE.split(b"\r\n\r\n")[1].replace(b"\r\n", b"\n") + b"\n")


def check_all(told, count=COUNT):
    assert [line.split()[1:3] for line in told] == [["MAIL", "250"], ["RCPT", "250"], ["MESSAGE", "250"]] * count, told


def clients(postfix):
    """Who Postfix thinks the clients were."""
    return re.findall(r"smtpd.* client=(\S+)", postfix.log)


def test_plain(fresh):
    postfix = fresh.start_postfix()
    told, figures = hand_over(fresh, "127.0.0.1:25")
    check_all(told)
    check_delivered(postfix)
    assert "up connections 2 reused 4 accepted 5 ambiguous 0" in figures  # the first one was the probe


def test_refused(fresh):
    fresh.start_postfix()
    told, _ = hand_over(fresh, "127.0.0.1:25", "<somebody@elsewhere.example>", 1)
    assert told[1].startswith("1 RCPT 554 5.7.1 <somebody@elsewhere.example>"), told
    assert told[2] == "1 MESSAGE 554 5.5.1 no valid recipients"


@pytest.mark.parametrize("kind", ["starttls", "verify=mx.lab.example", "pin"])
def test_tls(fresh, kind):
    cert, key = certificate(fresh.directory)
    postfix = fresh.start_postfix(settings={"smtpd_tls_security_level": "encrypt", "smtpd_tls_cert_file": cert,
                                            "smtpd_tls_key_file": key, "smtpd_tls_loglevel": 1})
    told, figures = hand_over(fresh, f"127.0.0.1:25 {'pin=' + pin(cert) if kind == 'pin' else kind}", ca=cert)
    check_all(told)
    check_delivered(postfix)
    assert "TLSv1.3" in postfix.log
    assert "reused 4" in figures


@pytest.mark.parametrize("kind, why", [("verify=other.example", "TLS: hostname mismatch"), ("pin=" + "0" * 64, "TLS: ")])
def test_the_wrong_server(fresh, kind, why):
    cert, key = certificate(fresh.directory)
    postfix = fresh.start_postfix(settings={"smtpd_tls_security_level": "may", "smtpd_tls_cert_file": cert,
                                            "smtpd_tls_key_file": key})
    told, figures = hand_over(fresh, f"127.0.0.1:25 {kind}", count=1, ca=cert)
    assert [line.split()[2] for line in told] == ["451"] * 3
    assert why in figures
    assert "MAIL" not in postfix.log and postfix.delivered() == 0


def test_xclient(fresh):
    """Each client by itself, though they share a connection."""
    postfix = fresh.start_postfix(settings={"smtpd_authorized_xclient_hosts": "127.0.0.0/8"})
    told, figures = hand_over(fresh, "127.0.0.1:25 xclient")
    check_all(told)
    check_delivered(postfix)
    assert clients(postfix) == [f"c{n}.example[203.0.113.{n}]" for n in range(1, COUNT + 1)]
    assert "reused 4" in figures
    heads = "".join(path.read_bytes().decode("latin-1") for path in (postfix.mail / "user/new").iterdir())
    for n in range(1, COUNT + 1):
        assert f"Received: from helo-{n}.example (c{n}.example [203.0.113.{n}])" in heads


def test_xclient_not_allowed(fresh):
    """Postfix does not offer it to us: no mail, rather than mail from the wrong client."""
    postfix = fresh.start_postfix()
    told, figures = hand_over(fresh, "127.0.0.1:25 xclient", count=1)
    assert [line.split()[2] for line in told] == ["451"] * 3
    assert "XCLIENT: not offered" in figures
    assert not clients(postfix) and postfix.delivered() == 0


def test_proxy(fresh):
    postfix = fresh.start_postfix(settings={"smtpd_upstream_proxy_protocol": "haproxy"})
    told, figures = hand_over(fresh, "127.0.0.1:25 proxy")
    check_all(told)
    check_delivered(postfix)
    assert clients(postfix) == [f"unknown[203.0.113.{n}]" for n in range(1, COUNT + 1)]
    assert "up connections 6 reused 0" in figures
