# SPDX-License-Identifier: GPL-2.0-only
"""Mode proxy: whose the spool's directory is, and backends that are the agent itself, at a start and at a reload."""
import os
import re

import pytest

from frontbed import BACKENDS, Front
from lab import BUILD, GATEWAY4, GATEWAY6, Lab

ROOT, AGENT = 0, 65534
EVERYWHERE = {"listen": [25], "backends": [f"{BACKENDS[0]}:2525"]}


@pytest.fixture(scope="module")
def front():
    with Lab("frontstart") as lab:
        yield Front(lab, backends="none")


@pytest.fixture
def spool(front):
    """A directory of root's with a file of root's in it."""
    made = front.lab.directory / f"spool{len(list(front.lab.directory.glob('spool*')))}"
    made.mkdir()
    (made / "root").write_text("root's")
    return made


def refused(front, **smtp):
    """The one line of a start that ends by itself."""
    path = front.lab.write_config(**front.settings(smtp=smtp))
    done = front.lab.ns(front.lab.gateway, BUILD / "posternd", "-c", path, check=False, timeout=20)
    errors = [line for line in done.err.splitlines() if not line.startswith("{") or '"level":"error"' in line]
    assert done.rc == 1 and not done.out and len(errors) == 1, done
    return errors[0]


def run(front, **smtp):
    """A start that succeeds, and its end."""
    front.lab.start_posternd(**front.settings(smtp=smtp))
    front.lab.stop_posternd()


def owners(directory):
    return [os.stat(path).st_uid for path in (directory, directory / "root")]


def test_a_spool_that_the_agent_cannot_write(front, spool):
    said = refused(front, spool=str(spool))
    assert f"smtp.spool: user nobody cannot write there: {spool}: Permission denied" in said
    assert owners(spool) == [ROOT, ROOT]


def test_a_spool_that_was_there_keeps_its_owner(front, spool):
    spool.chmod(0o1777)
    run(front, spool=str(spool))
    assert owners(spool) == [ROOT, ROOT] and [path.name for path in spool.iterdir()] == ["root"]


def test_a_spool_that_the_agent_makes_is_its_own(front):
    spool = front.lab.directory / "made"
    for _ in range(2):
        run(front, spool=str(spool))
        assert os.stat(spool).st_uid == AGENT and os.stat(spool).st_mode & 0o777 == 0o700


def test_the_spool_of_the_state_directory_is_the_agents(front):
    spool = front.lab.directory / "state" / "spool"
    spool.mkdir(parents=True, exist_ok=True)
    os.chown(spool, ROOT, ROOT)
    run(front)
    assert os.stat(spool).st_uid == AGENT


@pytest.mark.parametrize("address", [GATEWAY4, GATEWAY6])
def test_a_backend_that_is_the_agent(front, address):
    """Also while a reload would have it listen elsewhere: it does so only after a restart. Both checks say it before anything runs."""
    backend = f"[{address}]:25" if ":" in address else f"{address}:25"
    words = f"smtp.backends: {address} port 25 is this machine's own, and smtp.listen takes mail there: a loop"
    loop = {**EVERYWHERE, "backends": [backend]}
    assert words in refused(front, **loop)
    for command in ((BUILD / "posternctl", "config", "check"), (BUILD / "posternd", "--check", "-c")):
        checked = front.lab.ns(front.lab.gateway, *command, front.lab.write_config(**front.settings(smtp=loop)), check=False)
        assert checked.rc == {"posternctl": 4, "posternd": 1}[command[0].name] and not checked.out, checked
        assert re.fullmatch(rf"{command[0].name}: {re.escape(str(front.lab.directory))}/postern.yaml:\d+: {re.escape(words)}\n", checked.err), checked
    front.lab.start_posternd(**front.settings(smtp=EVERYWHERE))
    for listen in ([25], ["2526 mx"]):
        front.lab.write_config(**front.settings(smtp={"listen": listen, "backends": [backend]}))
        done = front.lab.ctl("reload", check=False)
        assert done.rc == 4 and words in done.err and done.err.count("\n") == 1, done
    front.lab.stop_posternd()
