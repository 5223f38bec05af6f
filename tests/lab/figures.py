# SPDX-License-Identifier: GPL-2.0-only
"""Rows of a benchmark, as tools/bench_json.h writes them: printed as they come, and kept in build/bench/NAME.json.

A value that could not be had is a row, too: its value is null, and "note" says why.
"""
import json
import statistics

from lab import BUILD


class Missing(Exception):
    """Why there is no value: the words for the table."""


class Figures:
    def __init__(self):
        self.rows = []

    def add(self, figure, unit, subject, values, **more):
        """`more`: how it came about, for the file."""
        row = {"figure": figure, "value": statistics.median(values), "unit": unit, "subject": subject,
               "runs": len(values), "min": min(values), "max": max(values), **more}
        self.rows.append(row)
        print(f"{subject:38} {figure:40} {row['value']:12.3f} {unit}  ({row['min']:.3f} to {row['max']:.3f})", flush=True)

    def missing(self, figure, unit, subject, why):
        self.rows.append({"figure": figure, "value": None, "unit": unit, "subject": subject, "runs": 0,
                          "min": None, "max": None, "note": str(why)})
        print(f"{subject:38} {figure:40} {why}", flush=True)

    def find(self, figure, subject):
        """The row, or None."""
        return next((row for row in self.rows if (row["figure"], row["subject"]) == (figure, subject)), None)

    def write(self, name):
        path = BUILD / f"bench/{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.rows, indent=2) + "\n")
        return path
