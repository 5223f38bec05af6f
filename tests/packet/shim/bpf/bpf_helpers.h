/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands in for libbpf's header where the XDP program is compiled for the host, so that its
 * branches can be counted. The helpers are in tests/packet/native.c, which can also make them fail.
 */
#ifndef POSTERN_TESTS_SHIM_BPF_HELPERS_H
#define POSTERN_TESTS_SHIM_BPF_HELPERS_H

#include <stddef.h>
#include <stdint.h>

#define SEC(name)
#define __uint(name, value) int(*name)[value]
#define __type(name, value) value *name
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#define barrier_var(var) ((void)(var))

struct xdp_md;

/* libbpf has a function of the same name, for user space, in the same test program. */
#define bpf_map_lookup_elem native_lookup
void *native_lookup(const void *map, const void *key);
uint64_t bpf_ktime_get_ns(void);
uint32_t bpf_get_smp_processor_id(void);
void *bpf_ringbuf_reserve(const void *ring, uint64_t size, uint64_t flags);
void bpf_ringbuf_submit(void *data, uint64_t flags);
int bpf_xdp_adjust_tail(struct xdp_md *ctx, int delta);

uint64_t native_exchange(void *place, uint64_t expected, uint64_t wanted);
#define __sync_val_compare_and_swap(place, expected, wanted)                                       \
	native_exchange(place, expected, wanted)

#endif
