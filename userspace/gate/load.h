/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/load.h - loading the BPF objects; needs privileges. For gate/open.c and gate/attach.c.
 */
#ifndef POSTERN_GATE_LOAD_H
#define POSTERN_GATE_LOAD_H

#include "gate/internal.h"

struct gate_conn;
struct gate_xdp;

/*
 * Loads the connection counter and with it creates, or adopts, all maps in the gate's set
 * directory. Their descriptors are the gate's from then on.
 */
int load_maps(struct gate *gate, struct gate_conn **out, struct error *err);

/* Starts to count, and pins the link in place of an older one. */
int load_count_connections(const struct gate *gate, struct gate_conn *conn, struct error *err);
/* Counts what is open already on the ports that are protected now. */
int load_seed_connections(struct gate_conn *conn, struct error *err);
void load_done(struct gate_conn **conn);

/* The XDP program, opened but not loaded: libxdp decides how. Ends with gate_xdp__destroy(). */
int load_open_xdp(const struct gate *gate, struct gate_xdp **out, struct error *err);

#endif
