# SPDX-License-Identifier: GPL-2.0-only
#
# `make check`: what has to pass beside the tests. Every check is a target check-NAME of its own, and
# tests/check.py runs them all, also after one has failed.

CHECKS := format lints cppcheck tidy shell python spelling man unit rules asan tsan fuzz testssl kernel

C_FILES      := $(shell find bpf maps tests tools userspace -name '*.[ch]')
PYTHON_FILES := $(wildcard tests/*.py tests/*/*.py)
SHELL_FILES  := $(shell grep -rlIE '^\#!/bin/(ba)?sh|^\# shellcheck shell=' .ci packaging tests --exclude='*.py')

.PHONY: check $(CHECKS:%=check-%)

check: deps ## what has to pass beside the tests: format, analysis, lints, sanitizers, fuzzing
	$(Q)+$(PYTHON) tests/check.py '$(MAKE) --no-print-directory $(JOBS)' $(CHECKS)

check-format:
	$(Q)clang-format --dry-run -Werror $(C_FILES)

# The lints of the tree first, because they answer at once; then everything in tests/lint, with their own tests.
check-lints: all
	$(Q)$(PYTHON) tests/lint/layers.py .
	$(Q)$(PYTHON) tests/lint/sizes.py .
	$(Q)$(PYTHON) tests/lint/licences.py .
	$(Q)$(PYTHON) tests/lint/back_edges.py $(BUILD)/bpf/*.bpf.o
	$(Q)$(PYTHON) tests/run.py '$(BUILD)' tests/lint

# The suppressions are in the file, each with its reason. Macros of libraries are explained in *.cfg.
check-cppcheck:
	$(Q)cppcheck -q $(JOBS) --std=c11 --enable=warning,performance,portability --inline-suppr \
		--suppressions-list=tests/lint/cppcheck.txt --error-exitcode=1 --library=posix \
		--library=tests/lint/jansson.cfg --library=tests/lint/libbpf.cfg -Iuserspace -I. \
		$(MAIN) $(USERSPACE_SOURCES) $(CTL_SOURCES) $(BENCH_SOURCES) tools/posternctl.c

# Settings and reasons are in .clang-tidy. A file is looked at again when it, or what it includes, changes.
TIDY_SOURCES := $(MAIN) $(USERSPACE_SOURCES) $(CTL_SOURCES) $(BENCH_SOURCES) tools/posternctl.c
TIDY_DONE    := $(TIDY_SOURCES:%.c=$(BUILD)/tidy/%.ok) $(BPF_SOURCES:%.c=$(BUILD)/tidy/%.ok)
check-tidy: $(TIDY_DONE)
TIDY_CFLAGS = $(BASE_CFLAGS) -Wno-unused-value
TIDY_KNOWS  = -include tests/lint/analyzer.h
$(BUILD)/tidy/userspace/lib/error.ok: TIDY_KNOWS =
$(BUILD)/tidy/bpf/%.ok: bpf/%.c $(BUILD)/bpf/%.o .clang-tidy
	@mkdir -p $(@D)
	$(say) TIDY $<
	$(Q)clang-tidy --quiet $< -- $(BPF_CFLAGS) > $@.log 2>&1 || { cat $@.log; exit 1; }
	$(Q)mv $@.log $@
$(BUILD)/tidy/%.ok: %.c $(OBJ)/%.o .clang-tidy tests/lint/analyzer.h
	@mkdir -p $(@D)
	$(say) TIDY $<
	$(Q)clang-tidy --quiet $< -- $(TIDY_CFLAGS) $(TIDY_KNOWS) > $@.log 2>&1 || { cat $@.log; exit 1; }
	$(Q)mv $@.log $@

check-shell:
	$(Q)shellcheck $(SHELL_FILES)

check-python:
	$(Q)pyflakes3 $(PYTHON_FILES)

check-spelling:
	$(Q)codespell --ignore-words tests/lint/words.txt --skip 'tests/fuzz/corpus,*.pyc,__pycache__' \
		README.md Makefile bpf docs maps packaging tests tools userspace

# mandoc looks for the manuals that a page refers to on the machine, where these need not be installed; and
# what the build puts into a page has its lines where the sentences end.
KNOWN_MANUALS := -e 'input text line longer than 80 bytes' $(foreach page,$(notdir $(MANUALS)) mdoc.7,\
	-e 'manual not found: Xr $(basename $(page)) $(patsubst .%,%,$(suffix $(page)))')
check-man: $(MANUALS)
	$(Q)mandoc -T lint $(MANUALS) | grep -v $(KNOWN_MANUALS) > $(BUILD)/man/lint.txt; \
		cat $(BUILD)/man/lint.txt; test ! -s $(BUILD)/man/lint.txt

# systemd-analyze wants the program that a unit starts to be there, so the unit names the built ones; and it ends
# with 0 after a warning, so what it says is looked for.
check-unit: all
	$(Q)mkdir -p $(BUILD)/unit-check
	$(Q)sed -e 's|@S*BINDIR@|$(abspath $(BUILD))|' -e 's|@SYSCONFDIR@|/etc|' packaging/postern.service.in \
		> $(BUILD)/unit-check/postern.service
	$(Q)systemd-analyze verify --man=no $(BUILD)/unit-check/postern.service > $(BUILD)/unit-check/said 2>&1 || \
		{ cat $(BUILD)/unit-check/said; exit 1; }
	$(Q)! grep -F postern.service $(BUILD)/unit-check/said

# In the lab, with posternd as it is built: nothing of severity MEDIUM or worse.
check-testssl: all lab-programs
	$(Q)$(PYTHON) tests/lab/check_testssl.py

# On Debian 12's own kernel, emulated: its verifier takes less than newer ones.
check-kernel: all $(PACKET_PROGRAM) lab-programs ## try everything on the kernel of Debian 12, emulated
	$(Q)packaging/install-packages kernel
	$(Q)$(PYTHON) tests/kernel/boot.py '$(BUILD)'

check-rules:
	$(Q)promtool check rules $(ALERTS)

# setarch -R: the address space is not randomised, because clang 14's sanitizers do not know of as much
# randomness as recent kernels have, and end programs now and then that are not wrong.
check-asan: $(ASAN_PROGRAMS)
	$(Q)ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 setarch -R $(PYTHON) tests/run.py $(ASAN) tests/unit
check-tsan: $(TSAN_PROGRAMS)
	$(Q)TSAN_OPTIONS=halt_on_error=1 setarch -R $(PYTHON) tests/run.py $(TSAN) tests/unit

# Each target runs for a short while from what is in tests/fuzz/corpus, and from a seed that stays: the same inputs in
# the same order on every machine, of which a faster one sees more. `make check-fuzz FUZZ_SECONDS=100` sees all that one
# ten times as fast would. `make fuzz-NAME FUZZ_SEED=0 FUZZ_SECONDS=600` is to look for more: it takes another seed each
# time, and goes on from what earlier ones of these have collected. What is found is left in $(BUILD)/fuzz-found.
FUZZ_SECONDS ?= 10
FUZZ_SEED    ?= 1
# Inputs of a target; a fast one ends before its time.
FUZZ_COUNT   ?= $(if $(filter 0,$(FUZZ_SEED)),-1,100000)
# In this order: a directory has one of its own on each machine.
comma := ,
FUZZ_FROM     = $(subst $() ,$(comma),$(sort $(wildcard tests/fuzz/corpus/$*/*)))
FUZZ_KEPT    := $(BUILD)/fuzz-$(if $(filter 0,$(FUZZ_SEED)),corpus,fixed)
FUZZ_RUNS := $(FUZZ_SOURCES:tests/fuzz/fuzz_%.c=fuzz-%)
.PHONY: $(FUZZ_RUNS)
check-fuzz: $(FUZZ_RUNS)
$(FUZZ_RUNS): fuzz-%: $(BUILD)/tests/fuzz/fuzz_%
	$(if $(filter-out 0,$(FUZZ_SEED)),@rm -rf $(FUZZ_KEPT)/$*)
	@mkdir -p $(FUZZ_KEPT)/$* $(BUILD)/fuzz-found
	$(say) FUZZ '$* ($(FUZZ_SECONDS) s)'
	$(Q)setarch -R $< -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-seed=$(FUZZ_SEED) -runs=$(FUZZ_COUNT) -reload=0 \
		-artifact_prefix=$(BUILD)/fuzz-found/$*- $(if $(FUZZ_FROM),-seed_inputs=$(FUZZ_FROM)) $(FUZZ_KEPT)/$* \
		> $(BUILD)/fuzz-found/$*.log 2>&1 || \
		{ tail -n 60 $(BUILD)/fuzz-found/$*.log; exit 1; }
	@sed -n 's/^stat::number_of_executed_units: /          runs: /p' $(BUILD)/fuzz-found/$*.log
