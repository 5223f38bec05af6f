# SPDX-License-Identifier: GPL-2.0-only
"""The torture suite (tests/torture) in the lab: a sink behind the server that is tested, and servers to compare with.

    internet   the suite, from addresses of SOURCES
    gateway    the server on port 25 (and 587, 465), which hands mail for own.example on to the sink at 127.0.0.1:2525
"""
import base64
import hashlib
import hmac
import json
import os
import pathlib
import sys

import senders
import servers
from lab import BUILD, GATEWAY4, run, wait_until

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from torture import sink  # noqa: E402

OWN, USER = "own.example", "user@own.example"
SINK_PORT = 2525
LOGIN, PASSWORD = "user", "secret word"
SOURCES = "198.51.100.128/25"
USER_SOURCE = "192.0.2.200"
# The suite's options for a server that has a port for submission.
AUTH = ["--submission", "587", "--user", LOGIN, "--password", PASSWORD, "--user-sender", USER, "--user-source", USER_SOURCE]
FIGURES = BUILD / "torture"


def certificate(directory, names=("mx.own.example",), kind="ec", name="mx"):
    """A CA and a certificate that it has signed: (chain with the certificate first, key, CA)."""
    directory = pathlib.Path(directory)
    ca, ca_key = directory / "ca.pem", directory / "ca.key"
    key_options = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}
    if not ca.exists():
        run("openssl", "req", "-x509", "-newkey", *key_options["ec"], "-nodes", "-days", 3650, "-subj", "/CN=Lab CA", "-keyout", ca_key,
            "-out", ca, "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    key, request, chain, more = (directory / f"{name}.{end}" for end in ("key", "csr", "pem", "ext"))
    run("openssl", "req", "-newkey", *key_options[kind], "-nodes", "-subj", f"/CN={names[0]}", "-keyout", key, "-out", request)
    more.write_text(f"subjectAltName={','.join(f'DNS:{each}' for each in names)}\nextendedKeyUsage=serverAuth\n"
                    "keyUsage=critical,digitalSignature\nbasicConstraints=critical,CA:FALSE\n"
                    "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    run("openssl", "x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", 90, "-extfile", more, "-out", chain)
    chain.write_text(chain.read_text() + ca.read_text())
    for path in (key, chain):
        path.chmod(0o644)  # it is the lab's; servers read it as themselves
    return chain, key, ca


def argon2(password):
    """A password as a file of accounts has it for PLAIN and LOGIN (RFC 9106)."""
    return run("argon2", "saltofthelab", "-id", "-t", 2, "-m", 16, "-p", 1, "-e", input=password).out.strip()


def scram(password, salt=b"salt of the lab", turns=4096):
    """The same for SCRAM-SHA-256 (RFC 5803)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, turns)
    mac = lambda text: hmac.new(salted, text, hashlib.sha256).digest()
    parts = [salt, hashlib.sha256(mac(b"Client Key")).digest(), mac(b"Server Key")]
    return ",".join([f"{{SCRAM-SHA-256}}{turns}", *(base64.b64encode(part).decode() for part in parts)])


class Sink:
    """A sink in the gateway; see tests/torture/sink.py."""

    def __init__(self, lab, port=SINK_PORT, host="127.0.0.1", name="sink"):
        self.lab, self.place = lab, f"{host}:{port}"
        self.path = pathlib.Path(lab.directory) / f"{name}.jsonl"
        self.path.touch()
        self.start()

    def start(self):
        self.process = self.lab.start(self.lab.gateway, "/usr/bin/python3", TESTS / "torture/sink.py", self.path, self.place)
        wait_until(lambda: f"{self.place} " in self.lab.ns(self.lab.gateway, "ss", "-Hltn").out, 10, "the sink")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def messages(self):
        return sink.messages(self.path)


def postfix(lab, hardened=False):
    chain, key, _ = certificate(lab.directory)
    settings = {
        "relay_domains": OWN, "relay_transport": f"smtp:[127.0.0.1]:{SINK_PORT}", "smtpd_tls_chain_files": f"{key} {chain}",
        "smtpd_tls_security_level": "may", "smtp_tls_security_level": "none", "smtp_host_lookup": "native",
        "message_size_limit": 52428800, "smtputf8_enable": "yes", "smtpd_client_message_rate_limit": 0,
        "minimal_backoff_time": "2s", "queue_run_delay": "2s",
    }
    if hardened:
        settings |= {"smtpd_forbid_bare_newline": "yes", "smtpd_forbid_unauth_pipelining": "yes", "strict_rfc821_envelopes": "yes",
                     "disable_vrfy_command": "yes"}
    return servers.Postfix(lab, settings=settings)


EXIM_CONF = """\
primary_hostname = mx.own.example
domainlist own = {own}
exim_path = {program}
spool_directory = {directory}/spool
log_file_path = {directory}/%slog
pid_file_path = {directory}/pid
exim_user = nobody
exim_group = nogroup
keep_environment =
daemon_smtp_ports = 25 : 587
tls_advertise_hosts = *
tls_certificate = {chain}
tls_privatekey = {key}
chunking_advertise_hosts = *
auth_advertise_hosts = ${{if and{{{{eq{{$received_port}}{{587}}}}{{def:tls_in_cipher}}}}{{*}}{{}}}}
smtp_accept_max = 2000
smtp_accept_queue_per_connection = 0
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
begin acl
mail:
  deny condition = ${{if eq{{$received_port}}{{587}}}}
       !authenticated = *
       message = 5.7.0 authentication required
  accept
rcpt:
  accept authenticated = *
  require domains = +own
  accept
begin routers
own:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = sink
begin transports
sink:
  driver = smtp
  port = {port}
  hosts_avoid_tls = *
begin retry
* * F,1m,1s
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username: : Password:
  server_condition = ${{if and{{{{eq{{$auth1}}{{{user}}}}}{{eq{{$auth2}}{{{password}}}}}}}}}
  server_set_id = $auth1
"""


class Exim:
    """`conf`: another configuration, in which these names are filled in; `host`: where it listens by that."""

    def __init__(self, lab, conf=EXIM_CONF, host=""):
        self.directory = pathlib.Path(lab.directory) / "exim-server"
        (self.directory / "spool").mkdir(parents=True)
        chain, key, _ = certificate(lab.directory)
        for path in (self.directory, self.directory / "spool"):
            os.chown(path, 65534, 65534)
        for name, text in {"passwd": senders.EXIM_USERS, "group": senders.EXIM_GROUPS}.items():
            (self.directory / name).write_text(text)
        program = senders.EXIM.resolve()
        path = self.directory / "exim.conf"
        path.write_text(conf.format(own=OWN, program=program, directory=self.directory, chain=chain, key=key, port=SINK_PORT, user=LOGIN,
                                    password=PASSWORD, host=host))
        mounts = " && ".join(f"mount --bind {self.directory}/{name} /etc/{name}" for name in ("passwd", "group"))
        with open(self.directory / "start.log", "w") as log:
            self.process = lab.start(lab.gateway, "unshare", "--mount", "sh", "-c", f"{mounts} && exec {program} -C {path} -bdf", stdout=log,
                                     stderr=log)
        wait_until(lambda: f"{host}:25 " in lab.ns(lab.gateway, "ss", "-Hltn").out, 20, "Exim")


def suite(lab, name, *more, host=GATEWAY4, port=25, log=None, patience=5, script="torture.py", timeout=300):
    """Runs the suite from the internet; its rows, which are also left in build/torture/NAME.json."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    path = FIGURES / f"{name}.json"
    path.unlink(missing_ok=True)
    words = ["--sink", log, "--patience", patience] if log else []
    done = lab.ns(lab.internet, "/usr/bin/python3", TESTS / "torture" / script, host, port, "--json", path, "--domain", OWN, "--rcpt", USER,
                  "--sources", SOURCES, *words, *more, check=False, timeout=timeout)
    if not path.exists():
        raise RuntimeError(f"the suite ended: {done}")
    return json.loads(path.read_text())
