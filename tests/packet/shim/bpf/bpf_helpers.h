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
uint64_t native_read(const uint64_t *place);
#define READ_ONCE(place) native_read((const uint64_t *)&(place)) /* words of 64 bits only */

struct xdp_md;

/* libbpf has a function of the same name, for user space, in the same test program. */
#define bpf_map_lookup_elem native_lookup
void *native_lookup(const void *map, const void *key);
uint64_t bpf_ktime_get_ns(void);
uint64_t bpf_ktime_get_coarse_ns(void);
uint32_t bpf_get_smp_processor_id(void);
void *bpf_ringbuf_reserve(const void *ring, uint64_t size, uint64_t flags);
void bpf_ringbuf_submit(void *data, uint64_t flags);
int bpf_xdp_adjust_tail(struct xdp_md *ctx, int delta);
int bpf_xdp_adjust_head(struct xdp_md *ctx, int delta);
int bpf_xdp_store_bytes(struct xdp_md *ctx, uint32_t offset, void *from, uint32_t length);
int64_t bpf_csum_diff(const void *from, uint32_t from_size, const void *to, uint32_t to_size,
		      uint32_t seed);
int bpf_check_mtu(struct xdp_md *ctx, uint32_t ifindex, uint32_t *mtu, int delta, uint64_t flags);

struct bpf_fib_lookup;
long bpf_fib_lookup(struct xdp_md *ctx, struct bpf_fib_lookup *fib, int length, uint32_t flags);
struct bpf_sock;
struct bpf_sock_tuple;
struct bpf_sock *bpf_skc_lookup_tcp(struct xdp_md *ctx, struct bpf_sock_tuple *tuple,
				    uint32_t length, uint64_t netns, uint64_t flags);
int64_t bpf_tcp_gen_syncookie(struct bpf_sock *listener, const void *ip, uint32_t ip_length,
			      const void *tcp, uint32_t tcp_length);
void bpf_sk_release(struct bpf_sock *listener);

uint64_t native_exchange(void *place, size_t size, uint64_t expected, uint64_t wanted);
#define __sync_val_compare_and_swap(place, expected, wanted)                                       \
	native_exchange(place, sizeof(*(place)), expected, wanted)

#endif
