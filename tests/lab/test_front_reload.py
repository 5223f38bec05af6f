# SPDX-License-Identifier: GPL-2.0-only
"""Mode proxy: what a reload says is in effect is, and what it refuses has changed nothing."""
import shutil
import time

import pytest

import guardbed
from frontbed import BACKENDS, SMTP, Front, dialogue
from lab import Lab

SOURCE = "203.0.113.91"
VERIFIED = [f"{BACKENDS[1]}:25 verify=backend.test"]


@pytest.fixture(scope="module")
def front():
    with Lab("frontreload") as lab:
        made = Front(lab, backends="sink")
        made.start()
        yield made


def servers(front):
    return [row["name"] for row in front.lab.ctl("status", "--json").json["smtp"]["backends"]]


def takes(front, domain):
    """Whether mail for the domain is taken."""
    return not dialogue(front, SOURCE, "MAIL FROM:<>", f"RCPT TO:<somebody@{domain}>")[-1].startswith("550 5.7.1")


def reload(front, **smtp):
    front.lab.write_config(**front.settings(smtp=smtp))
    done = front.lab.ctl("reload", check=False)
    time.sleep(guardbed.RELOAD_SECONDS)
    return done


@pytest.mark.parametrize("octets, why", [(None, "No such file or directory"), ("nonsense\n", "")])
def test_authorities_that_cannot_be_read(front, octets, why):
    """The reload is refused whole, and one with the file in place is in effect."""
    assert reload(front).rc == 0
    before, authorities = servers(front), front.lab.directory / "authorities.pem"
    wanted = {"backends": VERIFIED, "backend-ca": str(authorities), "domains": SMTP["domains"] + ["new.example"]}
    if octets is None:
        authorities.unlink(missing_ok=True)
    else:
        authorities.write_text(octets)
    refused = reload(front, **wanted)
    assert refused.rc == 4 and not refused.out and refused.err.count("\n") == 1, refused
    assert f"smtp.backend-ca: {authorities}: {why}" in refused.err
    assert servers(front) == before == [f"{host}:25" for host in BACKENDS]
    assert not takes(front, "new.example")
    shutil.copyfile(front.ca, authorities)
    done = reload(front, **wanted)
    assert done.rc == 0 and "in effect now: " in done.out and "smtp.backends" in done.out, done
    assert servers(front) == [f"{BACKENDS[1]}:25"] and takes(front, "new.example")
    assert "config.refused" not in front.lab.log_path.read_text()


def test_what_is_read_again_is_said(front):
    assert reload(front).rc == 0
    assert reload(front).out == "no option has changed\ncertificates, CAs, users and recipients were read again\n"


@pytest.mark.parametrize("mode", ["filter", "guard"])
def test_a_file_of_another_mode(front, mode):
    """It needs neither domains nor backends, and a front that took it would refuse all mail for good."""
    assert reload(front).rc == 0
    front.lab.write_config(**{**front.settings(smtp={"domains": [], "backends": []}), "mode": mode})
    refused = front.lab.ctl("reload", check=False)
    time.sleep(guardbed.RELOAD_SECONDS)
    assert refused.rc == 4 and not refused.out and refused.err.count("\n") == 1 and ": mode is not proxy there" in refused.err, refused
    assert takes(front, SMTP["domains"][0]) and servers(front) == [f"{host}:25" for host in BACKENDS]
    assert reload(front).out.startswith("no option has changed")
