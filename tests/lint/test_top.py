# SPDX-License-Identifier: GPL-2.0-only
"""The live view of posternctl top on a terminal of its own: what it shows, its keys, and how it gives the terminal back."""
import fcntl
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import termios
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", ROOT / "build")).resolve()
SECONDS = 10
STATUS = {"monitor": False, "uptime": 90, "interfaces": [{"iface": "eth7", "mode": "native"}]}
ENTER, LEAVE = "\033[?1049h", "\033[?1049l"


class Agent:
    """Answers top and status with totals that grow, until it is told to hang up."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.packets, self.hang_up = 0, False
        threading.Thread(target=self.serve, daemon=True).start()

    def top(self):
        self.packets += 5000
        reason = {"reason": "listed", "kind": "stop", "family": "ipv4", "outcome": "enforced", "packets": self.packets}
        offender = {"source": "192.0.2.77", "hits": self.packets, "reason": "listed", "list": "droplist",
                    "outcome": "enforced", "age_ms": 0}
        return {"time_ns": time.monotonic_ns(), "reasons": [reason], "offenders": [offender], "connections": 1234}

    def serve(self):
        connection, _ = self.listener.accept()
        with connection, connection.makefile("rw") as stream:
            for line in stream:
                if self.hang_up:
                    return
                answer = self.top() if json.loads(line)["cmd"] == "top" else STATUS
                stream.write(json.dumps({"ok": True, "result": answer}) + "\n")
                stream.flush()


class Terminal:
    """posternctl top on a pseudo-terminal of 24 lines and 80 columns."""

    def __init__(self, path, **env):
        self.master, self.slave = pty.openpty()
        self.resize(24, 80)
        self.before = termios.tcgetattr(self.slave)
        self.seen = self.all = ""
        self.process = subprocess.Popen([BUILD / "posternctl", "top"], stdin=self.slave, stdout=self.slave,
                                        stderr=subprocess.PIPE, text=True, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
                                        env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8",
                                             "POSTERN_SOCKET": path, **env})

    def resize(self, lines, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self):
        if select.select([self.master], [], [], 0.1)[0]:
            text = os.read(self.master, 65536).decode(errors="replace")
            self.seen += text
            self.all += text

    def wait_for(self, text):
        """Reads on until the text has been drawn."""
        end = time.monotonic() + SECONDS
        while text not in self.seen:
            assert time.monotonic() < end, f"{text!r} is not in {self.seen!r}"
            self.read()
        self.seen = self.seen.split(text, 1)[1]

    def type(self, keys):
        os.write(self.master, keys.encode())

    def end(self):
        """Waits for the end: (exit status, standard error). The terminal has to be as it was."""
        end = time.monotonic() + SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < end
            self.read()
        self.wait_for(LEAVE)
        assert termios.tcgetattr(self.slave) == self.before
        return self.process.returncode, self.process.stderr.read()

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def agent(tmp_path):
    return Agent(str(tmp_path / "socket"))


@pytest.fixture
def terminal(agent, tmp_path):
    opened = Terminal(str(tmp_path / "socket"))
    opened.wait_for(ENTER)
    yield opened
    opened.close()


def test_what_is_shown(terminal):
    for text in ("eth7 native", "ENFORCING", "stopped/s", "1,234 connections open", "listed", "192.0.2.77",
                 "listed: droplist"):
        terminal.wait_for(text)


def test_keys(terminal):
    terminal.type("s")
    terminal.wait_for("rate")
    terminal.type("m")
    terminal.wait_for("hidden")
    terminal.type("p")
    terminal.wait_for("PAUSED")
    terminal.type("?")
    terminal.wait_for("sort the sources by hits")
    terminal.type("xq")
    assert terminal.end() == (0, "")


def test_resize(terminal):
    terminal.wait_for("192.0.2.77")
    terminal.resize(10, 40)
    terminal.process.send_signal(signal.SIGWINCH)
    terminal.wait_for("too small")
    terminal.resize(40, 120)
    terminal.process.send_signal(signal.SIGWINCH)
    terminal.wait_for("192.0.2.77")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals(terminal, number):
    terminal.wait_for("192.0.2.77")
    terminal.process.send_signal(number)
    assert terminal.end() == (0, "")


def test_the_agent_goes_away(terminal, agent):
    terminal.wait_for("192.0.2.77")
    agent.hang_up = True
    assert terminal.end() == (3, "posternctl: the agent closed the connection before it had answered\n")


@pytest.mark.parametrize("value, coloured", [("1", False), ("", True)])
def test_no_color(agent, tmp_path, value, coloured):
    terminal = Terminal(str(tmp_path / "socket"), NO_COLOR=value)
    terminal.wait_for("192.0.2.77")
    assert ("\033[31m" in terminal.all) == coloured
    terminal.close()


def test_no_screen_without_an_agent(tmp_path):
    terminal = Terminal(str(tmp_path / "socket"))
    assert terminal.process.wait(SECONDS) == 3
    terminal.read()
    assert ENTER not in terminal.seen
    terminal.close()
