# SPDX-License-Identifier: GPL-2.0-only
"""Mode proxy in the lab: Postern takes the mail of own.example on 25, 587 and 465, and hands it on to two servers.

    gateway   10.77.0.1, fd00:77::1   Postern
              10.79.0.1, 10.79.0.2    two Postfix, or two sinks (tests/torture/sink.py), on port 25

    front = Front(lab, backends="postfix"); front.start(smtp={...})     # options over those of SETTINGS
"""
import contextlib
import os
import pathlib
import socket
import time

import guardbed
import servers
import torturebed
from lab import GATEWAY4, GATEWAY6, NO_LIMITS, wait_until
from wire import inside

BACKENDS = ["10.79.0.1", "10.79.0.2"]
OWN, USER = torturebed.OWN, torturebed.USER
SENDER = "addressed.example"  # a domain of the lab's DNS that exists and has no SPF record
LISTEN = [f"{host}:{port} {service}" for host in (GATEWAY4, f"[{GATEWAY6}]", "127.0.0.1")
          for port, service in ((25, "mx"), (587, "submission"), (465, "submissions"))]
SMTP = {"hostname": "mx.own.example", "workers": 2, "listen": LISTEN, "domains": [OWN], "backends": [f"{host}:25 xclient" for host in BACKENDS],
        "commands-max": 100, "errors-max": 20, "connections-max": 2000}
SETTINGS = {**guardbed.SETTINGS, "mode": "proxy", "limits": NO_LIMITS,
            "check": {"spf": "reject", "sender": "reject", "dnsbl": "reject", "rdns": "monitor", "helo": "monitor", "score": "monitor"}}

# What a server behind refuses by itself.
ACCESS = f"inline:{{{{temp@{OWN} = 450 4.2.1 try again later}}, {{perm@{OWN} = 550 5.1.1 nobody of that name}}}}"


class Backend(servers.Postfix):
    """A Postfix that takes everything for anybody: what is refused, Postern has refused. `settings`: over those here."""

    def __init__(self, lab, number, **settings):
        self.host = BACKENDS[number]
        super().__init__(lab, name=f"backend{number}", settings={
            "inet_interfaces": self.host, "myhostname": f"backend{number}.test", "virtual_mailbox_domains": OWN,
            "smtpd_authorized_xclient_hosts": "10.77.0.0/16, 10.79.0.0/24, 127.0.0.0/8", "mynetworks": "0.0.0.0/0, [::]/0", "smtpd_relay_restrictions": "permit_mynetworks, reject",
            "smtpd_recipient_restrictions": f"check_recipient_access {ACCESS}, permit", "default_transport": "discard",
            "message_size_limit": 104857600, "virtual_mailbox_limit": 0, "mailbox_size_limit": 0, "smtpd_recipient_limit": 2000,
            "minimal_backoff_time": "1s", "queue_run_delay": "1s", "smtputf8_enable": "yes", **settings})

    def files(self):
        new = self.mail / "user/new"
        return [path.read_bytes() for path in new.iterdir()] if new.exists() else []


def dialogue(front, source, *lines, helo=f"mail.{SENDER}"):
    """The last line of each reply to these, after EHLO; "" when the server has closed."""
    said, dest = [], GATEWAY6 if ":" in source else GATEWAY4
    with inside(front.lab.internet), socket.create_connection((dest, 25), 10, (source, 0)) as client, client.makefile("rb") as answers:
        for line in (None, f"EHLO {helo}", *lines):
            with contextlib.suppress(ConnectionError):
                if line is not None:
                    client.sendall(line.encode() + b"\r\n")
                reply = answers.readline()
                while reply[3:4] == b"-":
                    reply = answers.readline()
                said.append(reply.decode().strip())
    return said[2:]


class Front:
    """See the module's text. `backends`: "postfix", "sink", or "none"; `zones`: see world.World."""

    def __init__(self, lab, backends="postfix", zones=None):
        self.guard = guardbed.Guard(lab, mail=False, zones=zones)
        self.lab = lab
        self.chain, self.key, self.ca = torturebed.certificate(lab.directory)
        for host in BACKENDS:
            lab.address(lab.gateway, "lo", f"{host}/32")
        if backends == "postfix":
            self.backends = [Backend(lab, number) for number in range(len(BACKENDS))]
        else:
            wanted = BACKENDS if backends == "sink" else []
            self.backends = [torturebed.Sink(lab, 25, host=host, name=f"sink{number}") for number, host in enumerate(wanted)]
        self.users = pathlib.Path(lab.directory) / "users"
        self.write_users()

    def write_users(self):
        """One account, which may send as USER."""
        self.users.write_text(f"{torturebed.LOGIN}:{torturebed.argon2(torturebed.PASSWORD)} {torturebed.scram(torturebed.PASSWORD)}:{USER}\n")
        os.chown(self.users, 65534, 65534)  # the agent's user alone: it holds secrets
        self.users.chmod(0o600)

    def settings(self, **overrides):
        sections = {"smtp": {**SMTP, "users": str(self.users)}, "tls": {"certificates": [f"{self.chain} {self.key}"]}}
        made = {**SETTINGS, **sections}
        for section, options in overrides.items():
            made[section] = {**made.get(section, {}), **options} if isinstance(options, dict) else options
        return made

    def start(self, **overrides):
        self.lab.start_posternd(**self.settings(**overrides))
        wait_until(lambda: f"{GATEWAY4}:25 " in self.lab.ns(self.lab.gateway, "ss", "-Hltn").out, 10, "Postern's listener")
        self.guard.wait_for_zones()

    def end(self):
        self.guard.end()

    def reload(self, **overrides):
        self.lab.write_config(**self.settings(**overrides))
        self.lab.ctl("reload")
        time.sleep(guardbed.RELOAD_SECONDS)

    def suite(self, name, *more, **options):
        """The torture suite against it; see torturebed.suite()."""
        return torturebed.suite(self.lab, name, "--sender-domain", SENDER, *more, **options)

    @contextlib.contextmanager
    def without(self, backends):
        """These are killed, and started again afterwards."""
        for backend in backends:
            backend.kill()
        try:
            yield
        finally:
            for backend in backends:
                backend.start()

    # ---- what has arrived

    def mails(self):
        """Of all Postfix behind, as octets."""
        return [octets for backend in self.backends for octets in backend.files()]

    def wait_for_mail(self, token, number=1, seconds=20):
        """The mails that hold a word."""
        word = token.encode()
        return wait_until(lambda: (found := [octets for octets in self.mails() if word in octets]) and len(found) >= number and found, seconds,
                          f"{number} mails with {token}")
