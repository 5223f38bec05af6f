// SPDX-License-Identifier: GPL-2.0-only
/*
 * tests/lab/lastrule.bpf.c - the gate with one rule more: what it would let pass is dropped. So the
 * cost of a packet that passes can be measured without that of the stack behind.
 * tests/lab/peermap.c attaches it with the pinned maps of a running agent.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/gate.h"

SEC("xdp")
int last_rule(struct xdp_md *ctx)
{
	const enum xdp_action action = gate(ctx);

	return action == XDP_PASS ? XDP_DROP : action;
}

char LICENSE[] SEC("license") = "GPL";
