// SPDX-License-Identifier: GPL-2.0-only
/*
 * tests/lab/wire.bpf.c - what the lab puts on the far ends of its links. VLAN tags without a VLAN
 * device: pushed where frames leave a sender, popped where they enter after XDP. And an XDP program
 * that passes everything: frames that come back by XDP_TX arrive over a veth only if its peer has
 * one.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define LAB_VLAN 100

SEC("tc/push")
int push(struct __sk_buff *skb)
{
	bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), LAB_VLAN);
	return TC_ACT_OK;
}

SEC("tc/pop")
int pop(struct __sk_buff *skb)
{
	bpf_skb_vlan_pop(skb);
	return TC_ACT_OK;
}

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
