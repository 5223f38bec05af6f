# SPDX-License-Identifier: GPL-2.0-only
#
# The test programs, and `make test`.
#
#   tests/unit/test_NAME.c   one program each, linked with everything but main(), with the other files
#                            there and with tests/replay/*.c, which play scripts
#   tests/packet/*.c         one program that runs the XDP program in the kernel and, compiled into
#                            native.c, on the host; its twin packet-coverage counts the branches there
#   tests/fuzz/fuzz_NAME.c   one libFuzzer program each
#   tests/spf/evaluate.c     SPF in one process, for tests/spf and its benchmark
#   tests/spf/bench_*.c      what else its benchmark runs; libspf2 only where libspf2-dev is installed
#   tests/lab/NAME.c         helpers of the lab, one program each, with lab_*.c
#   tests/lab/NAME.bpf.c     what they load, and what the lab puts on its links

UNIT_SOURCES   := $(wildcard tests/unit/test_*.c)
UNIT_SHARED    := $(filter-out $(UNIT_SOURCES),$(wildcard tests/unit/*.c tests/replay/*.c))
PACKET_SOURCES := $(wildcard tests/packet/*.c)
FUZZ_SOURCES   := $(wildcard tests/fuzz/fuzz_*.c)
LAB_SOURCES    := $(wildcard tests/lab/*.c)
# A name with "_" is no program of its own; lab_*.c are part of each.
LAB_NAMES      := $(foreach name,$(LAB_SOURCES:tests/lab/%.c=%),$(if $(findstring _,$(name)),,$(if $(findstring .bpf,$(name)),,$(name))))

UNIT_PROGRAMS  := $(UNIT_SOURCES:%.c=$(BUILD)/%)
PACKET_PROGRAM := $(BUILD)/tests/packet/packet
NATIVE_PROGRAM := $(BUILD)/tests/packet/packet-coverage
FUZZ_PROGRAMS  := $(FUZZ_SOURCES:%.c=$(BUILD)/%)
LAB_PROGRAMS   := $(addprefix $(BUILD)/tests/,$(LAB_NAMES))
LAB_OBJECTS    := $(patsubst tests/lab/%.c,$(BUILD)/tests/%.o,$(wildcard tests/lab/*.bpf.c))

# The variants that need clang's runtime. Objects are compiled with what the programs are linked with.
SANITIZE_CFLAGS := -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all
ASAN := $(BUILD)/asan
TSAN := $(BUILD)/tsan
FUZZ := $(BUILD)/fuzz
$(eval $(call variant,$(ASAN),$(CLANG),$(SANITIZE_CFLAGS) -fsanitize=address,undefined))
$(eval $(call variant,$(TSAN),$(CLANG),$(SANITIZE_CFLAGS) -fsanitize=thread))
$(eval $(call variant,$(FUZZ),$(CLANG),$(SANITIZE_CFLAGS) -fsanitize=fuzzer-no-link,address,undefined))

# What the tests share is an archive, so that each gets what it uses: a test may stand in for a part that the fixture
# of another one needs.
#   $(call unit_program,PROGRAM DIRECTORY,OBJECT DIRECTORY,LINKER)
define unit_program
$(2)/libunit.a: $(patsubst %.c,$(2)/%.o,$(UNIT_SHARED))
	$$(say) AR '$$(@:$(BUILD)/%=%)'
	$$(Q)rm -f $$@ && ar rcs $$@ $$^

$(UNIT_SOURCES:tests/unit/%.c=$(1)/%): $(1)/%: $(2)/tests/unit/%.o $(2)/libunit.a $(2)/libpostern.a
	@mkdir -p $$(@D)
	$$(say) LINK '$$(@:$(BUILD)/%=%)'
	$$(Q)$(3) $(LDFLAGS) -o $$@ $$^ $(CMOCKA_LIBS) $(LIBRARY_LIBS)
endef
$(eval $(call unit_program,$(BUILD)/tests/unit,$(OBJ),$(CC) $(CFLAGS) $(LINK_FLAGS)))
$(eval $(call unit_program,$(ASAN)/tests/unit,$(ASAN),$(CLANG) -fsanitize=address,undefined))
$(eval $(call unit_program,$(TSAN)/tests/unit,$(TSAN),$(CLANG) -fsanitize=thread))
ASAN_PROGRAMS := $(UNIT_SOURCES:tests/unit/%.c=$(ASAN)/tests/unit/%)
TSAN_PROGRAMS := $(UNIT_SOURCES:tests/unit/%.c=$(TSAN)/tests/unit/%)

$(BUILD)/tests/packet/packet: $(call objects,$(PACKET_SOURCES)) $(OBJ)/libpostern.a
	@mkdir -p $(@D)
	$(say) LINK $(@:$(BUILD)/%=%)
	$(Q)$(LINK) $^ $(CMOCKA_LIBS) $(LIBRARY_LIBS)

# native.c sees its own headers in place of libbpf's for BPF programs. In the coverage build only it is
# instrumented: the report is about the XDP program alone, and all else is the other builds'.
SHIM_CFLAGS     := -Itests/packet/shim -Wno-shadow -Wno-unknown-pragmas
COVERAGE_CFLAGS := -fprofile-instr-generate -fcoverage-mapping
NATIVE := $(BUILD)/native
$(eval $(call variant,$(NATIVE),$(CLANG),-O1 -DPOSTERN_COVERAGE))
# override: also where EXTRA_CFLAGS comes from the command line.
$(OBJ)/tests/packet/native.o $(NATIVE)/tests/packet/native.o: override EXTRA_CFLAGS += $(SHIM_CFLAGS)
$(NATIVE)/tests/packet/native.o: override EXTRA_CFLAGS += $(COVERAGE_CFLAGS)

$(BUILD)/tests/packet/packet-coverage: \
		$(patsubst %.c,$(NATIVE)/%.o,$(PACKET_SOURCES)) $(OBJ)/libpostern.a
	@mkdir -p $(@D)
	$(say) LINK $(@:$(BUILD)/%=%)
	$(Q)$(CLANG) $(COVERAGE_CFLAGS) $(LDFLAGS) -o $@ $^ $(CMOCKA_LIBS) $(LIBRARY_LIBS)

$(FUZZ_PROGRAMS): $(BUILD)/tests/fuzz/%: $(FUZZ)/tests/fuzz/%.o $(FUZZ)/libpostern.a
	@mkdir -p $(@D)
	$(say) LINK $(@:$(BUILD)/%=%)
	$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined $(LDFLAGS) -o $@ $^ $(LIBRARY_LIBS)

LAB_SHARED := $(patsubst %.c,$(OBJ)/%.o,$(wildcard tests/lab/lab_*.c))
$(LAB_PROGRAMS): $(BUILD)/tests/%: $(OBJ)/tests/lab/%.o $(LAB_SHARED) $(OBJ)/libpostern.a
	@mkdir -p $(@D)
	$(say) LINK $(@:$(BUILD)/%=%)
	$(Q)$(LINK) $^ $(LIBRARY_LIBS)

$(LAB_OBJECTS): $(BUILD)/tests/%.bpf.o: tests/lab/%.bpf.c | toolchain
	@mkdir -p $(@D)
	$(say) BPF $(@:$(BUILD)/%=%)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c -o $(@:.bpf.o=.full.o) $<
	$(Q)$(BPFTOOL) gen object $@ $(@:.bpf.o=.full.o)

SPF_PROGRAM  := $(BUILD)/tests/spf/evaluate
SPF_RESOLVER := $(BUILD)/tests/spf/bench_resolver
SPF_LIBSPF2  := $(BUILD)/tests/spf/bench_libspf2
SPF_BENCH_PROGRAMS = $(SPF_PROGRAM) $(SPF_RESOLVER) $(if $(wildcard /usr/include/spf2/spf.h),$(SPF_LIBSPF2))

$(SPF_PROGRAM): $(call objects,tests/spf/evaluate.c tests/replay/zone_play.c)
$(SPF_RESOLVER): $(call objects,tests/spf/bench_resolver.c)
$(SPF_PROGRAM) $(SPF_RESOLVER): $(OBJ)/libpostern.a
	@mkdir -p $(@D)
	$(say) LINK $(@:$(BUILD)/%=%)
	$(Q)$(LINK) $(filter %.o,$^) $(filter %.a,$^) $(LIBRARY_LIBS)

$(SPF_LIBSPF2): $(call objects,tests/spf/bench_libspf2.c)
	@mkdir -p $(@D)
	$(say) LINK $(@:$(BUILD)/%=%)
	$(Q)$(LINK) $^ -lspf2

.PHONY: test test-programs lab-programs fuzz-programs coverage

lab-programs: $(LAB_PROGRAMS) $(LAB_OBJECTS)
fuzz-programs: $(FUZZ_PROGRAMS)
test-programs: all lab-programs $(UNIT_PROGRAMS) $(PACKET_PROGRAM) $(NATIVE_PROGRAM) $(SPF_PROGRAM)

JOBS := -j$(shell nproc)

test: deps ## install what is missing, build, and run every test
	$(Q)+$(MAKE) --no-print-directory $(JOBS) test-programs
	$(Q)$(PYTHON) tests/run.py '$(BUILD)'

DIFFERENTIAL_CASES ?= 100000
DIFFERENTIAL_SEED  ?= 7208
.PHONY: differential-spf
differential-spf: $(SPF_PROGRAM) ## evaluate SPF beside pyspf on 100,000 generated cases
	$(Q)$(PYTHON) tests/spf/differential.py $(SPF_PROGRAM) $(DIFFERENTIAL_CASES) $(DIFFERENTIAL_SEED)

coverage: $(NATIVE_PROGRAM) ## list every branch of the XDP program with the packet cases that take it
	$(Q)tests/packet/coverage.py $(NATIVE_PROGRAM) $(BUILD)/packet-branches.txt
