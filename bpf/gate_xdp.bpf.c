// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpf/gate_xdp.bpf.c - the XDP program that is attached to interfaces. What it does is in
 * bpf/gate.h.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <xdp/xdp_helpers.h>

#include "bpf/gate.h"

/* Under libxdp's dispatcher: early in the chain, and the chain goes on for what passes. */
struct {
	__uint(priority, 10);
	__uint(XDP_PASS, 1);
} XDP_RUN_CONFIG(postern_gate);

SEC("xdp")
int postern_gate(struct xdp_md *ctx)
{
	return gate(ctx);
}

char LICENSE[] SEC("license") = "GPL";
