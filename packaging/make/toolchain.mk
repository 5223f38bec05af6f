# SPDX-License-Identifier: GPL-2.0-only
#
# Compilers, flags and libraries. Nothing here fails while make reads it, so that `make deps` and
# `make help` work on a bare machine; the target `toolchain`, which every compilation waits for, says
# what is missing.

ifeq ($(origin CC),default)
CC := gcc
endif
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
MACHINE := $(shell uname -m)

# What userspace links with. The linker drops from each program what it does not use.
LIBRARIES := libbpf libxdp lmdb libuv libcares jansson libmicrohttpd yaml-0.1 liburcu-memb liburcu-cds libcap ncursesw libidn2 openssl libgsasl libsodium

MISSING := $(strip \
	$(foreach tool,$(CC) $(CLANG) $(BPFTOOL) pkg-config,\
		$(if $(shell command -v $(tool) 2>/dev/null),,$(tool))) \
	$(foreach library,$(LIBRARIES),\
		$(if $(shell pkg-config --exists $(library) 2>/dev/null && echo yes),,$(library))))

# The flags of a library that is not there are empty: `toolchain` has stopped the build before.
# ncurses would set the feature macros of every file; that it has wide characters is all it needs.
pkg_cflags = $(filter-out -D%,$(shell pkg-config --cflags $(1) 2>/dev/null))
LIBRARY_CFLAGS := $(call pkg_cflags,$(LIBRARIES)) -DNCURSES_WIDECHAR=1
LIBRARY_LIBS   := -Wl,--as-needed $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null) -lpthread
CMOCKA_LIBS    := -lcmocka

INCLUDES := -Iuserspace -I. -I$(BUILD)/include
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef \
	-Wvla -Werror
HARDENING := -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE \
	-D_FORTIFY_SOURCE=2 -fPIE
ifeq ($(MACHINE),x86_64)
HARDENING += -fcf-protection
endif

BASE_CFLAGS := -std=gnu11 -g $(WARNINGS) $(INCLUDES) $(LIBRARY_CFLAGS)
CFLAGS      ?= -O2
LDFLAGS     ?=
LINK_FLAGS  := -pie -Wl,-z,relro,-z,now

# BPF: the headers of the C library's architecture are found by hand, because the target is not one.
BPF_ARCH_x86_64  := x86
BPF_ARCH_aarch64 := arm64
BPF_CFLAGS := -std=gnu11 -O2 -g -target bpf -mcpu=v3 -D__TARGET_ARCH_$(or $(BPF_ARCH_$(MACHINE)),$(MACHINE)) \
	-Wall -Wextra -Wshadow -Wundef -Werror -I. -Ibpf \
	$(addprefix -isystem ,$(wildcard /usr/include/$(MACHINE)-linux-gnu))

MISSING_TEXT = make: missing $(MISSING): run 'make deps' (Debian), or see packaging/debian-packages.txt

.PHONY: toolchain
toolchain:
	$(if $(MISSING),@echo "$(MISSING_TEXT)" >&2; exit 1,@:)
