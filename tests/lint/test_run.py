# SPDX-License-Identifier: GPL-2.0-only
"""run.py counts what really ran, and takes everything that did not end well for a failure."""
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parents[1] / "run.py"
GOOD = "echo '[  PASSED  ] 3 test(s).'"
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
PYTEST_GOOD = "def test_a():\n    pass\n"


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "tests/unit").mkdir(parents=True)
    (tmp_path / "tests/lint").mkdir()
    (tmp_path / "build/tests/unit").mkdir(parents=True)
    return tmp_path


def plant(tree, name, script):
    """A test program that is a shell script."""
    (tree / f"tests/unit/{name}.c").touch()
    program = tree / f"build/tests/unit/{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def run(tree, *words, seconds=60, at_once=3):
    """(exit status, what the last line counts as passed and as failed, output)"""
    done = subprocess.run([RUN, "build", *words], cwd=tree, capture_output=True, text=True,
                          env={**os.environ, "PROGRAM_SECONDS": str(seconds), "SUITE_SECONDS": str(seconds),
                               "AT_ONCE": str(at_once)})
    last = re.fullmatch(r"(\d+) passed, (\d+) failed", done.stdout.splitlines()[-1])
    assert last, done.stdout + done.stderr
    return done.returncode, int(last[1]), int(last[2]), done.stdout


def test_everything_passes(tree):
    plant(tree, "test_one", GOOD)
    plant(tree, "test_two", f"{GOOD}; {GOOD}")
    assert run(tree, "tests/unit")[:3] == (0, 9, 0)


@pytest.mark.parametrize("script, passed, failed", [
    ("echo '[  PASSED  ] 2 test(s).'; echo '[  FAILED  ] 4 test(s), listed below:'; echo detail; exit 4", 2, 4),
    (f"{GOOD}; echo detail; exit 1", 3, 1),
    (f"{GOOD}; echo detail; kill -SEGV $$", 3, 1),
    ("echo detail; kill -SEGV $$", 0, 1),
    ("echo detail", 0, 1),
    ("echo '[  PASSED  ] 0 test(s).'; echo detail", 0, 1),
])
def test_a_failure(tree, script, passed, failed):
    plant(tree, "test_bad", script)
    plant(tree, "test_good", GOOD)
    status, all_passed, all_failed, output = run(tree, "tests/unit")
    assert (status, all_passed, all_failed) == (1, passed + 3, failed)
    assert "detail" in output.splitlines()


def test_too_long(tree):
    plant(tree, "test_slow", f"{GOOD}; sleep 1000")
    status, _, failed, output = run(tree, "tests/unit", seconds=1)
    assert (status, failed) == (1, 1) and "ended after 1 seconds" in output


def test_a_program_that_was_not_built(tree):
    (tree / "tests/unit/test_lost.c").touch()
    plant(tree, "test_good", GOOD)
    assert run(tree, "tests/unit")[:3] == (1, 3, 1)


def test_what_an_older_source_has_left_is_not_run(tree):
    plant(tree, "test_good", GOOD)
    plant(tree, "test_old", "exit 1")
    (tree / "tests/unit/test_old.c").unlink()
    assert run(tree, "tests/unit")[:3] == (0, 3, 0)


def test_nothing_at_all_is_a_failure(tree):
    assert run(tree, "tests/unit")[:3] == (1, 0, 0)


@pytest.mark.parametrize("text, counted", [
    (PYTEST_GOOD, (0, 1, 0)),
    (PYTEST_GOOD + "def test_b():\n    assert False\n", (1, 1, 1)),
    (PYTEST_GOOD + "import pytest\n@pytest.fixture\ndef f():\n    assert False\ndef test_b(f):\n    pass\n", (1, 1, 1)),
    ("import no_such_module\n", (1, 0, 1)),
    ("import os\ndef test_b():\n    os._exit(0)\n", (1, 0, 1)),
    ("", (1, 0, 1)),
    ("import pytest\n@pytest.mark.skip\ndef test_b():\n    pass\n", (1, 0, 1)),
])
def test_a_suite(tree, text, counted):
    (tree / "tests/lint/test_x.py").write_text(text)
    assert run(tree, "tests/lint")[:3] == counted


MEET = """\
import pathlib, time
def test_a():
    pathlib.Path("{0}").touch()
    end = time.monotonic() + 20
    while not pathlib.Path("{1}").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
"""


def test_side_by_side(tree):
    """Each waits for the other, and a program for both."""
    for mine, other in (("one", "two"), ("two", "one")):
        (tree / f"tests/lint/test_{mine}.py").write_text(MEET.format(mine, other))
    plant(tree, "test_third", f"until [ -e one ] && [ -e two ]; do sleep 0.1; done; {GOOD}")
    status, _, failed, output = run(tree, "tests/lint", "tests/unit", seconds=30)
    assert (status, failed) == (0, 0), output


def test_no_more_at_once_than_asked_for(tree):
    for i in range(4):
        plant(tree, f"test_{i}", f"mkdir alone && sleep 0.2 && rmdir alone && {GOOD}")
    assert run(tree, "tests/unit", at_once=1)[:3] == (0, 12, 0)


def test_what_fails_beside_others_is_told_with_its_name(tree):
    for name in ("one", "two"):
        (tree / f"tests/lint/test_{name}.py").write_text(f"def test_a():\n    assert '{name}' == 'right'\n")
    (tree / "tests/lint/test_three.py").write_text(PYTEST_GOOD)
    status, passed, failed, output = run(tree, "tests/lint")
    assert (status, passed, failed) == (1, 1, 2)
    for part in re.split("^(?=FAILED  tests)", output, flags=re.M)[1:]:
        name = re.match(r"FAILED  tests/lint/test_(\w+)\.py ", part)[1]
        assert f"assert '{name}' == 'right'" in part and part.count("== 'right'") == output.count("== 'right'") / 2


def test_a_suite_that_takes_too_long(tree):
    """The others are counted all the same."""
    (tree / "tests/lint/test_hangs.py").write_text("import time\ndef test_a():\n    time.sleep(1000)\n")
    plant(tree, "test_good", GOOD)
    status, passed, failed, output = run(tree, "tests/lint", "tests/unit", seconds=3)
    assert (status, passed, failed) == (1, 3, 1) and "ended after 3 seconds" in output


def test_a_file_that_is_skipped_is_no_failure_where_others_pass(tree):
    (tree / "tests/lint/test_a.py").write_text("import pytest\n@pytest.mark.skip\ndef test_b():\n    pass\n")
    (tree / "tests/lint/test_b.py").write_text(PYTEST_GOOD)
    assert run(tree, "tests/lint")[:3] == (0, 1, 0)


@pytest.mark.parametrize("number", SIGNALS)
def test_interrupted_it_leaves_nothing_running(tree, number):
    plant(tree, "test_other", "exec sleep 1000")
    plant(tree, "test_slow", "echo $$ > pid; exec sleep 1000")
    runner = subprocess.Popen([RUN, "build", "tests/unit"], cwd=tree, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              preexec_fn=lambda: [signal.signal(each, signal.SIG_DFL) for each in SIGNALS])
    end = time.monotonic() + 20
    while not (tree / "pid").exists() or not (tree / "pid").read_text().endswith("\n"):
        assert time.monotonic() < end
        time.sleep(0.05)
    runner.send_signal(number)
    assert runner.wait(20) != 0
    slow = Path(f"/proc/{(tree / 'pid').read_text().strip()}")
    while slow.exists():  # it has been killed; on a busy machine it takes a moment to be gone
        assert time.monotonic() < end
        time.sleep(0.05)
