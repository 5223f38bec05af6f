# SPDX-License-Identifier: GPL-2.0-only
"""Starts, ends, crashes and changes of the agent: what is blocked stays blocked, what was said stays true."""
import json
import os
import pathlib
import random
import signal
import subprocess
import time

import pytest

from lab import BUILD, SPOOFED4, run, wait_until

LISTED = "203.0.113.66"


def identity_maps(lab):
    return list(pathlib.Path(lab.pins).glob("set-*/identity"))


def program_id(lab, iface="g0"):
    return json.loads(lab.ns(lab.gateway, "ip", "-j", "link", "show", iface).out)[0]["xdp"]["prog"]["id"]


def test_killed_under_load_and_started_again(fresh, no_limits):
    """Blocked stays blocked without an agent and through its return; nothing acknowledged is lost."""
    fresh.listen()
    fresh.start_posternd(limits=no_limits)
    fresh.ctl("block", "add", LISTED)
    fresh.ctl("block", "add", SPOOFED4)
    flood = fresh.flood(SPOOFED4, count=3000000, rate=100000)
    bad, good = fresh.probe(LISTED, rate=1000, least=301), fresh.probe("198.51.100.9", rate=200)
    acknowledged = [f"192.0.2.{i}" for i in range(20)]
    for address in acknowledged:
        fresh.ctl("block", "add", address, "--reason", "acknowledged")
    old = program_id(fresh)
    fresh.stop_posternd(signal.SIGKILL)
    assert fresh.connect(LISTED) == "timeout"
    assert fresh.connect("198.51.100.10") == "open"
    fresh.start_posternd(limits=no_limits)
    assert fresh.log("gate.opened")[-1]["adopted"] is True
    assert program_id(fresh) != old
    rows = [row["prefix"] for row in fresh.ctl("block", "show", "--json").json]
    assert sorted(rows) == sorted([LISTED, SPOOFED4, *acknowledged])
    bad, good = bad.stop(), good.stop()
    flood.stop()
    assert bad["sent"] > 300 and bad["synack"] == bad["rst"] == 0
    assert good["synack"] >= good["sent"] * 0.95


def test_counters_and_meters_survive_the_agent(fresh, no_limits):
    fresh.listen()
    fresh.start_posternd(limits=no_limits)
    fresh.ctl("block", "add", LISTED)
    fresh.flood(f"{LISTED}/32", count=500).result()
    fresh.stop_posternd(signal.SIGKILL)
    fresh.flood(f"{LISTED}/32", count=500).result()
    fresh.start_posternd(limits=no_limits)
    assert fresh.packets("listed") == 1000


def test_two_starts_at_once(fresh, no_limits):
    fresh.start_posternd(limits=no_limits)
    fresh.ctl("block", "add", LISTED)
    before = program_id(fresh), fresh.ctl("block", "show").out.split(), sorted(os.listdir(fresh.pins))
    second = fresh.ns(fresh.gateway, BUILD / "posternd", "-c", fresh.directory / "postern.yaml", check=False)
    assert second.rc == 1
    assert second.err.count("\n") == 1 and "in use" in second.err
    assert fresh.ctl("status").rc == 0
    after = program_id(fresh), fresh.ctl("block", "show").out.split(), sorted(os.listdir(fresh.pins))
    assert after == before


@pytest.mark.parametrize("other", ["abi", "size"])
def test_pins_of_another_version_or_size_are_replaced(fresh, no_limits, other):
    """Another ABI version, or another geometry: new maps, said aloud, and no moment without the filter."""
    fresh.listen()
    fresh.start_posternd(limits=no_limits)
    fresh.ctl("block", "add", LISTED)
    fresh.stop_posternd()
    table = fresh.config["table"]
    if other == "abi":
        path = identity_maps(fresh)[0]
        value = run("bpftool", "-j", "map", "dump", "pinned", path).json[0]["value"]
        value[4] = "0x63"  # the version, its lowest byte
        run("bpftool", "map", "update", "pinned", path, "key", "hex", "00", "00", "00", "00", "value", "hex",
            *[byte[2:] for byte in value])
    else:
        table = {**table, "capacity-ipv4": 300000}
    knocking = fresh.probe(LISTED, rate=1000, least=51)
    fresh.start_posternd(limits=no_limits, table=table)
    report = knocking.stop()
    assert report["sent"] > 50 and report["synack"] == report["rst"] == 0
    opened = fresh.log("gate.opened")[-1]
    assert opened["adopted"] is False
    assert ("ABI version 99" if other == "abi" else "other sizes") in opened["replaced_because"]
    assert len(identity_maps(fresh)) == 1
    assert fresh.connect(LISTED) == "timeout" and fresh.connect("198.51.100.9") == "open"


def test_killed_in_the_middle_of_loads(fresh, no_limits):
    """The list is the one before or the one after, in the store and in the kernel, never a mixture."""
    lists = []
    for version, network in enumerate(("11.1", "11.2")):
        path = fresh.directory / f"version{version}"
        path.write_text("".join(f"{network}.{i // 250}.{i % 250}\n" for i in range(30000)))
        lists.append({f"{network}.{i // 250}.{i % 250}" for i in range(30000)})
    fresh.start_posternd(limits=no_limits)
    fresh.ctl("block", "load", "big", fresh.directory / "version0")
    number = random.Random(11)
    for turn in range(10):
        loading = subprocess.Popen([BUILD / "posternctl", "--socket", fresh.socket, "block", "load", "big",
                                    fresh.directory / f"version{turn % 2}"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        time.sleep(number.random() * 0.08)
        fresh.stop_posternd(signal.SIGKILL)
        loading.wait()
        fresh.start_posternd(limits=no_limits)
        rows = {row["prefix"] for row in fresh.ctl("block", "show", "--json").json}
        assert rows in lists
        inside = "11.1.7.7" if "11.1.7.7" in rows else "11.2.7.7"
        assert fresh.ctl("block", "test", inside, check=False).rc == 1


def test_reload_applies_what_changed_and_drops_no_connection(fresh, no_limits):
    fresh.start_postfix()
    fresh.start_posternd(limits=no_limits)
    held = fresh.hold("198.51.100.9")
    assert held.stdout.readline().startswith(b"220")
    fresh.write_config(limits={**no_limits, "conn-source": 1}, table={**fresh.config["table"], "sources": 4096})
    done = fresh.ctl("reload", "--json").json
    assert "limits.conn-source" in done["applied"] and "table.sources" in done["restart_needed"]
    assert fresh.connect("198.51.100.9") == "timeout"
    held.stdin.write(b"NOOP\r\n")
    held.stdin.flush()
    assert held.stdout.readline().startswith(b"250")
    (fresh.directory / "postern.yaml").write_text("limits:\n  rate-source: 5\n  rate-sauce: 5\n")
    bad = fresh.ctl("reload", check=False)
    assert bad.rc == 4 and bad.err.count("\n") == 1 and "postern.yaml:3" in bad.err
    assert fresh.connect("198.51.100.9") == "timeout"
    assert fresh.ctl("config", "check", fresh.directory / "postern.yaml", check=False).rc == 4


@pytest.mark.parametrize("text, words", [
    ("ports: [25\n", ":"), ("limits: {rate-source: many}\n", "rate-source"), ("nonsense: 1\n", "nonsense"),
    ("limits: {rate-source: 500, rate-net: 100}\n", "rate-net"), ("interfaces: [eth0]\ninterfaces: [eth1]\n", "interfaces"),
    (None, "nosuch.yaml")])
def test_a_configuration_that_cannot_be_used(fresh, text, words):
    path = fresh.directory / ("bad.yaml" if text else "nosuch.yaml")
    if text:
        path.write_text(text)
    done = fresh.ns(fresh.gateway, BUILD / "posternd", "-c", path, check=False)
    assert done.rc == 1 and done.err.count("\n") == 1 and words in done.err and str(path) in done.err
    assert not os.path.exists(fresh.pins)


def test_a_start_without_privileges(fresh):
    path = fresh.write_config()
    done = fresh.ns(fresh.gateway, "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                    BUILD / "posternd", "-c", path, check=False)
    assert done.rc == 1 and done.err.count("\n") == 1 and "root" in done.err


def test_a_missing_interface_leaves_nothing_half_attached(fresh):
    path = fresh.write_config(interfaces=["g0", "nosuch0"])
    done = fresh.ns(fresh.gateway, BUILD / "posternd", "-c", path, check=False)
    assert done.rc == 1 and "nosuch0" in done.err.splitlines()[-1]
    assert "xdp" not in json.loads(fresh.ns(fresh.gateway, "ip", "-j", "link", "show", "g0").out)[0]


def test_attach_and_detach(fresh, no_limits):
    fresh.listen()
    fresh.start_posternd(limits=no_limits, interfaces=[])
    fresh.ctl("block", "add", LISTED)
    assert fresh.connect(LISTED) == "open"
    assert "native" in fresh.ctl("attach", "g0").out
    assert fresh.connect(LISTED) == "timeout"
    assert [row["iface"] for row in fresh.ctl("status", "--json").json["interfaces"]] == ["g0"]
    fresh.ctl("detach", "g0")
    assert fresh.connect(LISTED) == "open"
    again = fresh.ctl("detach", "g0", check=False)
    assert again.rc == 4 and again.err.count("\n") == 1
    assert "generic" in fresh.ctl("attach", "g0", "--mode", "generic").out
    assert fresh.connect(LISTED) == "timeout"


def test_generic_mode_where_the_driver_has_no_xdp_is_said_aloud(fresh, no_limits):
    fresh.ns(fresh.gateway, "ip", "link", "add", "br9", "type", "bridge")
    fresh.start_posternd(limits=no_limits, interfaces=[])
    native = fresh.ctl("attach", "br9", "--mode", "native", check=False)
    assert native.rc == 4 and native.err.count("\n") == 1 and "br9" in native.err
    said = fresh.ctl("attach", "br9")
    assert "generic" in said.out + said.err and "slower" in said.out + said.err
    assert fresh.ctl("status", "--json").json["interfaces"][0]["mode"] == "generic"


def test_a_foreign_program_is_left_alone(fresh, no_limits):
    fresh.ns(fresh.gateway, "ip", "link", "set", "dev", "g0", "xdpdrv", "obj", BUILD / "tests/wire.bpf.o", "sec", "xdp")
    there = program_id(fresh)
    fresh.start_posternd(limits=no_limits, interfaces=[])
    done = fresh.ctl("attach", "g0", check=False)
    assert done.rc == 4 and done.err.count("\n") == 1 and "pass" in done.err and str(there) in done.err
    assert program_id(fresh) == there


def capabilities(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {line.split(":")[0]: line.split(":")[1].split() for line in status if line.startswith(("Uid", "Cap"))}


def test_who_holds_which_privileges(fresh, no_limits):
    agent = fresh.start_posternd(limits=no_limits)
    held = capabilities(agent.pid)
    assert held["Uid"] == ["65534"] * 4
    assert all(int(held[name][0], 16) == 0 for name in held if name.startswith("Cap"))
    children = run("pgrep", "-P", agent.pid).out.split()
    assert len(children) == 1
    keeper = capabilities(children[0])
    bits = {bit for bit in range(64) if int(keeper["CapEff"][0], 16) >> bit & 1}
    assert bits == {12, 21, 38, 39}  # CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_PERFMON, CAP_BPF
    fresh.stop_posternd(signal.SIGKILL)
    wait_until(lambda: not os.path.exists(f"/proc/{children[0]}"), 5, "the keeper's end")


def test_metrics(fresh, no_limits):
    fresh.listen()
    fresh.start_posternd(limits=no_limits)
    fresh.ctl("block", "add", LISTED)
    fresh.flood(f"{LISTED}/32", count=300).result()
    text = fresh.ns(fresh.gateway, "curl", "-sS", "http://127.0.0.1:9125/metrics").out
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    assert checked.returncode == 0 and not checked.stdout + checked.stderr, checked
    assert 'postern_packets_total{reason="listed",family="ipv4",outcome="enforced"} 300' in text
    assert 'postern_list_packets_total{list="local",kind="block",family="ipv4",outcome="enforced"} 300' in text
    for name in ("postern_build_info", "postern_events_lost_total", "postern_limit", "postern_list_entries",
                 "postern_connections"):
        assert f"\n{name}" in text


def test_a_second_agent_on_the_same_pins_touches_nothing(fresh, no_limits):
    """Another state directory and socket, by mistake the same pin directory."""
    fresh.listen()
    fresh.start_posternd(limits=no_limits)
    fresh.ctl("block", "add", LISTED)
    other = dict(fresh.config, **{"state-directory": str(fresh.directory / "other"), "metrics": {"listen": "off"},
                                  "control": {"socket": str(fresh.directory / "other.sock")}})
    path = fresh.directory / "other.yaml"
    path.write_text(json.dumps(other))
    second = fresh.ns(fresh.gateway, BUILD / "posternd", "-c", path, check=False)
    assert second.rc == 1 and second.err.count("\n") == 1 and "in use" in second.err
    assert fresh.connect(LISTED) == "timeout"


@pytest.mark.parametrize("how", ["taken off", "made anew"])
def test_an_interface_that_loses_the_filter_gets_it_back(fresh, no_limits, how):
    fresh.listen()
    fresh.start_posternd(limits=no_limits)
    fresh.ctl("block", "add", LISTED)
    if how == "taken off":
        fresh.ns(fresh.gateway, "ip", "link", "set", "dev", "g0", "xdpdrv", "off")
    else:
        fresh.relink()
    wait_until(lambda: fresh.log("interface.lost"), 5, "the news")
    wait_until(lambda: len([line for line in fresh.log("interface.attached") if line["interface"] == "g0"]) == 2,
               5, "attaching again")
    assert fresh.connect(LISTED) == "timeout" and fresh.connect("198.51.100.9") == "open"
    fresh.ctl("detach", "g0")
    time.sleep(2.5)  # what the operator took off stays off
    assert fresh.connect(LISTED) == "open"


def test_reload_says_what_an_operators_setting_overrides(fresh, no_limits):
    fresh.start_posternd(limits=no_limits)
    fresh.ctl("limits", "set", "conn-total", 100)
    fresh.write_config(limits={**no_limits, "conn-total": 50, "rate-total": 1000})
    done = fresh.ctl("reload", "--json").json
    assert done["overridden"] == ["limits.conn-total"] and done["applied"] == ["limits.rate-total"]
    fresh.write_config(limits={**no_limits, "conn-total": 60})
    assert "not in effect" in fresh.ctl("reload").out


def test_a_program_that_nobody_had_time_to_pin_is_adopted(fresh, no_limits):
    """As after a kill between the exchange of the program and its pin."""
    fresh.listen()
    fresh.start_posternd(limits=no_limits)
    fresh.ctl("block", "add", LISTED)
    fresh.stop_posternd(signal.SIGKILL)
    for pin in pathlib.Path(fresh.pins).glob("set-*/xdp-*"):
        pin.unlink()
    knocking = fresh.probe(LISTED, rate=1000, least=51)
    fresh.start_posternd(limits=no_limits)
    report = knocking.stop()
    assert report["sent"] > 50 and report["synack"] == report["rst"] == 0
    assert fresh.log("gate.opened")[-1]["adopted"] is True
