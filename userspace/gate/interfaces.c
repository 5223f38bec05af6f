/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/interfaces.c - the agent's memory of where the program is attached, checked against the
 * kernel whenever somebody asks. Needs no privileges.
 */
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "gate/internal.h"

static struct gate_interface *find(struct gate *gate, const char *iface)
{
	for (size_t i = 0; i < gate->interfaces; i++)
		if (!strcmp(gate->interface[i].name, iface))
			return &gate->interface[i];
	return NULL;
}

void gate_note_interface(struct gate *gate, const char *iface, enum gate_mode mode, bool shared,
			 uint32_t program_id)
{
	struct gate_interface *known;

	pthread_mutex_lock(&gate->interface_lock);
	known = find(gate, iface);
	if (!known && gate->interfaces < GATE_INTERFACES_MAX)
		known = &gate->interface[gate->interfaces++];
	if (known) {
		snprintf(known->name, sizeof(known->name), "%s", iface);
		known->ifindex = if_nametoindex(iface);
		known->mode = mode;
		known->shared = shared;
		known->program_id = program_id;
		known->lost = false;
	}
	pthread_mutex_unlock(&gate->interface_lock);
}

void gate_forget_interface(struct gate *gate, const char *iface)
{
	struct gate_interface *known;

	pthread_mutex_lock(&gate->interface_lock);
	known = find(gate, iface);
	if (known)
		*known = gate->interface[--gate->interfaces];
	pthread_mutex_unlock(&gate->interface_lock);
}

bool gate_find_interface(struct gate *gate, const char *iface, struct gate_interface *out)
{
	struct gate_interface *known;

	pthread_mutex_lock(&gate->interface_lock);
	known = find(gate, iface);
	if (known)
		*out = *known;
	pthread_mutex_unlock(&gate->interface_lock);
	return known;
}

/* Whether an XDP program is on the interface still: in a dispatcher its own id is not shown. */
static bool still_there(const struct gate_interface *known)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	if (if_nametoindex(known->name) != known->ifindex ||
	    bpf_xdp_query((int)known->ifindex, 0, &query))
		return false;
	return known->shared ? query.prog_id != 0 : query.prog_id == known->program_id;
}

size_t gate_interfaces(struct gate *gate, struct gate_interface *out)
{
	size_t count = 0;

	pthread_mutex_lock(&gate->interface_lock);
	for (size_t i = 0; i < gate->interfaces; i++)
		if (still_there(&gate->interface[i]))
			out[count++] = gate->interface[i];
	pthread_mutex_unlock(&gate->interface_lock);
	return count;
}

size_t gate_lost(struct gate *gate, struct gate_interface *out)
{
	size_t count = 0;

	pthread_mutex_lock(&gate->interface_lock);
	for (size_t i = 0; i < gate->interfaces; i++) {
		if (still_there(&gate->interface[i]))
			continue;
		out[count++] = gate->interface[i];
		gate->interface[i].lost = true;
	}
	pthread_mutex_unlock(&gate->interface_lock);
	return count;
}
