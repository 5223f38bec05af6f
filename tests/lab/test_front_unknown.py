# SPDX-License-Identifier: GPL-2.0-only
"""Mode proxy in front of two Postfix that know their mailboxes: whom they do not know they are asked about once in a while.

What a backend was asked is in its own log, which has a line for each recipient that it refuses; and in the table that it asks itself.
"""
import collections
import socketserver
import threading
import time

import pytest

import torturebed
from frontbed import BACKENDS, OWN, SENDER, Backend, Front
from frontclient import MAIL, Session
from lab import Lab, wait_until
from wire import inside

TTL = 12  # seconds; what has to be done within it takes one
MAPS_PORT = 2600
TRUSTED = "203.0.113.150"
EXIM = "10.79.0.3"
SMTP = {"unknown-ttl": TTL, "networks": [f"{TRUSTED}/32"]}
UNKNOWN = "550 5.1.1 <{}>: Recipient address rejected: User unknown in relay recipient table"


# As Exim's own example has it: nothing says a status.
EXIM_CONF = """\
primary_hostname = mx.own.example
exim_path = {program}
spool_directory = {directory}/spool
log_file_path = {directory}/%slog
pid_file_path = {directory}/pid
exim_user = nobody
exim_group = nogroup
keep_environment =
local_interfaces = {host}
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  deny local_parts = policy
  require verify = recipient
  accept
begin routers
there:
  driver = accept
  local_parts = there
  transport = nowhere
  cannot_route_message = ${{if eq{{$local_part}}{{gone}}{{Unknown user}}fail}}
begin transports
nowhere:
  driver = appendfile
  file = /dev/null
"""


class Mailboxes(socketserver.ThreadingTCPServer):
    """The table of both Postfix (tcp_table(5)), of which a change is in effect at once; `broken`: none is there, as when a directory is empty."""
    allow_reuse_address = daemon_threads = True

    def __init__(self, lab):
        self.names, self.broken, self.asked = set(), False, collections.Counter()
        with inside(lab.gateway):
            super().__init__(("127.0.0.1", MAPS_PORT), self.Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Answer(socketserver.StreamRequestHandler):
        def handle(self):
            for line in self.rfile:
                name = line.decode().split(" ", 1)[1].strip()
                self.server.asked[name] += 1
                known = name in self.server.names and not self.server.broken
                self.wfile.write(b"200 x\n" if known else b"500 none\n")


@pytest.fixture(scope="module")
def front():
    with Lab("frontunknown") as lab:
        mailboxes = Mailboxes(lab)
        made = Front(lab, backends="none")
        made.mailboxes = mailboxes
        made.backends = [Backend(lab, number, virtual_mailbox_domains="", relay_domains=OWN, relay_transport="discard",
                                 relay_recipient_maps=f"tcp:127.0.0.1:{MAPS_PORT}") for number in range(len(BACKENDS))]
        lab.address(lab.gateway, "lo", f"{EXIM}/32")
        made.start(smtp=SMTP)
        yield made
        mailboxes.shutdown()
        mailboxes.server_close()


@pytest.fixture
def address(front, request):
    """Of a mailbox that is not there, for each test another one."""
    return f"{request.node.name.removeprefix('test_').replace('_', '-')}@{OWN}"


def has_refused(front, address, number):
    """Whether the backends have refused it so often, in all; the log of each is written a little later."""
    def refusals():
        return sum(backend.log.count(f"<{address}>: Recipient address rejected") for backend in front.backends)
    return wait_until(lambda: refusals() >= number, 5, f"{number} refusals of {address} in the logs") and refusals() == number


def has_asked(front, address, number, taken=0):
    """Whether the backends were asked so often that they refused, and so often that they took it, and not more."""
    return has_refused(front, address, number) and front.mailboxes.asked[address] == number + taken


def rcpt(front, address, source="203.0.113.130"):
    return Session(front, source).mail([address])[0]


def metric(front, name):
    return front.guard.metric(f"postern_smtp_{name}")


def test_the_backend_is_asked_once(front, address):
    """By whichever client, and whichever worker has it; all are told the same."""
    begin, refused = time.monotonic(), metric(front, "remembered_total")
    told = [rcpt(front, address, f"203.0.113.{131 + number}") for number in range(8)]
    assert time.monotonic() - begin < TTL
    assert told == [UNKNOWN.format(address)] * 8
    assert has_asked(front, address, 1)
    assert metric(front, "remembered_total") == refused + 7 and metric(front, "remembered_recipients") >= 1
    status = front.lab.ctl("status", "--json").json["smtp"]["unknown"]
    assert (status["ttl"], status["hourly"], status["max"]) == (TTL, 50, 10000) and status["refused"] >= 7, status
    assert f"remembered, for {TTL}s; " in front.lab.ctl("status").out


def test_why_tells_it(front, address):
    rcpt(front, address)
    rcpt(front, address)
    rows = wait_until(lambda: [line for line in front.lab.log("smtp.refused") if address in line["detail"]], 5, "the log")
    assert [row["reason"] for row in rows] == ["recipient"] * 2
    why = front.lab.ctl("why", rows[1]["id"]).out
    assert "remembered from the backend, 0 seconds ago: 5.1.1 <" in why or "remembered from the backend, 1 seconds ago: 5.1.1 <" in why, why
    assert "remembered" not in front.lab.ctl("why", rows[0]["id"]).out


def test_in_a_group(front, address):
    """The replies are in the order of the commands, and the message goes to who is there."""
    front.mailboxes.names.add(f"there@{OWN}")
    rcpt(front, address)
    session = Session(front, "203.0.113.141")
    lines = [MAIL, *[f"RCPT TO:<{to}>" for to in (f"there@{OWN}", address, f"nobody-else@{OWN}", address)], "DATA"]
    session.send("".join(f"{line}\r\n" for line in lines))
    assert [session.reply()[:3] for _ in lines] == ["250", "250", "550", "550", "550", "354"]
    session.send(f"Subject: x\r\nFrom: <a@{SENDER}>\r\n\r\ntext\r\n.\r\n")
    assert session.reply().startswith("250")
    assert has_asked(front, address, 1)


def test_a_new_mailbox_works_after_the_time(front, address):
    begin = time.monotonic()
    assert rcpt(front, address).startswith("550")
    front.mailboxes.names.add(address)
    assert rcpt(front, address).startswith("550")
    assert time.monotonic() - begin < TTL
    while not rcpt(front, address, "203.0.113.140").startswith("250"):
        assert time.monotonic() - begin < 3 * TTL
        time.sleep(1)  # each costs the client some of its budget
    assert TTL - 1 <= time.monotonic() - begin and has_asked(front, address, 1, taken=1)


def test_a_new_mailbox_works_after_a_reload(front, address):
    begin = time.monotonic()
    assert rcpt(front, address).startswith("550")
    front.mailboxes.names.add(address)
    assert rcpt(front, address).startswith("550")
    front.lab.ctl("reload")
    assert rcpt(front, address).startswith("250")
    assert time.monotonic() - begin < TTL and metric(front, "remembered_recipients") == 0


def test_who_is_trusted_asks_the_backend(front, address):
    """And what he hears holds for the others, too."""
    begin = time.monotonic()
    assert rcpt(front, address).startswith("550")
    assert rcpt(front, address, TRUSTED) == UNKNOWN.format(address)
    assert has_asked(front, address, 2)
    front.mailboxes.names.add(address)
    assert rcpt(front, address).startswith("550")
    assert rcpt(front, address, TRUSTED).startswith("250")
    assert rcpt(front, address).startswith("250")
    assert time.monotonic() - begin < TTL and has_asked(front, address, 2, taken=2)


def test_a_directory_that_was_empty(front, address):
    """The backends refuse everybody for a while: strangers hear so for no longer than the option says, and a reload ends it at once."""
    everybody = [f"user{number}.{address}" for number in range(5)]
    front.mailboxes.names.update(everybody)
    front.mailboxes.broken = True
    assert all(rcpt(front, each).startswith("550") for each in everybody)
    front.mailboxes.broken = False
    assert all(rcpt(front, each).startswith("550") for each in everybody)
    assert rcpt(front, f"postmaster@{OWN}")[:3] == "550", "the backend's own answer, which has not changed"
    front.lab.ctl("reload")
    assert all(rcpt(front, each).startswith("250") for each in everybody)


def test_what_is_no_mailbox_that_is_missing(front):
    """4xx is asked anew each time."""
    front.mailboxes.names.add(f"temp@{OWN}")
    assert [rcpt(front, f"temp@{OWN}")[:3] for _ in range(3)] == ["450"] * 3
    assert has_refused(front, f"temp@{OWN}", 3)


def test_other_backends(front, address):
    """They are asked anew, also by who has a session from before."""
    rcpt(front, address)
    before = Session(front, "203.0.113.142")
    assert before.mail([address])[0].startswith("550") and has_asked(front, address, 1)
    front.lab.write_config(**front.settings(smtp={**SMTP, "backends": [f"{BACKENDS[1]}:25 xclient"]}))
    front.lab.ctl("reload")
    assert before.ask(f"RCPT TO:<{address}>").startswith("550") and has_asked(front, address, 2)
    assert rcpt(front, address).startswith("550") and has_asked(front, address, 3)
    assert rcpt(front, address).startswith("550") and has_asked(front, address, 3)


def test_off(front, address):
    front.reload(smtp={**SMTP, "unknown-ttl": 0})
    refused = metric(front, "remembered_total")
    assert [rcpt(front, address)[:3] for _ in range(3)] == ["550"] * 3
    assert has_asked(front, address, 3) and metric(front, "remembered_total") == refused
    assert "recipients are not remembered" in front.lab.ctl("status").out
    front.reload(smtp=SMTP)


def test_the_budget(front, address):
    """What is refused from memory is charged like all others, by the option's number."""
    front.reload(smtp={**SMTP, "unknown-recipients": 4})
    told = [rcpt(front, address, "203.0.113.149") for _ in range(6)]
    assert [reply[:3] for reply in told] == ["550"] * 4 + ["450"] * 2 and "unknown recipients" in told[-1], told
    assert has_asked(front, address, 1)
    front.reload(smtp=SMTP)


def test_exim(front):
    """It says no status, and so nothing that is certain, but for two sentences."""
    exim = torturebed.Exim(front.lab, EXIM_CONF, EXIM)
    front.reload(smtp={**SMTP, "backends": [f"{EXIM}:25"]})
    told = {name: [rcpt(front, f"{name}@{OWN}", "203.0.113.144") for _ in range(2)] for name in ("gone", "unknown", "policy", "there")}
    assert told["gone"] == ["550 5.0.0 Unknown user"] * 2 and told["unknown"] == ["550 5.0.0 Unrouteable address"] * 2, told
    assert told["policy"] == ["550 5.0.0 Administrative prohibition"] * 2 and told["there"][1].startswith("250"), told
    log = (exim.directory / "mainlog").read_text()
    assert [log.count(f"rejected RCPT <{name}@{OWN}>") for name in ("gone", "unknown", "policy", "there")] == [1, 1, 2, 0], log
    exim.process.terminate()
    exim.process.wait(20)
