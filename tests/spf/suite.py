# SPDX-License-Identifier: GPL-2.0-only
"""The openspf suite for RFC 7208, which is read where it is and is not part of this project."""
import os
from pathlib import Path

import yaml

import zone

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("POSTERN_VECTORS", ROOT / "../shared/vectors"))
FILE = VECTORS / "spf/rfc7208-tests.yml"
CASES = 203


def scenarios():
    """(description, zone, cases by name) of each scenario; nothing if the suite is not there."""
    if not FILE.exists():
        return []
    return [(scenario["description"], zone.from_suite(scenario["zonedata"]), scenario["tests"])
            for scenario in yaml.safe_load_all(FILE.read_text(encoding="utf-8"))]


def accepted(case):
    """The results that a case accepts, the preferred one first."""
    result = case["result"]
    return result if isinstance(result, list) else [result]
