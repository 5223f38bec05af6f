# SPDX-License-Identifier: GPL-2.0-only
"""What `make bench-peers` stands on: the fast flood is whole and counted, peers drop all of it, the plot is a picture."""
import json
import xml.etree.ElementTree as ElementTree

import pytest

import plot
from bed import TOOLS, Bed
from figures import Figures, Missing
from lab import Failed, run
from peers import Entries, Hash, Nft, Postern, PosternLimits, Trie

COUNT = 2000


@pytest.fixture(scope="module")
def entries(tmp_path_factory):
    return Entries(tmp_path_factory.mktemp("entries"), COUNT, 1)


def test_every_frame_arrives_once(entries):
    """What the generator has counted, the interface has received, and the program there has dropped."""
    with Bed("whole") as bed:
        bed.peermap(bed.gateway, "bare", TOOLS / "peers.bpf.o", "g0")
        before = bed.received()
        report = json.loads(bed.ns(bed.internet, *bed.spray_command(entries.path("sources"), 0.2)).out)
        assert report["sent"] > 10000
        assert 0 <= bed.received() - before - report["sent"] < 10  # neighbour discovery may add some


def test_it_keeps_its_pace(entries):
    with Bed("pace") as bed:
        report = json.loads(bed.ns(bed.internet, *bed.spray_command(entries.path("sources"), 0.5, 20000)).out)
        assert report["sent"] / report["seconds"] == pytest.approx(20000, rel=0.1)


def test_it_stays_in_its_namespace(entries):
    with Bed("inside") as bed:
        done = run(*bed.spray_command(entries.path("sources"), 0.2), check=False)
        assert done.rc == 2 and "namespace of a test" in done.err


def test_lists_do_not_overlap(entries):
    lines = entries.path("plain").read_text().split()
    assert len(set(lines)) == COUNT and sum("/" in line for line in lines) == COUNT // 5
    networks = {line.rpartition(".")[0] for line in lines if line.endswith(".0/24")}
    assert not networks & {line.rpartition(".")[0] for line in lines if "/" not in line}


@pytest.mark.parametrize("kind", [Postern, Hash, Trie, Nft])
def test_a_peer_drops_the_flood(entries, kind):
    """And lets through, which is found, when its list is another one."""
    peer = kind()
    try:
        peer.prepare(entries)
        peer.load(entries)
        peer.add("10.200.0.1")
        assert peer.memory() >= 0
        assert peer.bed.spray(entries.path("sources"), 0.2)["rate"] > 1000
        with pytest.raises(Failed, match="let through"):
            peer.bed.spray(entries.path("misses"), 0.2)
    finally:
        peer.close()


def test_the_last_rule_drops_what_is_within_its_limits(entries):
    peer = PosternLimits()
    try:
        peer.prepare(entries)
        peer.load(entries)
        peer.bed.spray(entries.path("misses"), 0.2)
        assert peer.bed.packets("accepted") > 1000 and peer.bed.packets("listed") == 0
        peer.exceed()
        peer.bed.spray(entries.path("misses"), 0.2)
        assert peer.bed.packets("rate-source") > 1000
    finally:
        peer.close()


def test_the_plot():
    """Bars for values, words where there are none."""
    figures = Figures()
    figures.add("load", "ms", "Postern, 10 K", [1, 2, 3])
    figures.missing("load", "ms", "nftables, 10 K", Missing("over budget: 90 s"))
    figures.add("mails during flood", "mails/s", "none", [0])
    drawn = plot.draw(figures.rows)
    words = [element.text for element in ElementTree.fromstring(drawn).iter() if element.text]
    assert "over budget: 90 s" in words and "Postern" in words and "none" in words
