# SPDX-License-Identifier: GPL-2.0-only
"""A short run beside pyspf; `make differential-spf` is the long one."""
import os
from pathlib import Path

import pytest

spf = pytest.importorskip("spf", reason="skipped: pyspf (python3-spf) is not installed")

import differential  # noqa: E402

BUILD = Path(os.environ.get("BUILD", Path(__file__).resolve().parents[2] / "build"))
CASES = 1000


def test_postern_and_pyspf_agree_where_pyspf_is_right():
    results, _, left = differential.run(BUILD / "tests/spf/evaluate", CASES, differential.SEED)
    print(f"seed {differential.SEED}")
    assert sum(results.values()) == CASES
    assert len(results) == 7, "the cases should come to every result there is"
    assert left == []
