# SPDX-License-Identifier: GPL-2.0-only
#
# Builds everything into $(BUILD), by wildcard: a new source, test, fuzz target or benchmark is built
# because it is there. `make help` lists the targets. The rest of the rules live beside this file:
#
#   packaging/make/toolchain.mk  compilers, flags, libraries, and what to say when one is missing
#   packaging/make/build.mk      the agent, the command line and the BPF programs
#   packaging/make/test.mk       unit, packet, fuzz and lab test programs; `make test`
#   packaging/make/check.mk      formatting, analysis, lints, sanitizers, fuzzing; `make check`
#   packaging/make/install.mk    install and uninstall
#
# Useful variables: BUILD=DIR (another build tree), CC=clang, EXTRA_CFLAGS=..., V=1 (show commands).

BUILD ?= build

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n'
endif

PYTHON := /usr/bin/python3

include packaging/make/toolchain.mk
include packaging/make/build.mk
include packaging/make/test.mk
include packaging/make/install.mk
include packaging/make/check.mk

.PHONY: all deps demo run bench bench-peers clean help

all: $(PROGRAMS) ## build the agent, the command line and the BPF programs (the default)

deps: ## install the Debian packages that building, testing and the demonstration need
	$(Q)packaging/install-packages build test demo
	$(Q)packaging/install-packages --unpacked '$(BUILD)/packages' unpacked

# What follows `deps` runs in a make of its own, which looks at the toolchain anew.
demo: deps ## show it working: a mail gateway under a SYN flood, in network namespaces
	$(Q)+$(MAKE) --no-print-directory all lab-programs
	$(Q)$(PYTHON) tests/lab/demo.py

run: ## run the agent in the foreground on a NIC: make run IFACE=eth0
ifeq ($(strip $(IFACE)),)
	@echo "make run: say which NIC, as in 'make run IFACE=eth0' (ip -br link lists them)" >&2; exit 2
else
	$(Q)+$(MAKE) --no-print-directory deps
	$(Q)+$(MAKE) --no-print-directory all
	$(Q)packaging/run-foreground '$(BUILD)' '$(IFACE)'
endif

bench: all lab-programs $(BENCH_PROGRAMS) $(SPF_BENCH_PROGRAMS) ## measure; the figures are left in build/bench/*.json
	$(Q)packaging/install-packages bench
	$(Q)mkdir -p $(BUILD)/bench
	$(Q)for program in $(BENCH_PROGRAMS); do echo "== $${program##*/}"; $$program || exit; done
	$(Q)echo "== bench_load" && $(PYTHON) tests/lab/bench_load.py
	$(Q)echo "== bench_guard" && $(PYTHON) tests/lab/bench_guard.py
	$(Q)echo "== bench_evaluate" && $(PYTHON) tests/lab/bench_evaluate.py
	$(Q)echo "== bench_front" && $(PYTHON) tests/lab/bench_front.py
	$(Q)echo "== bench_failover" && $(PYTHON) tests/lab/bench_failover.py
	$(Q)echo "== bench_spf" && $(PYTHON) tests/spf/bench_spf.py $(BUILD)/tests/spf
	@echo "The figures are in:"; ls -1 $(BUILD)/bench/*.json

bench-peers: ## measure beside nftables, ipset, xdp-filter and others; RECORD=yes writes docs/bench-peers.*
	$(Q)packaging/install-packages build bench
	$(Q)+$(MAKE) --no-print-directory all lab-programs
	$(Q)$(PYTHON) tests/lab/bench_peers.py $(if $(RECORD),--record)

clean: ## remove everything that was built
	$(Q)rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## /\1\t/p' Makefile packaging/make/*.mk | \
		while IFS="$$(printf '\t')" read -r target text; do printf '  %-11s %s\n' "$$target" "$$text"; done
