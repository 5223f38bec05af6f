# SPDX-License-Identifier: GPL-2.0-only
"""What the agent does about a flood: tells it, lets the kernel make SYN cookies meanwhile, and takes that back."""
import os
import signal

import pytest

from lab import BUILD, GATEWAY4, SPOOFED4, run, wait_until

SETTINGS = ("tcp_syncookies", "tcp_timestamps")
FLOOD = {"threshold": 2000, "hold": 1}
RATE = 20000  # SYNs a second
FOREVER = RATE * 600


def settings(lab):
    return tuple(int(lab.ns(lab.gateway, "cat", f"/proc/sys/net/ipv4/{name}").out) for name in SETTINGS)


def put_settings(lab, *values):
    lab.ns(lab.gateway, "sysctl", "-qw", *(f"net.ipv4.{name}={value}" for name, value in zip(SETTINGS, values)))


def status(lab):
    return lab.ctl("status", "--json").json


def flood_of(lab, port=25):
    return next(row for row in status(lab)["floods"] if row["port"] == port)


@pytest.fixture
def defended(fresh, no_limits):
    fresh.listen()
    put_settings(fresh, 1, 1)
    fresh.start_posternd(limits=no_limits, flood=FLOOD)
    return fresh


def test_a_flood_is_told_and_taken_back(defended):
    assert settings(defended) == (1, 1)
    assert status(defended)["cookies"]["state"] == "armed" and not flood_of(defended)["active"]
    flood = defended.flood(SPOOFED4, count=FOREVER, rate=RATE)
    wait_until(lambda: settings(defended) == (2, 2), 5, "the settings")
    now = flood_of(defended)
    assert now["active"] and now["floods"] == 1 and now["threshold"] == FLOOD["threshold"]
    wait_until(lambda: FLOOD["threshold"] < flood_of(defended)["rate"] < RATE * 2, 5, "the rate")
    assert status(defended)["cookies"] == {"state": "on", "why": ""}
    wait_until(lambda: defended.stats()["health"]["cookies_sent"] > RATE, 5, "cookies")
    assert defended.connect("192.0.2.10") == "open"
    metrics = defended.ns(defended.gateway, "curl", "-sf", "http://127.0.0.1:9125/metrics").out
    assert 'postern_flood_active{port="25"} 1\n' in metrics and 'postern_flood_active{port="587"} 0\n' in metrics
    assert 'postern_syn_cookies{state="on"} 1\n' in metrics
    why = defended.ctl("why", "192.0.2.10", "--json").json
    assert why["floods"] == [25] and why["proof"]["proved"] and why["proof"]["seconds"] > 3600
    assert not defended.ctl("why", "192.0.2.11", "--json").json["proof"]["proved"]
    flood.stop()
    wait_until(lambda: settings(defended) == (1, 1), 15, "the settings of before")
    assert status(defended)["cookies"]["state"] == "armed" and not flood_of(defended)["active"]
    started, ended = defended.log("flood.started"), defended.log("flood.ended")
    assert [line["port"] for line in started + ended] == [25, 25]
    assert started[0]["syns_per_second"] > FLOOD["threshold"] and ended[0]["peak"] > FLOOD["threshold"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_settings_do_not_outlive_the_agent(defended, how):
    flood = defended.flood(SPOOFED4, count=FOREVER, rate=RATE)
    wait_until(lambda: settings(defended) == (2, 2), 5, "the settings")
    defended.stop_posternd(how)
    wait_until(lambda: settings(defended) == (1, 1), 5, "the settings of before")
    defended.start_posternd(limits=defended.config["limits"], flood=FLOOD)
    wait_until(lambda: settings(defended) == (2, 2), 5, "the settings, by the next agent")
    flood.stop()


def keeper_of(lab):
    return int(lab.ns(lab.gateway, "pgrep", "-P", lab.posternd.pid, "-x", "postern-keeper").out)


def test_a_killed_keeper_leaves_nothing_to_the_next(defended):
    """Nor does the next take for the operator's what it finds."""
    flood = defended.flood(SPOOFED4, count=FOREVER, rate=RATE)
    wait_until(lambda: settings(defended) == (2, 2), 5, "the settings")
    assert status(defended)["keeper"] == {"up": True, "why": ""}
    os.kill(keeper_of(defended), signal.SIGKILL)
    told = wait_until(lambda: defended.log("keeper.ended"), 5, "word of its end")
    assert told[0]["level"] == "error" and "restart" in told[0]["reason"]
    assert status(defended)["keeper"] == {"up": False, "why": told[0]["reason"]}
    assert "no attach, detach or repair" in defended.ctl("status").out
    assert "\npostern_keeper_up 0\n" in defended.ns(defended.gateway, "curl", "-sf",
                                                    "http://127.0.0.1:9125/metrics").out
    flood.stop()
    defended.stop_posternd()
    assert settings(defended) == (2, 2)
    defended.start_posternd(limits=defended.config["limits"], flood=FLOOD)
    wait_until(lambda: settings(defended) == (1, 1), 15, "the settings of before, once the flood is over here, too")
    assert [line["level"] for line in defended.log("cookies.recovered")] == ["warning"]
    flood = defended.flood(SPOOFED4, count=FOREVER, rate=RATE)
    wait_until(lambda: settings(defended) == (2, 2), 5, "the settings")
    flood.stop()
    wait_until(lambda: settings(defended) == (1, 1), 15, "the settings of before")


@pytest.mark.parametrize("before, during", [((2, 2), (2, 2)), ((2, 0), (2, 0)), ((0, 1), (2, 2))])
def test_what_is_as_it_should_be_is_left_alone(defended, before, during):
    put_settings(defended, *before)
    flood = defended.flood(SPOOFED4, count=FOREVER, rate=RATE)
    wait_until(lambda: flood_of(defended)["active"] and status(defended)["cookies"]["state"] == "on", 5, "cookies")
    assert settings(defended) == during
    assert defended.connect("192.0.2.10") == "open"
    flood.stop()
    wait_until(lambda: settings(defended) == before, 15, "the settings of before")


def test_the_operator_may_not_want_it(fresh, no_limits):
    put_settings(fresh, 1, 1)
    fresh.start_posternd(limits=no_limits, flood={**FLOOD, "cookies": False})
    assert status(fresh)["cookies"]["state"] == "off" and "flood.cookies" in status(fresh)["cookies"]["why"]
    fresh.flood(SPOOFED4, count=RATE, rate=RATE).result()
    assert settings(fresh) == (1, 1) and flood_of(fresh)["floods"] == 1
    assert fresh.packets("challenged") == 0 and fresh.stats()["health"]["cookies_skipped"] > 0
    fresh.write_config(limits=no_limits, flood={"threshold": 0})
    assert "flood.threshold" in fresh.ctl("reload").out
    assert status(fresh)["cookies"]["why"] == "flood.threshold is 0"


def test_settings_that_cannot_be_written(fresh, no_limits):
    """As in a container: the log says it once, status says it, and the limits hold."""
    fresh.start_posternd(limits=no_limits, flood=FLOOD, within=fresh.read_only("/proc/sys"))
    wait_until(lambda: status(fresh)["cookies"]["state"] == "unavailable", 5, "the state")
    assert "Read-only file system" in status(fresh)["cookies"]["why"]
    fresh.flood(SPOOFED4, count=3 * RATE, rate=RATE).result()
    assert len(fresh.log("cookies.unavailable")) == 1
    assert fresh.packets("challenged") == 0


def test_a_reply_names_an_id_that_explains_itself(fresh, no_limits):
    """From `block load` to the client, and back from the id in its hands: remembered, and after a restart."""
    addresses = fresh.directory / "spam"
    addresses.write_text("192.0.2.77\n")
    fresh.start_posternd(limits=no_limits, refuse={"contact": "https://example.net/u"})
    loaded = fresh.ctl("block", "load", "spam", addresses, "--action", "refuse", "--reason", "sent spam", "--json").json
    assert loaded["refusal"] == "554 5.7.1 sent spam; see https://example.net/u"
    assert fresh.ctl("why", "192.0.2.77", "--json").json["refusal"] == loaded["refusal"]
    said = fresh.ns(fresh.internet, "nc", "-w", 5, "-s", "192.0.2.77", GATEWAY4, 25, check=False).out
    text, client, lookup = said.rstrip().rsplit("; ", 2)
    assert (text, client) == (loaded["refusal"], "client [192.0.2.77]")
    lookup = lookup.removeprefix("id ")
    event = wait_until(lambda: fresh.ctl("why", lookup, "--json").json["event"], 5, "the event")
    assert event["told"] and event["list"] == "spam" and event["source"] == "192.0.2.77"
    fresh.stop_posternd()
    fresh.start_posternd(limits=no_limits)
    answer = fresh.ctl("why", lookup, "--json").json
    assert answer["event"] is None and (answer["list"], answer["action"]) == ("spam", "refuse")
    assert abs(answer["time"] - event["time"]) <= 1  # another process reads the clocks anew
    assert fresh.ctl("why", "192.0.2.77", "--json").json["refusal"] == "554 5.7.1 sent spam"
    assert run(BUILD / "posternctl", "--socket", fresh.socket, "why", "7" + lookup[1:], check=False).rc == 4
