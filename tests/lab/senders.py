# SPDX-License-Identifier: GPL-2.0-only
"""
Real senders: each connects from an address, tries to deliver a mail, and returns everything that it says about it.

A way is (namespace, source, dest): from where, and to which of the gateway's addresses.
"""
import collections
import os
import pathlib
import re
import shutil
import smtplib
import socket

import servers
from lab import BUILD, GATEWAY4, GATEWAY6, VLAN_GATEWAY4, VLAN_GATEWAY6, VLAN_SENDER4, VLAN_SENDER6, wait_until
from wire import inside

Way = collections.namedtuple("Way", "namespace source dest")
FROM, TO = "user@lab.example", "somebody@example.net"
MAIL = f"From: {FROM}\nTo: {TO}\nSubject: a mail\n\nThe text.\n"
EXIM = BUILD / "packages/usr/sbin/exim4"  # see packaging/debian-packages.txt

EXIM_CONF = """\
primary_hostname = sender.lab.example
exim_path = {program}
spool_directory = {directory}/spool
log_file_path = {directory}/%slog
exim_user = nobody
exim_group = nogroup
keep_environment =
tls_advertise_hosts =
begin routers
all:
  driver = manualroute
  route_list = * "<+ {dest}" byname
  host_find_failed = fail
  transport = smtp
begin transports
smtp:
  driver = smtp
  interface = <; {source}
"""
# Who Exim is, is compiled in. It sees users and groups of its own, because Debian's has that one only if it is installed.
EXIM_USERS = """\
root:x:0:0::/:/bin/sh
nobody:x:65534:65534::/:/bin/sh
Debian-exim:x:65534:65534::/:/bin/sh
"""
EXIM_GROUPS = """\
root:x:0:
nogroup:x:65534:
mail:x:8:
Debian-exim:x:65534:
"""


def ways(lab, source4, source6):
    """From the internet and from behind VLAN tags, by IPv4 and IPv6."""
    return [Way(lab.internet, source4, GATEWAY4), Way(lab.internet, source6, GATEWAY6),
            Way(lab.vlan, VLAN_SENDER4, VLAN_GATEWAY4), Way(lab.vlan, VLAN_SENDER6, VLAN_GATEWAY6)]


def bracketed(address):
    return f"[{address}]" if ":" in address else address


class PostfixSender(servers.Postfix):
    """A Postfix that listens nowhere and sends all mail but its own users' from one address to one host."""

    def __init__(self, lab, way, name="sender", **settings):
        self.lab, self.way = lab, way
        bind = "smtp_bind_address6" if ":" in way.source else "smtp_bind_address"
        super().__init__(lab, name=name, namespace=way.namespace, settings={
            "inet_interfaces": "loopback-only", "relayhost": f"[{way.dest}]", bind: way.source, **settings})

    def send(self):
        """Hands a mail in, and returns the log's line about what became of it."""
        before = len(self.fates())
        self.lab.ns(self.way.namespace, "sendmail", "-C", self.directory, "-f", FROM, TO, input=MAIL)
        return wait_until(lambda: self.fates()[before:], 60, "Postfix's attempt")[0]

    def fates(self):
        return re.findall(rf".*to=<{TO}>.*status=.*", self.log)


    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.directory)


def exim(lab, way, more="", mail=MAIL, sender=FROM, to=TO, name="exim"):
    """`more`: lines for the transport, and sections after it. Returns the log."""
    directory = pathlib.Path(lab.directory) / name
    (directory / "spool").mkdir(parents=True, exist_ok=True)
    for path in (directory, directory / "spool"):
        os.chown(path, 65534, 65534)
    (directory / "mainlog").unlink(missing_ok=True)
    files = {"passwd": EXIM_USERS, "group": EXIM_GROUPS}
    for name, text in files.items():
        (directory / name).write_text(text)
    conf = directory / "exim.conf"
    conf.write_text(EXIM_CONF.format(directory=directory, program=EXIM.resolve(), source=way.source, dest=way.dest) + more)
    lab.ns(way.namespace, "unshare", "--mount", "sh", "-c",
           " && ".join(f"mount --bind {directory}/{name} /etc/{name}" for name in files) +
           f" && exec {EXIM.resolve()} -C {conf} -odi -oi -f {sender} {to}",
           stdin=None, input=mail, encoding="latin-1")
    return (directory / "mainlog").read_text()


def said(lab, way, *command):
    """What a command prints that is let fail."""
    done = lab.ns(way.namespace, "timeout", "10", *command, check=False)
    return done.out + done.err


def curl(lab, way):
    return said(lab, way, "curl", "-sv", "--interface", way.source, "--mail-from", FROM, "--mail-rcpt", TO,
                f"smtp://{bracketed(way.dest)}")


def swaks(lab, way, timeout=5):
    return said(lab, way, "swaks", "--server", way.dest, "--local-interface", way.source, "--to", TO, "--from", FROM,
                "-6" if ":" in way.source else "-4", "--timeout", timeout)


def openssl(lab, way):
    """It prints what it has read only in its dump, sixteen characters a line."""
    done = lab.ns(way.namespace, "timeout", "10", "openssl", "s_client", "-debug", "-starttls", "smtp", "-bind",
                  f"{bracketed(way.source)}:0", "-connect", f"{bracketed(way.dest)}:25", check=False)
    return "".join(re.findall(r"^[0-9a-f]{4} - .{48}  (.*)$", done.out, re.M)).replace("\0", "")


def nc(lab, way):
    return said(lab, way, "nc", "-w", 5, "-s", way.source, way.dest, 25)


def smtplib_(lab, way):
    with inside(way.namespace):
        try:
            smtplib.SMTP(way.dest, timeout=5, source_address=(way.source, 0)).close()
        except smtplib.SMTPConnectError as error:
            return f"{error.smtp_code} {error.smtp_error.decode()}\r\n"
    return ""


def connect(way, timeout=5):
    """A socket that is connected."""
    with inside(way.namespace):
        client = socket.socket(socket.AF_INET6 if ":" in way.source else socket.AF_INET)
    client.settimeout(timeout)
    client.bind((way.source, 0))
    client.connect((way.dest, 25))
    return client


def greeting(way):
    """The first that a server says."""
    with connect(way) as client:
        return client.recv(4096).decode()
