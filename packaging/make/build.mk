# SPDX-License-Identifier: GPL-2.0-only
#
# The programs: posternd (all of userspace/), posternctl (tools/, and CTL_MODULES), the
# BPF programs with the skeletons that gate/ includes, and the benchmarks: tools/bench_NAME.c with what
# there is of tools/bench_NAME_*.c.

PROGRAMS := $(BUILD)/posternd $(BUILD)/posternctl
MAIN     := userspace/daemon/main.c

USERSPACE_SOURCES := $(filter-out $(MAIN),$(wildcard userspace/*/*.c userspace/*/*/*.c))
CTL_SOURCES       := $(wildcard tools/ctl_*.c)
BENCH_SOURCES     := $(wildcard tools/bench_*.c)
BPF_SOURCES       := $(wildcard bpf/*.bpf.c)

BPF_OBJECTS    := $(BPF_SOURCES:%.c=$(BUILD)/%.o)
SKELETONS      := $(BPF_SOURCES:bpf/%.bpf.c=$(BUILD)/include/%.skel.h)
# A name with a second "_" is a part of the program that it begins with.
BENCH_NAMES    := $(foreach name,$(BENCH_SOURCES:tools/bench_%.c=%),$(if $(findstring _,$(name)),,$(name)))
BENCH_PROGRAMS := $(BENCH_NAMES:%=$(BUILD)/tools/bench_%)

# A variant is the same sources compiled another way, into a tree of its own: its objects, and one
# archive of everything but the main functions, which test programs are linked with.
#   $(call variant,DIRECTORY,COMPILER,FLAGS)
define variant
$(1)/%.o: %.c | toolchain $(BUILD)/include/version.h
	@mkdir -p $$(@D)
	$$(say) CC '$$(@:$(BUILD)/%=%)'
	$$(Q)$(2) $(BASE_CFLAGS) $(3) $$(EXTRA_CFLAGS) -MMD -MP -c -o $$@ $$<

$(1)/libpostern.a: $(patsubst %.c,$(1)/%.o,$(USERSPACE_SOURCES) $(CTL_SOURCES))
	$$(say) AR '$$(@:$(BUILD)/%=%)'
	$$(Q)rm -f $$@ && ar rcs $$@ $$^

$(patsubst %.c,$(1)/%.o,$(filter userspace/gate/%,$(USERSPACE_SOURCES))): | $(SKELETONS)
$(patsubst %.c,$(1)/%.o,$(BENCH_SOURCES) $(wildcard tests/*/*.c)): | $(SKELETONS)
endef

OBJ := $(BUILD)/obj
$(eval $(call variant,$(OBJ),$(CC),$(CFLAGS) $(HARDENING)))
LINK = $(CC) $(CFLAGS) $(LINK_FLAGS) $(LDFLAGS) -o $@

objects = $(patsubst %.c,$(OBJ)/%.o,$(1))

$(BUILD)/posternd: $(call objects,$(MAIN) $(USERSPACE_SOURCES))
	$(say) LINK $(@:$(BUILD)/%=%)
	$(Q)$(LINK) $^ $(LIBRARY_LIBS)

# Of policy/ what is pure: the rest needs the store, which the command line has nothing to do with.
CTL_MODULES := lib conf dns checks
CTL_POLICY  := userspace/policy/score.c userspace/policy/escalation.c
# What reads the files that a configuration names, and finds loops, for `config check`.
CTL_FILES   := $(wildcard userspace/loop/tls*.c) $(addprefix userspace/accounts/,name.c users.c users_line.c) \
	userspace/loop/sockaddr.c $(addprefix userspace/session/,files.c own.c) \
	$(addprefix userspace/session/smtp/,relay.c recipients.c path.c parameter.c)
$(BUILD)/posternctl: $(call objects,tools/posternctl.c $(CTL_SOURCES) $(CTL_POLICY) $(CTL_FILES) \
		$(filter $(addsuffix /%,$(addprefix userspace/,$(CTL_MODULES))),$(USERSPACE_SOURCES)))
	$(say) LINK $(@:$(BUILD)/%=%)
	$(Q)$(LINK) $^ $(LIBRARY_LIBS)

define bench_program
$(BUILD)/tools/bench_$(1): $(call objects,tools/bench_$(1).c $(wildcard tools/bench_$(1)_*.c)) $(OBJ)/libpostern.a
	@mkdir -p $$(@D)
	$$(say) LINK '$$(@:$(BUILD)/%=%)'
	$$(Q)$$(LINK) $$^ $$(LIBRARY_LIBS)
endef
$(foreach name,$(BENCH_NAMES),$(eval $(call bench_program,$(name))))

# bpftool's linker leaves out the debugging sections that the kernel has no use for, and keeps BTF.
$(BPF_OBJECTS): $(BUILD)/%.bpf.o: %.bpf.c | toolchain
	@mkdir -p $(@D)
	$(say) BPF $(@:$(BUILD)/%=%)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c -o $(@:.bpf.o=.full.o) $<
	$(Q)$(BPFTOOL) gen object $@ $(@:.bpf.o=.full.o)

# clang-tidy is told that it is not ours to mend.
$(SKELETONS): $(BUILD)/include/%.skel.h: $(BUILD)/bpf/%.bpf.o
	@mkdir -p $(@D)
	$(say) SKEL $(@:$(BUILD)/%=%)
	$(Q){ echo '/* NOLINTBEGIN */' && $(BPFTOOL) gen skeleton $< name $* && \
		echo '/* NOLINTEND */'; } > $@

# POSTERN_VERSION: the last tag and the distance from it, or this number where there is none.
BASE_VERSION := 0.1.0
export GIT_OPTIONAL_LOCKS := 0
VERSION := $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null | sed 's/^v//')
ifeq ($(VERSION),)
COMMIT  := $(shell git describe --always --dirty --exclude '*' 2>/dev/null)
VERSION := $(BASE_VERSION)$(if $(COMMIT),+g$(COMMIT))
endif

# Written anew only when it changes, so that a build after a commit compiles what shows the version.
.PHONY: force
force:
$(BUILD)/include/version.h: force
	@mkdir -p $(@D)
	@printf '/* Made by the build. */\n#define POSTERN_VERSION "%s"\n' '$(VERSION)' > $@.new
	@if cmp -s $@.new $@; then rm -f $@.new; else mv $@.new $@; fi

-include $(shell test -d $(BUILD) && find $(BUILD) -path '$(BUILD)/packages' -prune -o -name '*.d' -print)
