# SPDX-License-Identifier: GPL-2.0-only
"""Large list files of both families, for tests and benchmarks."""
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
