#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Checks who includes whom. docs/architecture.md says why; the tables below are the rules.

- A module of userspace/ includes only itself, what stands to its left in MODULES, and maps/.
- Only gate/ includes libbpf, libxdp and the skeletons of the BPF programs.
- tools/ includes lib/, conf/ and maps/; the commands of `check` (tools/ctl_check*), which run the code of the gateway
  and need no agent, also dns/ and checks/; that of `config check` also session/files.h; benchmarks (tools/bench_*) also store/, gate/, policy/, libbpf and the
  skeletons.
- A stage of bpf/ includes what stands to its left in STAGES, and maps/. No C library, nothing of userspace/.
- maps/ includes itself and <linux/types.h>: it is compiled by both sides.

usage: layers.py [ROOT]     prints one line for each include that is against a rule; exit status 1 if there are any
"""
import re
import sys
from pathlib import Path

MODULES = ("lib conf store loop gate dns checks policy content accounts backend session obs ctl daemon").split()
TOOLS_MODULES = "lib conf".split()
CHECK_MODULES = "lib conf dns checks".split()
BENCH_MODULES = "lib conf store gate dns checks policy".split()
CONFIG_FILES = "userspace/session/files.h"
STAGES = ("packet maps parse lookup cell socket report limit siphash proved learned newcomer handshake flood reply banner "
          "hold reset cookie gate bench_round bench_question").split()

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
BPF_SYSTEM = re.compile(r"(linux|bpf|xdp)/")
GATE_ONLY = re.compile(r"(bpf|xdp)/")
MADE_BY_BUILD = re.compile(r"(version\.h|\w+\.skel\.h)$")


def resolve(root, file, quote, name):
    """The included file relative to the root, or None if it is not the project's."""
    places = ([file.parent] if quote == '"' else []) + [root / "userspace", root]
    for place in places:
        path = (place / name).resolve()
        if path.is_file() and path.is_relative_to(root):
            return path.relative_to(root)
    return None


def order_rule(order, kind, own, other):
    """What is wrong with `own` including `other`, where both belong into `order`."""
    for name in (own, other):
        if name not in order:
            return f"{kind} {name} has no place in the order of layers.py"
    if order.index(other) > order.index(own):
        return f"{kind} {own} must not include {other}, which stands to its right"
    return None


def userspace_rule(file, target, name):
    own = file.parts[1]
    if target is None:
        if own != "gate" and (GATE_ONLY.match(name) or name.endswith(".skel.h")):
            return "only gate/ uses libbpf, libxdp and the skeletons"
        return None
    if target.parts[0] == "maps":
        return None
    if target.parts[0] != "userspace":
        return "userspace/ includes only itself and maps/"
    return order_rule(MODULES, "module", own, target.parts[1])


def tools_rule(file, target, name):
    bench, check = file.name.startswith("bench_"), file.name.startswith("ctl_check")
    if target is None:
        return "tools/ does not use libbpf, libxdp or the skeletons" \
            if not bench and (GATE_ONLY.match(name) or name.endswith(".skel.h")) else None
    if target.parts[0] in ("tools", "maps"):
        return None
    if file.name == "ctl_config.c" and str(target) == CONFIG_FILES:
        return None
    modules = BENCH_MODULES if bench else CHECK_MODULES if check else TOOLS_MODULES
    if target.parts[0] == "userspace" and target.parts[1] in modules:
        return None
    who = "benchmarks include" if bench else "commands of check include" if check else "tools/ includes"
    return f"{who} only {'/, '.join(modules)}/ and maps/"


def bpf_rule(file, target, name):
    if target is None:
        return None if BPF_SYSTEM.match(name) else "bpf/ includes only the kernel's, libbpf's and libxdp's headers"
    if target.parts[0] == "maps":
        return None
    if target.parts[0] != "bpf":
        return "bpf/ includes only itself and maps/"
    if file.name.endswith(".bpf.c"):
        return None
    return order_rule(STAGES, "stage", file.stem, target.stem)


def maps_rule(_file, target, name):
    if target is None:
        return None if name == "linux/types.h" else "maps/ includes only itself and <linux/types.h>"
    return None if target.parts[0] == "maps" else "maps/ includes only itself and <linux/types.h>"


RULES = {"userspace": userspace_rule, "tools": tools_rule, "bpf": bpf_rule, "maps": maps_rule}


def violations(root):
    """One line for each include below `root` that is against a rule."""
    root = Path(root).resolve()
    found = []
    for folder, rule in RULES.items():
        for file in sorted((root / folder).rglob("*.[ch]")):
            relative = file.relative_to(root)
            for number, line in enumerate(file.read_text().splitlines(), 1):
                include = INCLUDE.match(line)
                if not include:
                    continue
                quote, name = include.groups()
                target = resolve(root, file, quote, name)
                if target is None and quote == '"' and not MADE_BY_BUILD.search(name):
                    wrong = "no such file"
                else:
                    wrong = rule(relative, target, name)
                if wrong:
                    found.append(f"{relative}:{number}: {name}: {wrong}")
    return found


def main():
    found = violations(sys.argv[1] if len(sys.argv) > 1 else ".")
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
