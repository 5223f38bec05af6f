# SPDX-License-Identifier: GPL-2.0-only
"""back_edges.py: what it complains about, and that the programs as they are built give no cause."""
import os
import pathlib
import subprocess

import back_edges

BUILD = pathlib.Path(os.environ.get("BUILD", "build"))

MOVE, ADD = (0xb7, 0, 0, 0), (0x07, 0, 0, 1)
EXIT, CALL = (0x95, 0, 0, 0), (0x85, 0, 0, 1)


def jump(offset):
    return 0x05, 0, offset, 0


def jump_if(offset):
    return 0x15, 0, offset, 0


def test_a_loop_that_jumps_back():
    assert back_edges.back_edges([MOVE, ADD, jump_if(-2), EXIT]) == []
    assert back_edges.back_edges([MOVE, jump_if(1), jump(-2), EXIT]) == []


def test_a_loop_whose_head_is_behind_its_end():
    """It is entered at 3, and its end, at 2, falls into its head."""
    assert back_edges.back_edges([MOVE, jump(1), ADD, jump_if(-2), EXIT]) == [(2, 3)]
    assert back_edges.back_edges([MOVE, jump(1), CALL, jump_if(-2), EXIT]) == [(2, 3)]


def test_two_ways_that_meet_are_no_loop():
    assert back_edges.back_edges([MOVE, jump_if(2), ADD, jump(0), MOVE, EXIT]) == []


def test_a_program_that_clang_makes(tmp_path):
    """Its functions and their names are found."""
    source, made = tmp_path / "loop.c", tmp_path / "loop.o"
    source.write_text("int step(int n); int walk(int n) { int sum = 0; while (n > 0) { sum += n; n -= 3; } return sum; }\n")
    subprocess.run(["clang", "-target", "bpf", "-O1", "-c", "-o", made, source], check=True)
    (name, instructions), = back_edges.functions(made.read_bytes())
    assert name == "walk" and instructions[-1][0] == EXIT[0] and len(instructions) > 4


def test_a_file_without_functions(tmp_path):
    made = tmp_path / "none.o"
    subprocess.run(["clang", "-target", "bpf", "-x", "c", "-c", "-o", made, "-"], input=b"int nothing;\n", check=True)
    assert "no BPF functions" in back_edges.check(made)[0]


def test_the_programs_as_they_are():
    objects = sorted((BUILD / "bpf").glob("*.bpf.o"))
    assert BUILD / "bpf/gate_xdp.bpf.o" in objects
    assert [complaint for path in objects for complaint in back_edges.check(path)] == []
