# SPDX-License-Identifier: GPL-2.0-only
"""Guard mode: Postern in front of a Postfix that knows nothing of it, with real lists and a real resolver behind."""
import signal

import pytest

import guardbed
import lists
import senders
import world
from lab import GATEWAY4, Lab, wait_until
from nameservers import REWRITES

PATIENCE = 15


@pytest.fixture(scope="module")
def bed():
    with Lab("guard") as lab:
        yield guardbed.Guard(lab)


@pytest.fixture
def guard(bed, request):
    """An agent that knows nothing yet, on a bed that all tests share. A parameter is what it does about offenders."""
    try:
        bed.start(escalation=getattr(request, "param", guardbed.SETTINGS["escalation"]))
        yield bed
    finally:
        bed.end()


shortly = pytest.mark.parametrize("guard", [pytest.param(guardbed.SHORT, id="short")], indirect=True)


@pytest.mark.parametrize("family", ["bad", "bad6"])
def test_the_first_is_seen_and_the_second_dropped(guard, family):
    source = next(getattr(guard, family))
    verdict = guard.offend(source)
    assert verdict["score"] >= 10 and verdict["ms"] < 2000
    wait_until(lambda: guard.seen(source) == 1, 5, "the first connection in Postfix's log")
    before = guard.dropped()
    assert guard.is_blocked(source)
    assert guard.dropped() > before and guard.seen(source) == 1


def test_who_is_on_no_list_is_let_in(guard):
    for source in (next(guard.good), next(guard.good6)):
        assert guard.lab.connect(source) == "open"
        assert guard.wait_for_verdict(source)["decision"] == "accept"
        assert guard.lab.connect(source) == "open"
    assert guard.dropped() == 0


def test_an_allow_list_of_the_dns_outweighs(guard):
    source = lists.BOTH
    assert guard.lab.connect(source) == "open"
    verdict = guard.wait_for_verdict(source)
    weights = dict(row.split("*") for row in guard.lab.config["dnsbl"]["zones"])
    assert verdict["decision"] == "accept" and verdict["lists"] == f"bl.test {weights['bl.test']}, wl.test {weights['wl.test']}"
    assert guard.lab.connect(source) == "open"


def test_an_allow_list_that_is_dead_turns_nobody_away(bed):
    source = lists.BOTH
    try:
        bed.start(dnsbl={"zones": ["bl.test*10", "dead.test*-6"]},
                  dns={"servers": [world.RESOLVER], "timeout": 1500, "tries": 1})
        wait_until(lambda: [line for line in bed.lab.log("dnsbl.zone-out") if line["zone"] == "dead.test"], PATIENCE,
                   "the end of dead.test")
        found = bed.check_ip(source).json
        assert {row["zone"]: row["outcome"] for row in found["zones"]} == {"bl.test": "listed", "dead.test": "out"}
        assert found["score"] >= 10 and found["temporary"] and found["decision"] == "greylist"
        assert bed.lab.connect(source) == "open"
        verdict = bed.wait_for_verdict(source)
        assert verdict["decision"] == "greylist" and verdict["temporary"]
        assert bed.lab.connect(source) == "open" and not bed.blocks(source)
    finally:
        bed.end()


@shortly
def test_after_its_time_it_is_let_in_and_the_next_time_is_longer(guard):
    source = next(guard.bad)
    guard.offend(source)
    assert guard.is_blocked(source)
    again = guard.offend_again(source)
    assert again["offences"] == 2 and guard.is_blocked(source)
    assert [row["seconds"] for row in guard.blocks(source)] == [guardbed.BLOCK_SECONDS, guardbed.BLOCK_SECONDS * guardbed.FACTOR]


def test_an_allow_entry_wins_at_once(guard):
    source = next(guard.bad)
    guard.offend(source)
    assert guard.is_blocked(source)
    guard.lab.ctl("allow", "add", source)
    assert guard.lab.connect(source) == "open"
    guard.lab.ctl("allow", "del", source)
    assert guard.is_blocked(source)


def test_other_scores_lift_a_block(guard):
    """Who would not be rejected any more is let in; who is rejected again is blocked to the end of the old block."""
    source = next(guard.bad)
    guard.offend(source)
    assert guard.is_blocked(source)
    guard.reload(policy={"reject": 9})
    assert guard.lab.connect(source) == "open"
    wait_until(lambda: guard.is_blocked(source), 5, "the block by the new scores")
    assert len(guard.blocks(source)) == 1
    guard.reload(policy={"reject": 20, "greylist": 0, "slow": 0})
    for _ in range(2):
        assert guard.lab.connect(source) == "open"
    assert guard.wait_for_verdict(source, 3)["decision"] == "accept"
    assert guard.lab.log("guard.judged-anew")[-1]["lifted"] == 1
    assert "offended 1 time," in guard.lab.ctl("why", source).out


def test_other_lists_lift_a_block(guard):
    """At once when the reload has been answered. Who was let in meanwhile, and is on a list again, has offended again."""
    source = next(guard.bad)
    guard.offend(source)
    assert guard.is_blocked(source)
    guard.configure(dnsbl={"zones": ["wl.test*-10"], "test-interval": 1})
    guard.lab.ctl("reload")
    assert guard.lab.connect(source) == "open"
    assert guard.wait_for_verdict(source, 2)["decision"] == "accept"
    assert guard.lab.connect(source) == "open"
    assert "bl.test" not in guard.lab.ctl("status").out + guard.page()
    guard.configure()
    guard.lab.ctl("reload")
    wait_until(lambda: guard.is_blocked(source), PATIENCE, "the block by the list that is back")
    assert [line["offences"] for line in guard.blocks(source)] == [1, 2]


def test_why_tells_the_story(guard):
    source = next(guard.bad)
    guard.offend(source)
    assert guard.is_blocked(source)
    said = guard.lab.ctl("why", source).out
    for word in (source, "bl.test", "reject", "127.0.0.2", "drop", f"https://lists.example.net/?{source}"):
        assert word in said, said
    guard.lab.ctl("allow", "add", source)
    assert "allow" in guard.lab.ctl("why", source).out
    guard.lab.ctl("allow", "del", source)


def test_a_refusal_that_explains_itself(guard):
    """The kernel answers the second connection; the text has an id that `why` knows."""
    source = next(guard.bad)
    guard.reload(escalation={**guardbed.SETTINGS["escalation"], "first-action": "refuse"})
    guard.offend(source)
    reply = wait_until(lambda: refused(guard, source), 5, "a refusal")
    assert reply.startswith("554 ") and source in reply
    told = reply.strip().rsplit("id ", 1)[-1]
    wait_until(lambda: source in guard.lab.ctl("why", told).out, 5, f"an event with the id {told}")
    assert guard.seen(source) <= 1


def refused(guard, source):
    reply = senders.greeting(senders.Way(guard.lab.internet, source, GATEWAY4))
    return reply if reply.startswith("554") else None


def test_monitor_mode_drops_nothing(guard):
    source = next(guard.bad)
    guard.lab.ctl("monitor", "on")
    guard.offend(source)
    assert guard.lab.connect(source) == "open"
    assert guard.dropped() == 0 and guard.dropped("monitored") > 0
    guard.lab.ctl("monitor", "off")
    assert guard.is_blocked(source)


@shortly
def test_a_restart_keeps_blocks_and_history(guard):
    """The kernel goes on without an agent, and an offence before the restart counts after it."""
    source = next(guard.bad)
    guard.offend(source)
    guard.lab.stop_posternd()
    assert guard.is_blocked(source)
    guard.lab.start_posternd(**guard.lab.config)
    assert "offended 1 time," in guard.lab.ctl("why", source).out
    guard.wait_for_zones()
    assert guard.offend_again(source)["offences"] == 2


def test_a_kill_loses_no_block(guard):
    source = next(guard.bad)
    guard.offend(source)
    guard.lab.stop_posternd(signal.SIGKILL)
    assert guard.is_blocked(source)
    guard.lab.start_posternd(**guard.lab.config)
    assert guard.is_blocked(source)


def newcomers_until(guard, condition, what):
    """Connections from unlisted addresses that nobody has seen yet, all of which get in, until something holds."""
    def turn():
        assert {guard.lab.connect(next(sources)) for sources in (guard.good, guard.good6)} == {"open"}
        return condition()
    wait_until(turn, PATIENCE, what)


def nobody_is_judged(guard):
    """Without an answer who is listed gets in, too."""
    source = next(guard.bad)
    assert guard.lab.connect(source) == "open"
    assert guard.wait_for_verdict(source)["decision"] == "accept"
    assert guard.lab.connect(source) == "open"


def all_is_well(guard):
    source = next(guard.bad)
    guard.offend(source)
    assert guard.is_blocked(source)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_the_resolver_goes_and_comes_back_under_load(guard, how):
    """Nobody is blocked for it; the agent says so, and goes on when the resolver is there again. One is away for a moment, the
    other for so long that all lists are given up."""
    guard.world.end_resolver() if how == signal.SIGKILL else guard.world.resolver.send_signal(how)
    try:
        nobody_is_judged(guard)
        newcomers_until(guard, lambda: guard.metric("postern_dns_servers_down") == 1, "a metric of the resolver")
        if how == signal.SIGSTOP:
            newcomers_until(guard, lambda: not guard.zone_up("bl.test"), "the zones' end of service")
    finally:
        guard.world.return_resolver() if how == signal.SIGKILL else guard.world.resolver.send_signal(signal.SIGCONT)
    newcomers_until(guard, lambda: guard.zone_up("bl.test") and not guard.metric("postern_dns_servers_down"), "the return")
    assert guard.dropped() == 0 and guard.metric("postern_blocks_total") == 0
    assert guard.metric("postern_verdicts_temporary_total") > 0
    all_is_well(guard)


@pytest.mark.parametrize("fault", ["mute", "refuse"])
def test_a_list_leaves_scoring_and_comes_back(guard, fault):
    getattr(guard.world.lists, fault)("bl.test")
    try:
        newcomers_until(guard, lambda: not guard.zone_up("bl.test"), "the list's end of service")
        assert guard.zone_up("wl.test")
        nobody_is_judged(guard)
        assert {line["zone"] for line in guard.lab.log("dnsbl.zone-out")} == {"bl.test"}
    finally:
        guard.world.lists.unmute("bl.test")
        guard.world.forget()  # what the resolver thinks of a server that was silent
    wait_until(lambda: guard.zone_up("bl.test"), PATIENCE, "the list's return")
    all_is_well(guard)


def test_a_resolver_that_answers_for_what_is_not_there(guard):
    """It would put everybody on every list: no list counts while it is asked."""
    guard.world.end_resolver()
    guard.world.return_resolver(REWRITES)
    try:
        guard.lab.stop_posternd()
        guard.lab.start_posternd(**guard.lab.config)
        wait_until(lambda: guard.metric("postern_dns_rewrites") == 1, PATIENCE, "the discovery")
        wait_until(lambda: not guard.zone_up("bl.test"), PATIENCE, "the lists' end of service")
        nobody_is_judged(guard)
    finally:
        guard.world.end_resolver()
        guard.world.return_resolver()


def test_lists_that_do_not_work_hold_up_nobody(bed):
    bed.start(dnsbl={"zones": ["bl.test*10", *(f"{zone}*100" for zone in lists.BROKEN)],
                     "test-interval": 5})
    try:
        out = lambda: {line["zone"] for line in bed.lab.log("dnsbl.zone-out")}
        wait_until(lambda: out() == lists.BROKEN, PATIENCE, "the end of service of all that are broken")
        good, source = next(bed.good), next(bed.bad)
        assert bed.lab.connect(good) == "open" and bed.wait_for_verdict(good)["decision"] == "accept"
        assert bed.offend(source)["ms"] < 250 and bed.wait_for_verdict(good)["ms"] < 250
        assert bed.is_blocked(source) and bed.lab.connect(good) == "open"
    finally:
        bed.end()
