# SPDX-License-Identifier: GPL-2.0-only
"""Labs for the tests: one for each file, with Postern running in it; a file that needs another makes it."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from lab import NO_LIMITS, Lab  # noqa: E402


@pytest.fixture(scope="module")
def lab():
    """A lab with Postern on both interfaces and without limits, so that only what a test asks for counts."""
    with Lab("test") as made:
        made.start_posternd(limits=NO_LIMITS)
        yield made


@pytest.fixture
def fresh():
    """A lab of the test's own, in which nothing has been started."""
    with Lab("fresh") as made:
        yield made


@pytest.fixture
def no_limits():
    return dict(NO_LIMITS)


@pytest.fixture(autouse=True)
def clean_lists(request):
    """Takes away the lists that a test left in a shared lab, and monitor mode."""
    yield
    if "lab" not in request.fixturenames:
        return
    lab = request.getfixturevalue("lab")
    if lab.posternd is None or lab.posternd.poll() is not None:
        return
    for row in lab.ctl("status", "--json").json["lists"]:
        if row["monitor"]:
            lab.ctl("monitor", "off", "--list", row["list"])
        if row["list"] != "learned":
            lab.ctl(row["kind"], "clear", row["list"])
    lab.ctl("monitor", "off")
