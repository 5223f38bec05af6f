# SPDX-License-Identifier: GPL-2.0-only
"""What mode proxy does about a score and by whose wish: greylisting at RCPT, and the checks of single domains (check.domains)."""
import re
import time

import pytest

import lists
import world
from frontbed import OWN, SENDER, USER, Front, dialogue
from lab import Lab, wait_until

DELAY = 2  # seconds that who is greylisted has to wait
SOFT, STRICT = "soft.example", "strict.example"  # what the others of our domains want
CHECKS = {"score": "reject", "stage": "rcpt", "spf": "monitor",
          "domains": [f"{OWN} spf=tag", f"{SOFT} score=monitor helo=tag", f"{STRICT} spf=reject"]}
# Greylisted: who is on mask.test, who has a host name, and who SPF forbids to send.
SCORES = {"rdns-missing": 0, "rdns-confirmed": 7, "spf-fail": 7, "spf-pass": 0, "helo-unknown": 0, "helo-mismatch": 0, "helo-match": 0}
ZONES = ["bl.test*10", "mask.test*7"]

FROM_NOBODY, FROM_SOUND = f"MAIL FROM:<sender@{SENDER}>", "MAIL FROM:<sender@sound.example>"
RCPT = f"RCPT TO:<{USER}>"
TOLD = re.compile(r"450 4\.7\.1 refused: greylisted: come again in ([12]) seconds \(lookup id ([0-9A-Z]{13})\)")


def message(token):
    return "DATA", f"Subject: {token}\r\n\r\nThe text.\r\n."


@pytest.fixture(scope="module")
def front():
    with Lab("frontpolicy") as lab:
        made = Front(lab)
        made.start(smtp={"domains": [OWN, SOFT, STRICT]}, check=CHECKS, score=SCORES, dnsbl={"zones": ZONES},
                   greylist={"enabled": True, "delay": DELAY, "window": 60, "keep": 600})
        yield made


def counted(front, name, **labels):
    return front.guard.metric(f"postern_smtp_{name}_total", **labels)


def watched_lines(front, check):
    return [line for line in front.lab.log("smtp.watched") if line["check"] == check]


def test_who_is_allowed_is_not_judged(front):
    """An entry of the operator's wins over lists, score and SPF; and is no leave to send to others."""
    front.lab.ctl("allow", "add", lists.CAUGHT)
    said = dialogue(front, lists.CAUGHT, FROM_NOBODY, RCPT, "RCPT TO:<x@elsewhere.example>", helo="nobody.example")
    assert said[1].startswith("250") and said[2].startswith("550 5.7.1"), said
    front.lab.ctl("allow", "del", lists.CAUGHT)
    said = dialogue(front, lists.CAUGHT, FROM_NOBODY, RCPT, helo="nobody.example")
    assert said[1].startswith("554 5.7.1"), said


def test_a_network_that_comes_again(front):
    first, second = lists.REASONS[2], lists.REASONS[4]
    said = dialogue(front, first, FROM_NOBODY, RCPT, f"RCPT TO:<postmaster@{OWN}>", helo="nobody.example")
    told = TOLD.fullmatch(said[1])
    assert told and said[2].startswith("250"), said
    line = wait_until(lambda: front.lab.log("smtp.refused"), 5, "the refusal in the log")[-1]
    assert (line["id"], line["reason"], line["detail"], line["source"]) == (told[2], "greylist", f"<{USER}>", first), line
    assert counted(front, "refused", reason="greylist") == 1 and counted(front, "greylist_passed") == 0
    assert "  greylisting: its network has to wait for " in front.lab.ctl("why", first).out
    assert "smtp" not in front.lab.ctl("why", told[2]).out  # when it was, which is in the id
    time.sleep(DELAY)
    assert "  greylisting: its network may come now" in front.lab.ctl("why", second).out
    said = dialogue(front, second, FROM_NOBODY, RCPT, *message("comesagainx"), helo="nobody.example")
    assert said[1].startswith("250") and said[3].startswith("250"), said
    assert b"X-Postern" not in front.wait_for_mail("comesagainx")[0]
    assert counted(front, "greylist_passed") == 1
    reputation = front.lab.ctl("why", first, "--json").json["reputation"]
    assert reputation["greylist"]["passed"] and reputation["history"] is None, reputation


def test_the_hosts_of_a_domain_are_one_sender(front):
    """Of another network, and another family, but of one domain that SPF names them for."""
    assert TOLD.fullmatch(dialogue(front, world.NAMED, FROM_SOUND, RCPT)[1])
    time.sleep(DELAY)
    assert dialogue(front, world.NAMED6, FROM_SOUND, RCPT)[1].startswith("250")
    said = dialogue(front, world.NAMED6, FROM_NOBODY, RCPT)
    assert TOLD.fullmatch(said[1]), (said, "its network was never here, and SPF says nothing of this sender")


def test_each_recipient_by_his_domain(front):
    """What SPF forbids is refused, greylisted, or tagged; the header has the wishes of those who got the mail."""
    recipients = [f"RCPT TO:<user@{STRICT}>", RCPT, f"RCPT TO:<user@{SOFT}>"]
    source, watched = "198.19.1.25", counted(front, "watched", check="greylist")
    said = dialogue(front, source, FROM_SOUND, *recipients, helo="nobody.example")
    assert said[1].startswith("550 5.7.23") and TOLD.fullmatch(said[2]) and said[3].startswith("250"), said
    line = wait_until(lambda: watched_lines(front, "greylist"), 5, "who would have waited")[-1]
    assert line["source"] == source and line["to"] == f"<user@{SOFT}>" and line["would"] == "defer", line
    assert re.fullmatch("come again in [12] seconds", line["detail"]), line
    assert counted(front, "watched", check="greylist") == watched + 1
    time.sleep(DELAY)
    said = dialogue(front, source, FROM_SOUND, *recipients, *message("wishesx"), helo="nobody.example")
    assert [reply[:3] for reply in said] == ["250", "550", "250", "250", "354", "250"], said
    assert b"X-Postern: helo spf\n" in front.wait_for_mail("wishesx")[0]
    said = dialogue(front, source, FROM_SOUND, RCPT, *message("ownwishx"), helo="nobody.example")
    assert b"X-Postern: spf\n" in front.wait_for_mail("ownwishx")[0], said


def test_a_bad_client_and_a_domain_that_only_looks(front):
    said = dialogue(front, "203.0.113.200", FROM_NOBODY, f"RCPT TO:<user@{SOFT}>", RCPT)
    assert said[1].startswith("250") and said[2].startswith("554 5.7.1 refused: the reputation"), said


def test_what_would_have_been_refused(front):
    """Once for a transaction: who only looks at SPF is told what it would have stopped, in the log, the metrics and `status`."""
    source, before = "198.19.1.25", int(counted(front, "watched", check="spf"))
    said = dialogue(front, source, FROM_SOUND, f"RCPT TO:<user@{SOFT}>", f"RCPT TO:<second@{SOFT}>",
                    "RSET", FROM_SOUND, f"RCPT TO:<user@{SOFT}>")
    assert [reply[:3] for reply in said] == ["250"] * 6, said
    assert counted(front, "watched", check="spf") == before + 2
    lines = wait_until(lambda: (found := watched_lines(front, "spf")[-2:])[1:] and found, 5, "both transactions in the log")
    assert {(line["source"], line["from"], line["to"], line["would"]) for line in lines} \
        == {(source, "<sender@sound.example>", f"<user@{SOFT}>", "reject")}, lines
    assert lines[0]["id"] == lines[1]["id"], lines
    assert re.search(rf"^Watched .*\b{before + 2} spf\b", front.lab.ctl("status").out, re.MULTILINE)


def test_wishes_that_cannot_be_met(front):
    """One line that names the file and the line; the agent keeps what it has."""
    path = front.lab.write_config(**front.settings(smtp={"domains": [OWN]}, check={**CHECKS, "domains": [f"{OWN} score=tag"], "stage": "connect"}))
    refused = front.lab.ctl("config", "check", path, check=False)
    lines = refused.err.splitlines()
    assert refused.rc == 4 and len(lines) == 1, refused
    assert re.fullmatch(rf"posternctl: {path}:\d+: check\.domains: {OWN}: a milder score needs check\.stage rcpt, .*", lines[0]), lines
    assert front.lab.ctl("reload", check=False).rc != 0
    assert dialogue(front, "203.0.113.201", FROM_NOBODY, f"RCPT TO:<user@{SOFT}>")[1].startswith("250")
