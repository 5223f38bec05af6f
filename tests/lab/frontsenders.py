# SPDX-License-Identifier: GPL-2.0-only
"""Real senders that deliver one message, whose octets are given, to the front, on each of its ports.

A sender is a function (lab, way, port, path of the message) that raises lab.Failed if the message was not taken.
Way: see senders.py. On 25 a port of "25s" is STARTTLS.
"""
import contextlib
import pathlib

import senders
import torturebed
from lab import Failed, wait_until

FROM = "sender@addressed.example"
PORTS = {"25": (25, "plain"), "25s": (25, "starttls"), "587": (587, "starttls"), "465": (465, "tls")}


def sender_of(port):
    """Who the envelope says it is from: on submission ports the user."""
    return torturebed.USER if port in ("587", "465") else FROM


def swaks(lab, way, port, path, *more):
    """`more`: options of swaks, which win over those here."""
    number, tls = PORTS[port]
    words = {"plain": [], "starttls": ["--tls"], "tls": ["--tls-on-connect"]}[tls]
    if number != 25:
        words += ["--auth", "PLAIN", "--auth-user", torturebed.LOGIN, "--auth-password", torturebed.PASSWORD]
    lab.ns(way.namespace, "swaks", "--server", way.dest, "--port", number, "--local-interface", way.source, "--from", sender_of(port),
           "--to", torturebed.USER, "-6" if ":" in way.source else "-4", "--helo", "mail.addressed.example",
           "--data", f"@{path}", "--timeout", 20, *words, *more)


def curl(lab, way, port, path):
    number, tls = PORTS[port]
    words = ["--ssl-reqd", "--insecure"] if tls != "plain" else []
    if number != 25:
        words += ["--user", f"{torturebed.LOGIN}:{torturebed.PASSWORD}"]
    scheme = "smtps" if tls == "tls" else "smtp"
    lab.ns(way.namespace, "curl", "-sS", "--interface", way.source, "--mail-from", sender_of(port), "--mail-rcpt", torturebed.USER,
           "--upload-file", path, *words, f"{scheme}://{senders.bracketed(way.dest)}:{number}/mail.addressed.example")


def msmtp(lab, way, port, path):
    number, tls = PORTS[port]
    words = [f"--tls={'off' if tls == 'plain' else 'on'}", f"--tls-starttls={'on' if tls == 'starttls' else 'off'}"]
    if tls != "plain":
        words += ["--tls-certcheck=off"]
    if number != 25:
        words += ["--auth=plain", f"--user={torturebed.LOGIN}", f"--passwordeval=echo '{torturebed.PASSWORD}'"]
    text = path.read_bytes().replace(b"\r\n", b"\n").decode("latin-1")
    lab.ns(way.namespace, "msmtp", "-C", "/dev/null", f"--host={way.dest}", f"--port={number}", f"--source-ip={way.source}", *words,
           "--domain=mail.addressed.example", f"--from={sender_of(port)}", "--set-from-header=off", torturebed.USER, input=text, encoding="latin-1")


@contextlib.contextmanager
def postfix(lab, way, port):
    """A Postfix that sends everything there, and its way to send a message."""
    number, tls = PORTS[port]
    settings = {"relayhost": f"[{way.dest}]:{number}", "myhostname": "mail.addressed.example", "default_transport": "smtp",
                "smtp_tls_security_level": "none" if tls == "plain" else "encrypt", "smtp_tls_wrappermode": "yes" if tls == "tls" else "no"}
    if number != 25:
        table = f"inline:{{ {{ [{way.dest}]:{number} = {torturebed.LOGIN}:{torturebed.PASSWORD} }} }}"
        settings |= {"smtp_sasl_auth_enable": "yes", "smtp_sasl_password_maps": table, "smtp_sasl_security_options": "noanonymous"}
    sender = senders.PostfixSender(lab, way, name=f"postfix-{port}-{way.source}", **settings)
    try:
        yield sender
    finally:
        sender.close()


def through_postfix(lab, way, port, path):
    with postfix(lab, way, port) as sender:
        text = path.read_bytes().replace(b"\r\n", b"\n").decode("latin-1")
        lab.ns(way.namespace, "sendmail", "-C", sender.directory, "-i", "-f", sender_of(port), torturebed.USER, input=text, encoding="latin-1")
        said = wait_until(lambda: [line for line in sender.log.splitlines() if "status=" in line], 30, "Postfix's attempt")[0]
        if "status=sent" not in said:
            raise Failed(said)


EXIM_TLS = {"plain": "  hosts_avoid_tls = *\n", "starttls": "  hosts_require_tls = *\n", "tls": "  hosts_require_tls = *\n  protocol = smtps\n"}
EXIM_AUTH = """\
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  client_send = ^{user}^{password}
"""


def exim(lab, way, port, path):
    number, tls = PORTS[port]
    more = EXIM_TLS[tls] + f"  port = {number}\n"
    if number != 25:
        more += "  hosts_require_auth = *\n" + EXIM_AUTH.format(user=torturebed.LOGIN, password=torturebed.PASSWORD)
    text = path.read_bytes().replace(b"\r\n", b"\n").decode("latin-1")
    log = senders.exim(lab, way, more=more, mail=text, sender=sender_of(port), to=torturebed.USER, name="exim-" + f"{port}-{way.source}".replace(":", "-"))
    if " => " not in log:
        raise Failed(log)


SENDERS = {"swaks": swaks, "curl": curl, "msmtp": msmtp, "Postfix": through_postfix, "Exim": exim}


def message(path, token, body=b"The text.\r\n"):
    """Writes a message; returns its octets."""
    octets = (f"From: <{FROM}>\r\nTo: <{torturebed.USER}>\r\nSubject: {token}\r\nMessage-ID: <{token}@addressed.example>\r\n"
              "Date: Thu, 1 Jan 2026 00:00:00 +0000\r\n\r\n").encode() + body
    pathlib.Path(path).write_bytes(octets)
    return octets
