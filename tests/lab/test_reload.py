# SPDX-License-Identifier: GPL-2.0-only
"""`posternctl reload`: interfaces, ports and monitor mode on a running agent, and files that it refuses."""
import json

import pytest

from lab import wait_until

LISTED, GOOD = "203.0.113.66", "198.51.100.9"


@pytest.fixture
def running(fresh, no_limits):
    """An agent on g0, a listed address, and listeners on a protected and on another port."""
    for port in (25, 2525):
        fresh.listen(port)
    fresh.start_posternd(limits=no_limits, interfaces=["g0"])
    fresh.ctl("block", "add", LISTED)
    wait_until(lambda: fresh.connect(GOOD, 2525) == fresh.connect(GOOD) == "open", 5, "the listeners")
    return fresh


def everything(lab):
    status = lab.ctl("status", "--json").json
    return (lab.ctl("block", "show", "--json").out, lab.ctl("limits", "show", "--json").out, status["interfaces"],
            status["monitor"], status["ports"])


def reload(lab, **overrides):
    lab.write_config(**{"limits": lab.config["limits"], "interfaces": ["g0"], **overrides})
    return lab.ctl("reload", "--json").json


def test_ports(running):
    assert running.connect(LISTED, 2525) == "open"
    assert reload(running, ports=[2525])["applied"] == ["ports"]
    assert running.connect(LISTED, 2525) == "timeout" and running.connect(LISTED, 25) == "open"
    assert running.connect(GOOD, 2525) == "open"


def test_interfaces(running):
    names = lambda: {row["iface"] for row in running.ctl("status", "--json").json["interfaces"]}
    assert reload(running, interfaces=["g0", "g1"])["applied"] == ["interfaces"] and names() == {"g0", "g1"}
    assert reload(running, interfaces=["g1"])["applied"] == ["interfaces"] and names() == {"g1"}
    assert "xdp" not in json.loads(running.ns(running.gateway, "ip", "-j", "link", "show", "g0").out)[0]
    assert running.connect(LISTED) == "open"


def test_monitor_mode(running):
    assert reload(running, monitor=True)["applied"] == ["monitor"]
    assert running.connect(LISTED) == "open" and running.packets("listed", "monitored") > 0
    assert reload(running)["applied"] == ["monitor"]
    assert running.connect(LISTED) == "timeout"


def test_nothing_new(running):
    assert running.ctl("reload", "--json").json["unchanged"] is True


def test_what_the_operator_set_stays(running):
    running.ctl("limits", "set", "conn-source", "7")
    reload(running, limits={**running.config["limits"], "conn-source": 9})
    rows = {row["key"]: row for row in running.ctl("limits", "show", "--json").json["limits"]}
    assert rows["conn-source"]["value"] == 7 and rows["conn-source"]["origin"] == "operator"


@pytest.mark.parametrize("overrides, words", [
    ({"interfaces": ["g0", "nosuch0"]}, ["nosuch0"]), ({"limits": {"rate-source": 9, "rate-net": 5}}, ["rate-net"]),
    ({"ports": [0]}, ["postern.yaml:", "ports"]), ({"monitor": "perhaps"}, ["postern.yaml:", "monitor"]),
    ({"nonsense": 1}, ["postern.yaml:", "nonsense"])])
def test_a_file_that_is_refused_changes_nothing(running, overrides, words):
    before = everything(running)
    running.write_config(**{"interfaces": ["g0"], "ports": [2525], **overrides})
    done = running.ctl("reload", check=False)
    assert done.rc == 4 and done.err.count("\n") == 1 and not done.out
    for word in words:
        assert word in done.err
    assert everything(running) == before
    assert running.connect(LISTED) == "timeout" and running.connect(LISTED, 2525) == "open"


def test_a_file_that_is_gone_changes_nothing(running):
    before = everything(running)
    (running.directory / "postern.yaml").unlink()
    done = running.ctl("reload", check=False)
    assert done.rc == 4 and done.err.count("\n") == 1 and "postern.yaml" in done.err
    assert everything(running) == before
