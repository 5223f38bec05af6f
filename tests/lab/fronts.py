# SPDX-License-Identifier: GPL-2.0-only
"""What mode proxy is measured against, and Postern itself: one class each, in front of the same smtp-sink.

    Front(bed)     starts it on 10.77.0.1:25
    process        whose CPU time and memory count, with all below it
    does           what it can be measured at; see PARTS of bench_front.py
"""
import itertools
import os
import pathlib
import re

import servers
import torturebed
from lab import GATEWAY4, wait_until

SINK = "127.0.0.1:2526"
AUTH_PORT = 2527
NUMBERS = itertools.count()
TICK = os.sysconf("SC_CLK_TCK")


def family(root):
    """A process and all below it."""
    parents = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue
        parents.setdefault(int(text.rsplit(") ", 1)[1].split()[1]), []).append(int(path.parent.name))
    found, new = [root], [root]
    while new:
        new = [child for parent in new for child in parents.get(parent, [])]
        found += new
    return found


def cpu(root):
    """Seconds of CPU of a process and all below it, those included that have ended."""
    total = 0
    for pid in family(root):
        try:
            words = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
        except OSError:
            continue
        total += sum(map(int, words[11:15]))
    return total / TICK


def pss(root):
    """KiB of memory that a process and all below it have, shared pages divided."""
    total = 0
    for pid in family(root):
        try:
            total += int(re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)[1])
        except OSError:
            continue
    return total


class Peer:
    name, does = "", ()
    held = 15000  # idle connections
    crowd, listed = 100, 20000  # listed clients at a time, and in all
    few = 500  # mails of which the time is taken

    def __init__(self, bed):
        self.bed, self.lab = bed, bed.lab
        self.directory = pathlib.Path(self.lab.directory) / f"{type(self).__name__.lower()}{next(NUMBERS)}"
        self.directory.mkdir()
        self.process = self.start()
        wait_until(lambda: servers.listens(self.lab, 25), 30, self.name)

    def run(self, *command):
        with open(self.directory / "start.log", "a") as log:
            return self.lab.start(self.lab.gateway, *command, stdout=log, stderr=log, start_new_session=True)

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        wait_until(lambda: not servers.listens(self.lab, 25), 20, f"the end of {self.name}")


class Direct(Peer):
    name, does = "smtp-sink alone", ("mail", "hold")

    def start(self):
        return self.run("/usr/sbin/smtp-sink", "-u", "postfix", "-c", "-m", "20000", f"inet:{GATEWAY4}:25", "1024")


class HaProxy(Peer):
    name = "HAProxy (TCP)"
    held = 9000  # each takes two descriptors, and a process is allowed 20,000 here
    CONF = """\
global
  maxconn 9500
  nbthread 2
defaults
  mode tcp
  timeout connect 5s
  timeout client 300s
  timeout server 300s
frontend smtp
  bind {host}:25
  default_backend sink
backend sink
  server sink {sink}
"""
    does = ("mail", "hold")

    def start(self):
        (self.directory / "conf").write_text(self.CONF.format(host=GATEWAY4, sink=SINK))
        return self.run("/usr/sbin/haproxy", "-db", "-f", self.directory / "conf")


class Nginx(Peer):
    """It gives out tickets, as by default and as Postern does: of TLS 1.3 two of them."""

    few = 20  # each takes it a fifth of a second
    name, does = "nginx (mail proxy)", ("mail", "starttls", "starttls-rsa", "hold", "hold-ehlo", "hold-tls", "slow")
    CONF = """\
load_module /usr/lib/nginx/modules/ngx_mail_module.so;
user nobody nogroup;
daemon off;
worker_processes 2;
worker_rlimit_nofile 40000;
pid {directory}/pid;
error_log {directory}/error.log crit;
events {{ worker_connections 20000; }}
http {{
  access_log off;
  client_body_temp_path {directory}/b; proxy_temp_path {directory}/p; fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
  server {{
    listen 127.0.0.1:{port};
    location / {{ add_header Auth-Status OK; add_header Auth-Server 127.0.0.1; add_header Auth-Port 2526; return 200; }}
  }}
}}
mail {{
  server_name mx.own.example;
  auth_http 127.0.0.1:{port}/auth;
  xclient off;
  smtp_capabilities "8BITMIME" "SIZE 52428800";
  server {{ listen {host}:25; protocol smtp; smtp_auth none; starttls on; smtp_greeting_delay 0;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate {chain}; ssl_certificate_key {key}; ssl_session_cache off; }}
}}
"""

    def start(self):
        (self.directory / "conf").write_text(self.CONF.format(directory=self.directory, host=GATEWAY4, port=AUTH_PORT, chain=self.bed.chain, key=self.bed.key))
        return self.run("/usr/sbin/nginx", "-c", self.directory / "conf")


class Postfix(Peer):
    """Settings go on top of servers.MAIN_CF."""
    name, does = "Postfix smtpd, before queue", ("mail", "connect", "starttls", "starttls-rsa")
    listener = "smtp inet n - n - 200 smtpd\n  -o smtpd_proxy_filter=127.0.0.1:2526\n  -o smtpd_proxy_options=\n"
    settings = {}

    def start(self):
        more = {"inet_interfaces": GATEWAY4, "inet_protocols": "ipv4", "relay_domains": torturebed.OWN, "default_process_limit": 200,
                "smtpd_client_restrictions": "reject_rbl_client bl.test", "smtpd_delay_reject": "no", "smtpd_client_connection_rate_limit": 0,
                "smtpd_tls_chain_files": f"{self.bed.key} {self.bed.chain}", "smtpd_tls_security_level": "may", "anvil_rate_time_unit": "1h",
                "relay_transport": f"smtp:[{SINK.split(':')[0]}]:2526", "smtpd_error_sleep_time": 0, **self.settings}
        return servers.Postfix(self.lab, name=f"{self.directory.name}/postfix", settings=more, within=self.resolver(),
                               listener=self.listener).process

    def resolver(self):
        """A command that runs others with the lab's resolver as the system's."""
        conf = self.directory / "resolv.conf"
        conf.write_text("nameserver 127.0.0.1\n")
        return "unshare", "--mount", "sh", "-c", f'mount --bind {conf} /etc/resolv.conf && exec "$@"', "sh"


class PostfixQueue(Postfix):
    name, does = "Postfix with a queue", ("mail",)
    listener = "smtp inet n - n - 200 smtpd\n"


class Postscreen(Postfix):
    name, does = "postscreen", ("connect", "hold")
    crowd, listed = 200, 2000  # it keeps each waiting for a second
    listener = ("smtp inet n - n - 1 postscreen\nsmtpd pass - - n - 200 smtpd\n  -o smtpd_proxy_filter=127.0.0.1:2526\n"
                "dnsblog unix - - n - 0 dnsblog\ntlsproxy unix - - n - 0 tlsproxy\n")
    settings = {"postscreen_dnsbl_sites": "bl.test", "postscreen_dnsbl_action": "drop", "postscreen_pipelining_enable": "yes", "postscreen_greet_action": "ignore", "postscreen_greet_wait": "1s",
                "postscreen_pre_queue_limit": 20000, "postscreen_post_queue_limit": 20000, "postscreen_client_connection_count_limit": 20000,
                "postscreen_cache_map": "", "smtpd_client_restrictions": ""}


class Postern(Peer):
    name, does = "Postern", ("connect", "mail", "starttls", "starttls-rsa", "hold", "hold-ehlo", "hold-tls", "slow")
    # What is found out holds as long as by default, and not for the second that other tests of the lab want.
    holds = {"dns": {"ttl-min": 10, "ttl-negative": 900}, "guard": {"ttl-min": 60, "ttl-max": 3600}}

    def start(self):
        self.bed.front.start(smtp={"backends": [SINK], "connections-max": 40000, "workers": 2},
                             dnsbl={"zones": ["bl.test*100"]}, check={"score": "reject"}, **self.holds)
        return self.lab.posternd

    def close(self):
        self.bed.front.end()


FRONTS = [Direct, HaProxy, Nginx, Postfix, PostfixQueue, Postscreen, Postern]
