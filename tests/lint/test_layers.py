# SPDX-License-Identifier: GPL-2.0-only
"""Each rule of layers.py fires on a small tree that breaks it, and on nothing else."""
from pathlib import Path

import pytest

import layers

ROOT = Path(__file__).resolve().parents[2]

# A tree in which everything is as it should be.
CLEAN = {
    "maps/abi.h": "#include <linux/types.h>\n",
    "maps/table.h": '#include "abi.h"\n',
    "bpf/packet.h": '#include <linux/ip.h>\n#include <bpf/bpf_helpers.h>\n#include "maps/table.h"\n',
    "bpf/parse.h": '#include "bpf/packet.h"\n',
    "bpf/gate_xdp.bpf.c": '#include <xdp/xdp_helpers.h>\n#include "bpf/parse.h"\n',
    "userspace/lib/error.h": "#include <stdarg.h>\n",
    "userspace/store/store.h": '#include "lib/error.h"\n#include "maps/table.h"\n',
    "userspace/gate/gate.c": '#include <bpf/libbpf.h>\n#include "gate_xdp.skel.h"\n#include "store/store.h"\n',
    "userspace/daemon/daemon.h": "",
    "userspace/daemon/main.c": '#include "version.h"\n#include "store/store.h"\n',
    "userspace/conf/conf.h": '#include "lib/error.h"\n',
    "tools/ctl.h": '#include "conf/conf.h"\n#include "lib/error.h"\n#include "maps/abi.h"\n',
    "tools/ctl_top.c": '#include <ncurses.h>\n#include "tools/ctl.h"\n',
    "userspace/checks/spf.h": "",
    "tools/ctl_check_spf.c": '#include "checks/spf.h"\n#include "conf/conf.h"\n#include "tools/ctl.h"\n',
    "tools/bench_table.c": '#include <bpf/bpf.h>\n#include "gate_xdp.skel.h"\n#include "store/store.h"\n',
}

BROKEN = [
    # file, what it includes, a part of the complaint
    ("userspace/lib/log.c", '#include "conf/conf.h"', "lib must not include conf"),
    ("userspace/store/store.c", '#include "daemon/missing.h"', "no such file"),
    ("userspace/store/store.c", '#include "daemon/daemon.h"', "store must not include daemon"),
    ("userspace/store/store.c", "#include <bpf/libbpf.h>", "only gate/"),
    ("userspace/store/store.c", "#include <xdp/libxdp.h>", "only gate/"),
    ("userspace/obs/stats.c", '#include "gate_xdp.skel.h"', "only gate/"),
    ("userspace/store/store.c", '#include "bpf/parse.h"', "only itself and maps/"),
    ("userspace/store/store.c", '#include "tools/ctl.h"', "only itself and maps/"),
    ("userspace/strange/odd.c", '#include "lib/error.h"', "module strange has no place"),
    ("userspace/lib/log.c", "#  include <store/store.h>", "lib must not include store"),
    ("userspace/lib/log.c", '#include "../store/store.h"', "lib must not include store"),
    ("tools/ctl_why.c", '#include "store/store.h"', "tools/ includes only lib/, conf/ and maps/"),
    ("tools/ctl_why.c", '#include "bpf/parse.h"', "tools/ includes only lib/, conf/ and maps/"),
    ("tools/ctl_why.c", '#include "checks/spf.h"', "tools/ includes only"),
    ("tools/ctl_check.c", '#include "store/store.h"', "commands of check include only"),
    ("tools/ctl_check.c", '#include "gate_xdp.skel.h"', "does not use libbpf"),
    ("tools/ctl_why.c", "#include <bpf/bpf.h>", "does not use libbpf"),
    ("tools/ctl_why.c", '#include "gate_xdp.skel.h"', "does not use libbpf"),
    ("tools/bench_odd.c", '#include "daemon/daemon.h"', "benchmarks include only"),
    ("tools/bench_odd.c", '#include "bpf/parse.h"', "benchmarks include only"),
    ("bpf/packet.h", '#include "bpf/parse.h"', "packet must not include parse"),
    ("bpf/odd.h", '#include "bpf/packet.h"', "stage odd has no place"),
    ("bpf/packet.h", "#include <string.h>", "only the kernel's"),
    ("bpf/gate_xdp.bpf.c", '#include "userspace/lib/error.h"', "only itself and maps/"),
    ("bpf/gate_xdp.bpf.c", '#include "lib/error.h"', "only itself and maps/"),
    ("maps/abi.h", "#include <stdint.h>", "only itself and <linux/types.h>"),
    ("maps/abi.h", '#include "../bpf/packet.h"', "only itself and <linux/types.h>"),
]


def plant(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_clean_tree_passes(tmp_path):
    plant(tmp_path, CLEAN)
    assert layers.violations(tmp_path) == []


@pytest.mark.parametrize("file, include, complaint", BROKEN)
def test_a_rule_fires(tmp_path, file, include, complaint):
    plant(tmp_path, CLEAN)
    plant(tmp_path, {file: f"/* one */\n{include}\n"})
    found = layers.violations(tmp_path)
    assert len(found) == 1
    assert found[0].startswith(f"{file}:2: ")
    assert complaint in found[0]


@pytest.mark.parametrize("left, right", list(zip(layers.MODULES, layers.MODULES[1:])))
def test_modules_look_left_only(tmp_path, left, right):
    plant(tmp_path, {f"userspace/{left}/a.h": f'#include "{right}/b.h"\n', f"userspace/{right}/b.h": ""})
    assert layers.violations(tmp_path) == [
        f"userspace/{left}/a.h:1: {right}/b.h: module {left} must not include {right}, which stands to its right"]
    plant(tmp_path, {f"userspace/{left}/a.h": "", f"userspace/{right}/b.h": f'#include "{left}/a.h"\n'})
    assert layers.violations(tmp_path) == []


def test_an_include_in_a_comment_is_not_one(tmp_path):
    plant(tmp_path, {"userspace/lib/log.c": '/* see #include "daemon/daemon.h" */\n'})
    assert layers.violations(tmp_path) == []


def test_this_tree():
    assert layers.violations(ROOT) == []


def test_the_order_is_the_one_that_is_documented():
    text = (ROOT / "docs/architecture.md").read_text()
    assert "`" + " → ".join(layers.MODULES) + "`" in text
