# SPDX-License-Identifier: GPL-2.0-only
"""More that is refused: full tables, files that are no lists, limits that contradict. One line, and nothing changed."""
import contextlib
import os

import pytest

from lab import BUILD

CAPACITY = 1000
FAMILIES = {"ipv4": ("table.capacity-ipv4", "11.0.{}.{}", "192.0.2.77"),
            "ipv6": ("table.capacity-ipv6", "2a00:1:{:x}:{:x}::1", "2001:db8::77")}


def everything(lab):
    status = lab.ctl("status", "--json").json
    return (lab.ctl("block", "show", "--json").out, lab.ctl("allow", "show", "--json").out,
            lab.ctl("limits", "show", "--json").out, status["lists"], status["interfaces"], status["monitor"],
            status["table"]["entries4"], status["table"]["entries6"])


@contextlib.contextmanager
def nothing_changes(lab):
    before = everything(lab)
    yield
    assert everything(lab) == before


def refused(lab, *arguments, rc=4):
    done = lab.ctl(*arguments, check=False)
    assert done.rc == rc and not done.out, done
    assert done.err.count("\n") == 1 and done.err.startswith("posternctl: "), done
    return done.err


@pytest.mark.parametrize("family", FAMILIES)
def test_a_table_that_is_full(fresh, no_limits, family):
    """One entry too many is refused however it comes; one less, and there is room for it; a restart holds all."""
    option, pattern, extra = FAMILIES[family]
    table = {"capacity-ipv4": CAPACITY, "capacity-ipv6": CAPACITY, "sources": 4096}
    fresh.listen()
    fresh.start_posternd(limits=no_limits, table=table)
    addresses = [pattern.format(i // 250 + 1, i % 250 + 1) for i in range(CAPACITY)]
    exact, over = fresh.directory / "exact", fresh.directory / "over"
    exact.write_text("\n".join(addresses) + "\n")
    over.write_text("\n".join([*addresses, extra]) + "\n")
    fresh.ctl("block", "load", "exact", exact)
    with nothing_changes(fresh):
        for command in (["block", "add", extra], ["allow", "add", extra], ["block", "load", "exact", over],
                        ["block", "load", "other", over]):
            assert option in refused(fresh, *command)
    assert fresh.connect(extra) == "open"
    fresh.ctl("block", "add", addresses[0], "--action", "reset")  # is in the table already
    fresh.stop_posternd()
    fresh.start_posternd(limits=no_limits, table=table)
    assert len(fresh.ctl("block", "show", "--list", "exact", "--json").json) == CAPACITY
    fresh.ctl("block", "del", addresses[1], "--list", "exact")
    fresh.ctl("block", "add", extra)
    assert fresh.connect(extra) == "timeout"


def test_files_that_are_no_lists(lab):
    place = lab.directory
    (place / "empty").write_text("")
    (place / "comments").write_text("# nothing\n\n; at all\n")
    (place / "binary").write_bytes(bytes(range(256)) * 400)
    (place / "long").write_text("1" * 100000 + "\n")
    lab.ctl("block", "add", "192.0.2.1", "--list", "x")
    with nothing_changes(lab):
        for name in ("empty", "comments", "binary", "long", "."):
            assert str(place) in refused(lab, "block", "load", "x", place / name)
        (place / "secret").write_text("192.0.2.9\n")
        assert "format" in refused(lab, "block", "load", "x", place / "secret", "--format", "nosuch", rc=2)


def test_what_is_shown_of_a_bad_line_cannot_reach_the_terminal(lab):
    path = lab.directory / "escape"
    path.write_bytes(b"192.0.2.1\n\x1b[31mred\x07\x9b2J\n")
    said = refused(lab, "block", "load", "x", path)
    assert f"{path}:2" in said and all(character.isprintable() for character in said.rstrip("\n"))


def test_the_first_bad_lines_are_named_and_the_rest_counted(lab):
    path = lab.directory / "nine"
    path.write_text("192.0.2.1\n" + "bad\n" * 9)
    said = refused(lab, "block", "load", "x", path)
    assert all(f"{path}:{line}:" in said for line in range(2, 7)) and "4 more" in said
    taken = lab.ctl("block", "load", "x", path, "--skip-bad", "--json").json
    assert taken["ipv4"] == 1 and taken["skipped"] == 9


@pytest.mark.parametrize("first, second, words", [
    (("rate-net", 10), ("rate-source", 20), ["rate-source", "rate-net", "10"]),
    (("conn-site", 10), ("conn-net", 20), ["conn-net", "conn-site", "10"]),
    (None, ("burst-site", 5), ["burst-site", "rate-site"])])
def test_limits_that_contradict(lab, first, second, words):
    if first:
        lab.ctl("limits", "set", *first)
    with nothing_changes(lab):
        said = refused(lab, "limits", "set", *second)
    if first:
        lab.ctl("limits", "set", first[0], "default")
    for word in words:
        assert word in said


def test_a_list_that_the_user_may_not_read(lab):
    path = lab.directory / "private"
    path.write_text("192.0.2.1\n")
    path.chmod(0o600)
    done = lab.ns(lab.gateway, "setpriv", "--reuid", "65534", "--regid", os.stat(lab.socket).st_gid, "--clear-groups",
                  BUILD / "posternctl", "--socket", lab.socket, "block", "load", "x", path, check=False)
    assert done.rc == 4 and done.err.count("\n") == 1 and str(path) in done.err and "denied" in done.err
