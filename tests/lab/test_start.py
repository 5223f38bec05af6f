# SPDX-License-Identifier: GPL-2.0-only
"""Starts that cannot succeed: one clear error, exit status 1, and whatever filtered before goes on filtering."""
import json
import os
import pathlib

import pytest

from lab import BUILD, NO_LIMITS, Lab, wait_until

LISTED = "203.0.113.66"
AGENT = 65534


def start(lab, path):
    """A start that ends by itself; the last line that it says, and how many of its lines are errors."""
    done = lab.ns(lab.gateway, BUILD / "posternd", "-c", path, check=False, timeout=20)
    assert done.rc == 1 and not done.out, done
    lines = [json.loads(line) if line.startswith("{") else {"level": "error", "error": line}
             for line in done.err.splitlines()]
    errors = [line for line in lines if line["level"] in ("warning", "error")]
    assert len(errors) == 1 and errors[0] is lines[-1], done
    return errors[0]["error"]


@pytest.fixture(scope="module")
def filtering():
    """
    A lab in which an agent has attached, listed an address and ended: the kernel filters alone. All tests that use it
    are about starts that change nothing, so it is the same lab for all of them.
    """
    with Lab("filtering") as made:
        made.listen()
        made.ns(made.gateway, "ip", "link", "add", "br9", "type", "bridge")
        made.start_posternd(limits=NO_LIMITS)
        made.ctl("block", "add", LISTED)
        made.stop_posternd()
        yield made


@pytest.mark.parametrize("overrides, words", [
    ({"interfaces": ["g0", "nosuch0"]}, ["nosuch0"]),
    ({"interfaces": ["br9"], "attach-mode": "native"}, ["br9", "native"]),
    ({"user": "nosuchuser"}, ["nosuchuser", "useradd"]),
    ({"state-directory": "/etc/passwd/state"}, ["/etc/passwd/state"]),
    ({"pin-directory": "/tmp"}, ["/tmp", "BPF file system"]),
    ({"control": {"socket": "/nonexistent/a/control.sock"}}, ["/nonexistent/a"]),
    ({"control": {"socket": "/etc/passwd"}}, ["/etc/passwd", "left alone"]),
    ({"control": {"socket": "/tmp/x", "group": "nosuchgroup"}}, ["nosuchgroup"]),
    ({"metrics": {"listen": "127.0.0.1:25"}}, ["127.0.0.1", "25", "in use"]),
    ({"limits": {"rate-source": 500, "rate-net": 100}}, ["postern.yaml:", "rate-source", "rate-net"]),
    ({"limits": {"rate-source": 0, "burst-source": 9}}, ["postern.yaml:", "burst-source", "rate-source"]),
    ({"ports": []}, ["postern.yaml:", "ports"]), ({"ports": [25, 25]}, ["postern.yaml:", "25"]),
    ({"log": {"level": "loud"}}, ["postern.yaml:", "loud"])])
def test_one_clear_error_and_the_filter_goes_on(filtering, overrides, words):
    knocking = filtering.probe(LISTED, rate=500, seconds=0.7, least=51)  # before, during and after the start
    said = start(filtering, filtering.write_config(**overrides))
    for word in words:
        assert word in said
    assert filtering.connect("198.51.100.9") == "open"
    report = knocking.result()
    assert report["sent"] > 50 and report["synack"] == report["rst"] == 0


@pytest.mark.parametrize("overrides", [
    {"monitor": True}, {"ports": [2525]}, {"limits": {"rate-source": 1, "burst-source": 1}},
    {"limits": {"conn-source": 1}}])
@pytest.mark.parametrize("wrong", [{"interfaces": ["g0", "g1", "nosuch0"]}, {"metrics": {"listen": "127.0.0.1:25"}}])
def test_a_configuration_that_fails_late_is_not_in_force(filtering, no_limits, overrides, wrong):
    """The kernel filters without an agent: a refused start must not leave it with the refused settings."""
    said = start(filtering, filtering.write_config(**{"limits": no_limits, **overrides, **wrong}))
    assert "nosuch0" in said or "in use" in said
    assert filtering.connect(LISTED) == "timeout"
    assert [filtering.connect("198.51.100.9") for _ in range(4)] == ["open"] * 4
    held = filtering.hold("198.51.100.9")
    established = lambda: "198.51.100.9" in filtering.ns(filtering.gateway, "ss", "-Htn", "state", "established").out
    wait_until(established, 5, "a connection")
    assert filtering.connect("198.51.100.9") == "open"
    held.terminate()
    wait_until(lambda: not established(), 5, "its end")


def test_a_state_directory_that_is_somebody_elses(filtering):
    """It stays as it is, with what is in it: it may be anything, such as another program's."""
    place = filtering.directory / "of root"
    place.mkdir(mode=0o755)
    (place / "file").write_text("root's")
    said = start(filtering, filtering.write_config(**{"state-directory": str(place)}))
    assert said.startswith(f"state-directory: {place} was there and is not user nobody's: ")
    assert [path.name for path in place.iterdir()] == ["file"]
    assert [os.stat(path).st_uid for path in (place, place / "file")] == [0, 0]


def test_in_a_state_directory_only_the_agents_files_become_his(fresh, no_limits):
    place = fresh.directory / "state"
    place.mkdir(mode=0o700)
    os.chown(place, AGENT, 0)
    for name in ("file", "lock"):  # a lock that root has brought back from a backup, say
        (place / name).write_text("")
    fresh.start_posternd(limits=no_limits)
    owners = {path.name: os.stat(path).st_uid for path in place.iterdir()}
    assert owners == {"file": 0, "lock": AGENT, "data.mdb": AGENT, "lock.mdb": AGENT}


def test_the_default_state_directory_is_the_agents(fresh, no_limits):
    """systemd makes it as root's."""
    within = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /var/lib && mkdir /var/lib/postern && exec "$@"', "sh")
    agent = fresh.start_posternd(within=within, limits=no_limits, **{"state-directory": "/var/lib/postern"})
    place = pathlib.Path(f"/proc/{agent.pid}/root/var/lib/postern")
    assert os.stat(place).st_uid == AGENT and (place / "data.mdb").exists()


@pytest.mark.parametrize("kind", ["directory", "binary", "cut short"])
def test_a_configuration_that_cannot_be_read(fresh, kind):
    path = fresh.directory / "bad.yaml"
    if kind == "directory":
        path.mkdir()
    else:
        path.write_bytes(bytes(range(256)) if kind == "binary" else b"limits: {rate-source: 5")
    said = start(fresh, path)
    assert str(path) in said
    assert not pathlib.Path(fresh.pins).exists()


def test_a_configuration_that_the_user_may_not_read(fresh):
    path = fresh.write_config()
    path.chmod(0o600)
    done = fresh.ns(fresh.gateway, "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                    BUILD / "posternd", "-c", path, "--check", check=False)
    assert done.rc == 1 and done.err.count("\n") == 1 and str(path) in done.err and "denied" in done.err


def test_guard_mode_from_which_nothing_can_come_is_told(fresh, no_limits):
    fresh.start_posternd(limits=no_limits, mode="guard", interfaces=[])
    wait_until(lambda: len(fresh.log("config.doubtful")) == 2, 5, "two warnings")
    said = fresh.ctl("status").out
    assert "without dnsbl.zones" in said and "without an interface" in said
    done = fresh.ns(fresh.gateway, BUILD / "posternd", "-c", fresh.directory / "postern.yaml", "--check")
    assert done.out.endswith(": valid\n") and done.err.count(": warning: mode guard without") == 2
    fresh.ctl("attach", "g0")
    assert "without an interface" not in fresh.ctl("status").out


def test_without_native_mode_generic_is_used_and_said_aloud(fresh, no_limits):
    fresh.ns(fresh.gateway, "ip", "link", "add", "br9", "type", "bridge")
    fresh.start_posternd(limits=no_limits, interfaces=["br9"])
    said = wait_until(lambda: fresh.log("interface.attached"), 5, "a word about the interface")[0]["detail"]
    assert "br9" in said and "generic" in said and "slower" in said
