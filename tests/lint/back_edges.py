#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Loops of BPF programs that Linux 6.1 takes no program for: those whose head is fallen into from below.

The first look of its verifier at a program, which finds the loops, accepts a way back only where an instruction jumps. Where
clang has laid a loop out with its head behind its end, the way back is the step from one instruction to the next, and the program is
refused: "back-edge from insn 6365 to 6366". Newer kernels load it, so nothing else here would show it.

The walk is that verifier's, depth first and in its order, because which way is the one back depends on it.

usage: back_edges.py OBJECT ...
"""
import struct
import sys

SECTION = struct.Struct("<IIQQQQIIQQ")
SYMBOL = struct.Struct("<IBBHQQ")
INSTRUCTION = struct.Struct("<BBhi")
SYMBOL_TABLE, FUNCTION = 2, 2
JUMPS = (5, 6)  # classes of instructions, of 64 and 32 bits
ALWAYS, CALL, EXIT = 0x00, 0x80, 0x90  # operations of JUMPS; all others have a condition


def next_of(instructions, at):
    """(where it may go on, whether by a jump), in the verifier's order."""
    code, _registers, offset, _value = instructions[at]
    if code & 7 not in JUMPS or code & 0xf0 == CALL:
        return [(at + 1, False)]
    if code & 0xf0 == EXIT:
        return []
    if code & 0xf0 == ALWAYS:
        return [(at + offset + 1, True)]
    return [(at + 1, True), (at + offset + 1, True)]


def back_edges(instructions):
    """(from, to) of each way back of a function that is no jump."""
    found, entered, way = [], {0}, [(0, iter(next_of(instructions, 0)))]
    under_way = {0}
    while way:
        at, ways = way[-1]
        to, jump = next(ways, (None, None))
        if to is None:
            under_way.discard(at)
            way.pop()
        elif to not in entered:
            entered.add(to)
            under_way.add(to)
            way.append((to, iter(next_of(instructions, to))))
        elif to in under_way and not jump:
            found.append((at, to))
    return found


def name_at(strings, offset):
    return strings[offset:strings.index(b"\0", offset)].decode()


def functions(elf):
    """(name, instructions) of a BPF object."""
    start, = struct.unpack_from("<Q", elf, 0x28)
    size, count = struct.unpack_from("<HH", elf, 0x3a)
    sections = [SECTION.unpack_from(elf, start + i * size) for i in range(count)]
    content = [elf[section[4]:section[4] + section[5]] for section in sections]
    for section, symbols in zip(sections, content):
        if section[1] != SYMBOL_TABLE:
            continue
        for name, info, _other, within, value, length in SYMBOL.iter_unpack(symbols):
            if info & 0xf == FUNCTION and within < count:
                yield name_at(content[section[6]], name), list(INSTRUCTION.iter_unpack(content[within][value:value + length]))


def check(path):
    """The complaints about an object; fails if there is no function in it."""
    with open(path, "rb") as file:
        found = list(functions(file.read()))
    if not found:
        return [f"{path}: no BPF functions in it"]
    return [f"{path}: {name}: the step from instruction {at} to {to} goes back into a loop, which Linux 6.1 refuses"
            for name, instructions in found for at, to in back_edges(instructions)]


def main():
    complaints = [complaint for path in sys.argv[1:] for complaint in check(path)]
    print("\n".join(complaints), end="\n" if complaints else "")
    return 1 if complaints or not sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
