#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Lists every branch of the XDP program with the packet cases that take it, and fails if one is not taken.

The list is made from the program itself: the host build of the packet tests is compiled with source
coverage, each case is run by itself and leaves a profile, and llvm-cov says which side of which
condition was taken. Conditions that the compiler decides (loops with fixed bounds) are left out.

usage: coverage.py PROGRAM REPORT
  PROGRAM  build/tests/packet/packet-coverage
  REPORT   where the list is written
"""
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

LLVM_COV = "llvm-cov-14"
LLVM_PROFDATA = "llvm-profdata-14"
SOURCE = "bpf/"


def run_cases(program, directory):
    """Runs all cases; each leaves NAME.profraw in the directory."""
    # The runtime opens a file before main() names another: default.profraw, unless it is told where.
    env = {**os.environ, "LLVM_PROFILE_FILE": os.devnull}
    done = subprocess.run([program, "--profile", directory], capture_output=True, text=True, env=env)
    if done.returncode:
        sys.exit(f"coverage: the packet cases fail on the host:\n{done.stderr[-4000:]}")
    profiles = sorted(pathlib.Path(directory).glob("*.profraw"))
    if not profiles:
        sys.exit("coverage: no case has left a profile")
    return profiles


def branches_of(program, profile):
    """{(file, line, column, condition number, side): times} of one profile."""
    merged = f"{profile}.data"
    subprocess.run([LLVM_PROFDATA, "merge", "-sparse", "-o", merged, profile], check=True)
    out = subprocess.run([LLVM_COV, "export", program, f"-instr-profile={merged}"],
                         check=True, capture_output=True, text=True).stdout
    os.unlink(merged)
    taken = collections.Counter()
    for function in json.loads(out)["data"][0]["functions"]:
        for branch in function["branches"]:
            line, column, _, _, true, false, file_id = branch[:7]
            name = function["filenames"][file_id]
            at = name.find(SOURCE)
            if at < 0:
                continue
            key = (name[at:], line, column)
            taken[key + (True,)] += true
            taken[key + (False,)] += false
    return taken


def source_text(key, cache={}):
    """The condition's line, to be read beside its number."""
    name, line = key[0], key[1]
    if name not in cache:
        cache[name] = pathlib.Path(name).read_text().splitlines()
    return cache[name][line - 1].strip()


def fixed_by_compiler(key):
    """A loop over a constant range: both sides are taken by every case, or the compiler unrolls it."""
    return source_text(key).startswith("for (") and "&&" not in source_text(key)


def write_report(path, sides, cases):
    lines = [f"{len(sides)} branches (each side of each condition), {cases} packet cases", ""]
    for key in sorted(sides):
        name, line, column, side = key
        names = sides[key]
        lines.append(f"{name}:{line}:{column} {'true ' if side else 'false'}  {source_text(key)}")
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        lines.append(f"    {shown or 'NOT TAKEN'}")
    pathlib.Path(path).write_text("\n".join(lines) + "\n")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, report = sys.argv[1:]
    sides = {}
    with tempfile.TemporaryDirectory() as directory:
        profiles = run_cases(program, directory)
        for profile in profiles:
            for key, times in branches_of(program, profile).items():
                names = sides.setdefault(key, [])
                if times:
                    names.append(profile.stem.replace("_", " "))
    sides = {key: names for key, names in sides.items() if not fixed_by_compiler(key)}
    write_report(report, sides, len(profiles))
    missed = sorted(key for key, names in sides.items() if not names)
    for name, line, column, side in missed:
        print(f"coverage: {name}:{line}:{column}: no case makes this {str(side).lower()}: "
              f"{source_text((name, line))}", file=sys.stderr)
    print(f"{len(sides) - len(missed)} of {len(sides)} branches taken by {len(profiles)} cases; "
          f"see {report}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
