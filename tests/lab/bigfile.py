# SPDX-License-Identifier: GPL-2.0-only
"""Large list files, for tests and benchmarks."""
import random

BOTH4, BOTH6 = "203.0.113.77", "2001:db8:77::1"  # on every version of the big list


def write_list(path, seed, count):
    """Entries of both families, two of which are on every version; more than half are addresses."""
    number = random.Random(seed)
    with open(path, "w") as out:
        out.write(f"# version {seed}\n{BOTH4}\n{BOTH6}\n")
        for i in range(count - 2):
            kind = i % 20
            if kind < 12:
                out.write(f"{number.randrange(11, 203)}.{number.randrange(256)}.{number.randrange(256)}"
                          f".{number.randrange(1, 255)}\n")
            elif kind < 15:
                out.write(f"{number.randrange(11, 203)}.{number.randrange(256)}.{number.randrange(256)}.0/24\n")
            elif kind < 18:
                out.write(f"2a{number.randrange(256):02x}:{number.randrange(65536):x}:{number.randrange(65536):x}"
                          f":{number.randrange(65536):x}::{number.randrange(1, 65536):x}\n")
            else:
                out.write(f"2a{number.randrange(256):02x}:{number.randrange(65536):x}:{number.randrange(1, 65536):x}"
                          f":{number.randrange(1, 65536):x}::/64\n")
    return path


def write_ipv4_list(path, seed, count):
    """Of fifty entries 45 are random addresses, four are /24s and one has another length from 16 to 31."""
    number = random.Random(seed)
    with open(path, "w") as out:
        for i in range(count):
            kind = i % 50
            length = 32 if kind < 45 else 24 if kind < 49 else number.choice([*range(16, 24), *range(25, 32)])
            address = (11 + number.getrandbits(20) % 190 << 24 | number.getrandbits(24)) >> 32 - length << 32 - length
            text = ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))
            out.write(text + "\n" if length == 32 else f"{text}/{length}\n")
    return path
