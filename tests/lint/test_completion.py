# SPDX-License-Identifier: GPL-2.0-only
"""What packaging/posternctl.bash offers: asked of bash itself, with posternctl and an agent that knows two lists."""
import json
import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", ROOT / "build")).resolve()
ANSWERS = {
    "status": {"interfaces": [{"iface": "eth7", "mode": "native"}],
               "lists": [{"list": "drop", "kind": "block"}, {"list": "partners", "kind": "allow"},
                         {"list": "$(touch x)", "kind": "block"}]},
    "limits.show": {"limits": [{"key": "rate-source", "value": 20}, {"key": "rate-net", "value": 100}]},
}
SCRIPT = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_posternctl
printf '%s\\n' "${COMPREPLY[@]}"
"""


def answer(connection):
    with connection, connection.makefile("rw") as stream:
        for line in stream:
            stream.write(json.dumps({"ok": True, "result": ANSWERS[json.loads(line)["cmd"]]}) + "\n")
            stream.flush()


def serve(listener):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        answer(connection)


@pytest.fixture
def agent(tmp_path):
    """The path of the socket of an agent."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield str(path)
        listener.shutdown(socket.SHUT_RDWR)


def offered(line, path="/nowhere", cwd=ROOT):
    """What is offered at the end of a line; a blank at its end begins a new word."""
    words = line.split(" ")
    env = {**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}", "POSTERN_SOCKET": path}
    done = subprocess.run(["bash", "-c", SCRIPT, "bash", str(ROOT / "packaging/posternctl.bash"), *words], env=env,
                          cwd=cwd, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return set(done.stdout.split())


@pytest.mark.parametrize("line, words", [
    ("posternctl s", {"status", "stats"}),
    ("posternctl block ", {"add", "del", "test", "show", "load", "clear"}),
    ("posternctl --json allow t", {"test"}),
    ("posternctl --list drop block s", {"show"}),
    ("posternctl limits ", {"show", "set"}),
    ("posternctl config ", {"check"}),
    ("posternctl check ", {"ip", "spf", "mx"}),
    ("posternctl check mx --d", {"--dns"}),
    ("posternctl check mx ", set()),
    ("posternctl check spf --h", {"--helo", "--help"}),
    ("posternctl check spf --from ", set()),
    ("posternctl --dns 127.0.0.1 check s", {"spf"}),
    ("posternctl monitor ", {"on", "off"}),
    ("posternctl help bl", {"block"}),
    ("posternctl help block cl", {"clear"}),
    ("posternctl status ", set()),
    ("posternctl block add 192.0.2.7 --a", {"--action"}),
    ("posternctl block add 192.0.2.7 --action ", {"drop", "reset", "refuse", "tarpit"}),
    ("posternctl block add --action = r", {"reset", "refuse"}),
    ("posternctl allow add --", {"--list", "--ttl", "--reason", "--json", "--socket", "--help"}),
    ("posternctl block load x --format rb", {"rbldnsd"}),
    ("posternctl attach eth0 --mode ", {"native", "generic"}),
    ("posternctl block add --reason ", set()),
    ("posternctl --v", {"--version"}),
    ("posternctl attach l", {"lo"}),
])
def test_words(line, words):
    assert offered(line) == words


@pytest.mark.parametrize("line, words", [
    ("posternctl block clear ", {"drop"}),
    ("posternctl allow clear ", {"partners"}),
    ("posternctl block load d", {"drop"}),
    ("posternctl block add 192.0.2.7 --list ", {"drop"}),
    ("posternctl allow show --list = ", {"partners"}),
    ("posternctl monitor on --list ", {"drop"}),
    ("posternctl detach ", {"eth7"}),
    ("posternctl limits set rate-n", {"rate-net"}),
    ("posternctl limits set rate-net d", {"default"}),
])
def test_what_the_agent_knows(line, words, agent):
    assert offered(line, agent) == words
    assert offered(line.replace("posternctl", f"posternctl --socket {agent}")) == words


def test_files(tmp_path):
    (tmp_path / "one.txt").touch()
    (tmp_path / "two.txt").touch()
    assert offered("posternctl block load drop o", cwd=tmp_path) == {"one.txt"}
    assert offered("posternctl config check ", cwd=tmp_path) == {"one.txt", "two.txt"}
    assert offered("posternctl --socket t", cwd=tmp_path) == {"two.txt"}


def options_of(command):
    """The options that the help of a command names."""
    text = subprocess.run([BUILD / "posternctl", "help", *command.split()], capture_output=True, text=True, check=True)
    section = text.stdout.split("\nOptions\n")[1].split("\n\n")[0]
    return {line.split()[0] for line in section.splitlines() if line.startswith("  --")}


@pytest.mark.parametrize("command", [
    "status", "stats", "top", "why", "attach", "detach", "monitor", "reload", "config check", "check spf", "check mx",
    "limits show", "limits set", *(f"{kind} {verb}" for kind in ("block", "allow")
                    for verb in ("add", "del", "test", "show", "load", "clear"))])
def test_options_are_those_of_the_help(command):
    assert offered(f"posternctl {command} --") == options_of(command)
