# SPDX-License-Identifier: GPL-2.0-only
"""The systemd unit gives the agent the capabilities that it needs, in mode proxy, which needs the most, and none more."""
import os
import pathlib
import re
import subprocess
import tempfile

import pytest

import torturebed
from lab import BUILD

UNIT = pathlib.Path(__file__).resolve().parents[2] / "packaging/postern.service.in"
START_SECONDS = 20


def bounding_set():
    """What the unit allows, as setpriv names it."""
    lines = re.findall(r"^CapabilityBoundingSet=(.*)$", UNIT.read_text(), re.M)
    return [name.removeprefix("CAP_").lower() for line in lines for name in line.split()]


@pytest.fixture(scope="module")
def config():
    """
    A small agent on the loopback interface of a namespace of its own, which takes mail on all three ports, with a key
    that nobody but its user may read. The directories of pytest are root's alone.
    """
    place = pathlib.Path(tempfile.mkdtemp(prefix="postern-service-"))
    place.chmod(0o755)
    pins = f"/sys/fs/bpf/{place.name}-{place.stat().st_ino}"
    chain, key, _ = torturebed.certificate(place)
    os.chown(key, 65534, 65534)
    key.chmod(0o400)
    (place / "postern.yaml").write_text(
        f"mode: proxy\nsmtp:\n  listen: [25, 465, 587]\n  domains: [own.example]\n  backends: [\"127.0.0.1:2525\"]\n"
        f"tls:\n  certificates: [\"{chain} {key}\"]\nuser: nobody\nstate-directory: {place}/state\npin-directory: {pins}\ninterfaces: [lo]\n"
        f"table:\n  capacity-ipv4: 1000\n  capacity-ipv6: 1000\n  sources: 4096\n"
        f"metrics:\n  listen: \"off\"\ncontrol:\n  socket: {place}/run/control.sock\n")
    yield place / "postern.yaml"
    subprocess.run(["rm", "-rf", pins, place], check=True)


def starts(config, capabilities):
    """Whether the agent becomes ready with these capabilities; it is ended again."""
    bounds = ",".join(["-all", *(f"+{name}" for name in capabilities)])
    agent = subprocess.Popen(
        ["timeout", str(START_SECONDS), "unshare", "--net", "setpriv", "--no-new-privs", "--inh-caps=-all",
         f"--bounding-set={bounds}", BUILD / "posternd", "-c", config],
        stderr=subprocess.PIPE, text=True)
    ready = any('"agent.ready"' in line for line in agent.stderr)
    agent.terminate()
    agent.communicate()
    return ready


def test_they_are_enough(config):
    assert starts(config, bounding_set())
    assert starts(config, bounding_set())  # from the state that the first one left


@pytest.mark.parametrize("name", bounding_set())
def test_each_is_needed(config, name):
    assert not starts(config, [other for other in bounding_set() if other != name])
