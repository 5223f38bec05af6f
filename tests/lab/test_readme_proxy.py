# SPDX-License-Identifier: GPL-2.0-only
"""The section "Proxy mode" of README.md, done word by word: its configuration in front of Postfix with its settings."""
import os
import pathlib
import re
import sys

import pytest
import yaml

import frontsenders
import senders
import servers
import torturebed
import world
from lab import GATEWAY4, Failed, Lab, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECTION = re.search(r"^## Proxy mode\n(.*?)^## ", (ROOT / "README.md").read_text(), re.M | re.S)[1]
BLOCKS = [re.sub(r"^    ", "", block, flags=re.M) for block in re.findall(r"(?:^    .*\n)+", SECTION, re.M)]
SENDER = senders.Way(None, "198.51.100.10", GATEWAY4)
# As Postfix has it if nobody says otherwise.
RELAY = "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination"
OWN = {"virtual_mailbox_domains": "example.org", "default_transport": "discard", "smtpd_relay_restrictions": RELAY}


def block(word):
    """The one that has the word."""
    found = [text for text in BLOCKS if word in text]
    assert found, word
    return found[0]


def setting(value):
    """A line of main.cf, of several with the same name the one with this value."""
    line = next(text for text in BLOCKS if text.startswith("smtpd_authorized") and value in text).strip()
    return dict([re.split(r"\s*=\s*", line, maxsplit=1)])


@pytest.fixture
def place():
    with Lab("readme") as lab:
        world.World(lab)
        lab.link(lab.gateway, "eth0", lab.internet, "i9")  # mail comes by another one
        lab.address(lab.internet, "lo", "192.0.2.10/32")
        yield lab


def start(lab, text, **more):
    """The agent with a configuration of the README, and where files of the lab are."""
    conf = yaml.safe_load(text)
    sections = {name: {**conf.pop(name, {}), **options} for name, options in more.items()}
    lab.start_posternd(**{**conf, **sections})
    wait_until(lambda: all(row["up"] for row in lab.ctl("status", "--json").json["smtp"]["backends"]), 10, "the backend")


def send(lab, port="25", to="user@example.org", **options):
    path = lab.directory / "mail"
    frontsenders.message(path, f"mail{port}")
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    frontsenders.swaks(lab, SENDER._replace(namespace=lab.internet), port, path, "--to", to, *words)


def check(lab, postfix):
    send(lab)
    wait_until(lambda: postfix.delivered() == 1, 20, "the mail")
    with pytest.raises(Failed, match="550 5.7.1 we do not send mail on for you"):
        send(lab, to="somebody@elsewhere.example")
    assert f"client=mail.example[{SENDER.source}]" in postfix.log


def test_another_machine(place):
    settings = setting("192.0.2.1")
    assert settings["smtpd_authorized_xclient_hosts"] == "192.0.2.1"
    postfix = place.start_postfix(namespace=place.internet, settings={
        **OWN, "inet_interfaces": "192.0.2.10", "smtpd_authorized_xclient_hosts": GATEWAY4})
    (place.directory / "as it is.yaml").write_text(block("mode: proxy"))
    assert place.ctl("config", "check", place.directory / "as it is.yaml").out.endswith("no mistakes\n")
    start(place, block("mode: proxy"))
    check(place, postfix)
    assert b"220 mx.example.org" in senders.greeting(SENDER._replace(namespace=place.internet)).encode()


def test_the_same_machine(place, monkeypatch):
    listener = block("127.0.0.1:10025 inet").strip().replace(" y ", " n ", 1) + "\n"  # Debian's: in a jail
    backends = yaml.safe_load(re.search(r"`backends: (\[.*?\])`", SECTION)[1])
    networks = yaml.safe_load(re.search(r"`networks: (\[.*?\])`", SECTION)[1])
    smtp = {"backends": backends, "networks": networks}
    old = place.start_postfix(name="before", settings=OWN)
    start_failed = place.start_posternd(wait=False, **{**yaml.safe_load(block("mode: proxy")), "smtp": {
        **yaml.safe_load(block("mode: proxy"))["smtp"], **smtp}})
    assert start_failed.wait(20) == 1
    assert "port 25: Address already in use" in place.log("agent.failed")[-1]["error"]
    old.kill()
    listens = servers.listens
    monkeypatch.setattr(servers, "listens", lambda lab, port, namespace=None: listens(lab, 10025, namespace))
    postfix = place.start_postfix(settings={**OWN, **setting("127.0.0.1")}, listener=listener)
    start(place, block("mode: proxy"), smtp=smtp)
    check(place, postfix)
    place.ns(place.gateway, "swaks", "--server", "127.0.0.1", "--from", "root@example.org", "--to", "x@elsewhere.example",
             "--timeout", 10)


# What Dovecot says to who connects to its socket for Postfix. Nobody asks it for a password here.
SASL = """
import os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
server.listen()
taken = []
while True:
    taken.append(server.accept()[0])
    taken[-1].sendall(b"VERSION\\t1\\t2\\nMECH\\tPLAIN\\tplaintext\\nSPID\\t1\\nCUID\\t1\\nCOOKIE\\t00\\nDONE\\n")
"""


def sasl(lab):
    path = lab.directory / "sasl"
    lab.start(lab.internet, sys.executable, "-c", SASL, path)
    wait_until(path.exists, 10, "the socket")
    return path


def test_users(place):
    """With TLS; the server behind takes mail for others from who has logged in, and from nobody else."""
    chain, key, _ = torturebed.certificate(place.directory)
    users = place.directory / "users"
    users.write_text(f"user:{torturebed.argon2(torturebed.PASSWORD)}:user@own.example\n")
    os.chown(users, 65534, 65534)
    users.chmod(0o400)
    postfix = place.start_postfix(namespace=place.internet, settings={
        **OWN, "inet_interfaces": "192.0.2.10", "smtpd_authorized_xclient_hosts": GATEWAY4, "smtpd_sasl_auth_enable": "yes",
        "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": sasl(place)})
    more = yaml.safe_load(block("users: /etc"))
    assert set(more) == {"smtp", "tls"} and set(more["smtp"]) == {"listen", "users"}
    start(place, block("mode: proxy"), smtp={"listen": more["smtp"]["listen"], "users": str(users)},
          tls={"certificates": [f"{chain} {key}"]})
    for port in ("25s", "587", "465"):
        send(place, port)
    send(place, "587", to="somebody@elsewhere.example")
    wait_until(lambda: postfix.delivered() == 3, 20, "the mails")
