# SPDX-License-Identifier: GPL-2.0-only
"""The real servers of the lab, each with its own directory, in the gateway's namespace."""
import os
import pathlib
import signal
import subprocess
import time

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {directory}/mail.log
maillog_file_prefixes = /
myhostname = mx.lab.example
mydomain = lab.example
mydestination =
inet_interfaces = all
inet_protocols = all
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_auth_destination, reject
smtpd_client_connection_count_limit = 0
virtual_mailbox_domains = lab.example
virtual_mailbox_base = {directory}/mail
virtual_mailbox_maps = static:user/
virtual_minimum_uid = 1
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_transport = virtual
alias_maps =
alias_database =
"""

SMTPD = "smtp inet n - n - - smtpd\n"
MASTER_CF = """\
smtp      unix  - - n - - smtp
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
proxywrite unix - - n - 1 proxymap
error     unix  - - n - - error
discard   unix  - - n - - discard
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not start within {seconds} seconds")
        time.sleep(0.05)


def listens(lab, port, namespace=None):
    return f":{port} " in lab.ns(namespace or lab.gateway, "ss", "-Hltn").out


# A listener with room for many at once. That of nc has room for one, and drops others on a busy machine.
LISTENER = """
import socket, socketserver, sys
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            while self.request.recv(4096):
                pass
        except OSError:
            pass
class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6 if sys.argv[1] == "-6" else socket.AF_INET
    request_queue_size, daemon_threads, allow_reuse_address = 4096, True, True
    def server_bind(self):
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        super().server_bind()
Server(("", int(sys.argv[2])), Handler).serve_forever()
"""


class Postfix:
    """
    Postfix on port 25, which delivers mail for lab.example into a maildir. Settings are added to MAIN_CF's.
    `within`: a command that runs it, whose own is added to it. `listener`: lines of master.cf, of what answers on port 25.
    """

    def __init__(self, lab, name="postfix", namespace=None, settings=None, within=(), listener=SMTPD):
        namespace = namespace or lab.gateway
        self.directory = pathlib.Path(lab.directory) / name
        self.mail = self.directory / "mail"
        for name in ("queue", "data", "mail"):
            (self.directory / name).mkdir(parents=True)
        os.chown(self.mail, 65534, 65534)
        # Of two lines for one setting Postfix takes the last, and complains.
        lines = [line for line in MAIN_CF.format(directory=self.directory).splitlines()
                 if line.split(" ")[0] not in (settings or {})]
        lines += [f"{key} = {value}" for key, value in (settings or {}).items()]
        (self.directory / "main.cf").write_text("\n".join(lines) + "\n")
        (self.directory / "master.cf").write_text(listener + MASTER_CF)
        lab.ns(namespace, "chown", "postfix", self.directory / "data")
        lab.ns(namespace, "postfix", "-c", self.directory, "check")  # makes the queue's directories
        self.place = lab, namespace, within
        self.start()

    def start(self):
        lab, namespace, within = self.place
        before = self.log.count("daemon started")
        # Not "postfix start-fg": that is a shell whose end leaves the real server behind. This one is
        # the server itself; as the leader of its group it takes its children along when it is ended.
        with open(self.directory / "start.log", "a") as log:
            self.process = lab.start(namespace, *within, "/usr/lib/postfix/sbin/master", "-c", self.directory, "-d",
                                     stdout=log, stderr=log, start_new_session=True)
        # It says so when it listens for everything, its own programs too: one that it cannot be told is lost for a minute.
        wait_for(lambda: self.log.count("daemon started") > before and listens(lab, 25, namespace), 60, "Postfix")

    def kill(self):
        """With all of its programs, as when the machine goes; start() brings it back with its queue."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def log(self):
        path = self.directory / "mail.log"
        return path.read_text() if path.exists() else ""

    def delivered(self):
        """How many mails have arrived in the mailbox."""
        new = self.mail / "user/new"
        return len(list(new.iterdir())) if new.exists() else 0

    def mails(self):
        return [path.read_text() for path in sorted((self.mail / "user/new").glob("*"))]


class Sshd:
    """OpenSSH's server on port 22, as far as its greeting."""

    def __init__(self, lab):
        directory = pathlib.Path(lab.directory) / "ssh"
        directory.mkdir()
        key = directory / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        config = directory / "sshd_config"
        config.write_text(f"HostKey {key}\nPidFile {directory}/pid\nUsePAM no\nPort 22\n")
        os.makedirs("/run/sshd", exist_ok=True)
        self.process = lab.start(lab.gateway, "/usr/sbin/sshd", "-D", "-e", "-f", config,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: listens(lab, 22), 60, "sshd")

    @staticmethod
    def greeting(lab, source):
        """The first line that the server says to a client at this address, or "" if none."""
        dest = "fd00:77::1" if ":" in source else "10.77.0.1"
        done = lab.ns(lab.internet, "timeout", "3", "nc", "-w", "2", "-s", source, dest, "22", check=False)
        return done.out.splitlines()[0] if done.out else ""
