# SPDX-License-Identifier: GPL-2.0-only
"""How `make demo` tells what happens: steps, colours, and rows that add up or do not."""
import os
import sys

COLOURS = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(colour, text):
    return f"\033[{colour}m{text}\033[0m" if COLOURS else text


def say(text=""):
    print(text, flush=True)


def step(text):
    say("\n" + paint("1;36", f"== {text}"))


def dropped(text):
    return paint("1;31", text)


def good(text):
    return paint("1;32", text)


def show_check(name, value, against="", expected=None):
    """A row of a summary; whether it holds."""
    if expected is None:
        say(f"{name:36} {value:>9,}")
        return True
    holds = value == expected
    mark = good("adds up") if holds else dropped("DOES NOT ADD UP")
    say(f"{name:36} {value:>9,}   {mark}  ({against}: {expected:,})")
    return holds
