# SPDX-License-Identifier: GPL-2.0-only
"""The figures of bench_peers.py as one SVG: a panel of bars for each, drawn by hand.

A panel has a row for each peer and in it a bar for each size of list. Scales are logarithmic where values differ by
orders of magnitude. Where there is no value stands why.

usage: plot.py FIGURES.json PLOT.svg
"""
import html
import json
import math
import os
import pathlib
import re
import sys

WIDTH, LABEL, BAR, GAP, NOTE = 1000, 250, 12, 7, 90
PLOT = WIDTH - LABEL - NOTE
COLOURS = ("#9ecae1", "#4292c6", "#084594")
OURS, OTHERS = "#b30000", "#333333"
STYLE = "text { font: 12px sans-serif; fill: #333 } .title { font-size: 20px; font-weight: bold } " \
        ".panel { font-size: 15px; font-weight: bold } .small { font-size: 10px } .grid { stroke: #ddd }"
# (figure, title, unit, whether the scale is logarithmic)
PANELS = [
    ("dropped by a whole CPU", "Packets dropped by one CPU that also sends them, every packet a hit", "M packets/s", False),
    ("CPU a packet", "CPU time a packet, that of sending it included", "ns", True),
    ("load", "Time to load the list", "ms", True),
    ("replace", "Time to replace the list by another", "ms", True),
    ("add one", "Time to add one entry", "ms", True),
    ("memory", "Memory", "MiB", True),
]
FLOOD_PANELS = [
    ("mails during flood", "Mail delivered during a flood as fast as one CPU can send and take it", "mails/s", False),
    ("mail during flood, 50 % within", "Half of the mail was delivered within", "ms", True),
    ("mail during flood, 99 % within", "99 % of the mail was delivered within", "ms", True),
    ("flood, received", "The flood that arrived meanwhile", "M packets/s", False),
]


def text(x, y, words, kind="", anchor="start", colour=None):
    fill = f' style="fill: {colour}"' if colour else ""
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{kind}" text-anchor="{anchor}"{fill}>{html.escape(words)}</text>'


def short(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


class Scale:
    """From values to lengths."""

    def __init__(self, values, logarithmic):
        self.high = max(values, default=1) or 1
        positive = [value for value in values if value > 0]
        self.log = logarithmic and bool(positive)
        self.low = 10 ** math.floor(math.log10(min(positive)) - 0.01) if self.log else 0
        if self.log:
            self.high = 10 ** math.ceil(math.log10(self.high) + 0.01)

    def length(self, value):
        if self.log:
            return PLOT * math.log10(max(value, self.low) / self.low) / math.log10(self.high / self.low)
        return PLOT * value / self.high

    def ticks(self):
        if self.log:
            first, last = round(math.log10(self.low)), round(math.log10(self.high))
            return [10.0 ** power for power in range(first, last + 1)]
        step = 10 ** math.floor(math.log10(self.high))
        step = step / 5 if self.high / step < 2 else step / 2 if self.high / step < 5 else step
        return [step * i for i in range(int(self.high / step) + 1)]


class Drawing:
    def __init__(self):
        self.parts, self.y = [], 0

    def title(self, words, below):
        self.parts += [text(20, 32, words, "title"), text(20, 54, below)]
        self.y = 74

    def legend(self, names):
        x = 20
        for name, colour in zip(names, COLOURS):
            self.parts += [f'<rect x="{x}" y="{self.y}" width="12" height="12" fill="{colour}"/>',
                           text(x + 18, self.y + 11, name)]
            x += 40 + 8 * len(name)
        self.y += 26

    def panel(self, title, unit, logarithmic, groups):
        """groups: [(label, [row or None, ...])], a row for each colour."""
        rows = [row for _, bars in groups for row in bars if row and row["value"] is not None]
        scale = Scale([row["value"] for row in rows], logarithmic)
        self.y += 18
        self.parts.append(text(20, self.y, f"{title} ({unit}{', logarithmic' if scale.log else ''})", "panel"))
        self.y += 10
        top, place = self.y, len(self.parts)
        for label, bars in groups:
            self.group(label, bars, scale)
        self.parts[place:place] = self.grid(scale, top)
        self.y += 30

    def grid(self, scale, top):
        parts = []
        for tick in scale.ticks():
            x = LABEL + scale.length(tick)
            parts += [f'<line x1="{x:.0f}" x2="{x:.0f}" y1="{top}" y2="{self.y}" class="grid"/>',
                      text(x, self.y + 12, short(tick), "small", "middle")]
        return parts

    def group(self, label, bars, scale):
        ours = label.startswith("Postern")
        shown = [(row, COLOURS[i]) for i, row in enumerate(bars) if row]
        middle = self.y + max(1, len(shown)) * BAR / 2 + 4
        self.parts.append(text(LABEL - 8, middle, label, "", "end", OURS if ours else OTHERS))
        for row, colour in shown:
            self.bar(row, colour, scale)
        self.y += GAP + (0 if shown else BAR)

    def bar(self, row, colour, scale):
        if row["value"] is None:
            self.parts.append(text(LABEL + 4, self.y + BAR - 2, row["note"], "small"))
        else:
            length = scale.length(row["value"])
            self.parts += [f'<rect x="{LABEL}" y="{self.y}" width="{max(1, length):.1f}" height="{BAR - 1}" fill="{colour}"/>',
                           text(LABEL + length + 5, self.y + BAR - 2, short(row["value"]), "small")]
        self.y += BAR

    def svg(self):
        return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.y}" width="{WIDTH}" height="{self.y}">\n' \
               "<!-- SPDX-License-Identifier: GPL-2.0-only -->\n" \
               f"<style>{STYLE}</style>\n" \
               f'<rect width="{WIDTH}" height="{self.y}" fill="white"/>\n' + "\n".join(self.parts) + "\n</svg>\n"


def machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"{os.cpu_count()} CPUs ({model.group(1) if model else os.uname().machine}), Linux {'.'.join(os.uname().release.split('.')[:2])}"


def ordered(names):
    return list(dict.fromkeys(names))


def reason_or_row(found, figure, name):
    """A defence that could not be measured says why in each panel."""
    mails = found.get(("mails during flood", name))
    return found.get((figure, name)) or (mails if mails and mails["value"] is None else None)


def draw(rows):
    """Subjects of lists are "PEER, SIZE"; those of the flood are the names of the defences."""
    figures = {figure for figure, *_ in PANELS}
    listed = [row for row in rows if row["figure"] in figures and row["subject"].endswith((" K", " M"))]
    found = {(row["figure"], row["subject"]): row for row in rows}
    peers = ordered(row["subject"].rpartition(", ")[0] for row in listed)
    sizes = ordered(row["subject"].rpartition(", ")[2] for row in listed)
    defences = ordered(row["subject"] for row in rows if row["figure"].startswith("mail"))
    drawing = Drawing()
    drawing.title("Postern beside what else could do its work",
                  f"One run of make bench-peers over veth; {machine()}. All figures: docs/bench-peers.json")
    drawing.legend([f"{size} entries" for size in sizes])
    for figure, title, unit, logarithmic in PANELS if listed else ():
        groups = [(peer, [found.get((figure, f"{peer}, {size}")) for size in sizes]) for peer in peers]
        drawing.panel(title, unit, logarithmic, [(peer, bars) for peer, bars in groups if any(bars)])
    for figure, title, unit, logarithmic in FLOOD_PANELS if defences else ():
        drawing.panel(title, unit, logarithmic, [(name, [reason_or_row(found, figure, name)]) for name in defences])
    return drawing.svg()


if __name__ == "__main__":
    pathlib.Path(sys.argv[2]).write_text(draw(json.loads(pathlib.Path(sys.argv[1]).read_text())))
