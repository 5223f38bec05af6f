/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/attach.c - puts the XDP program on an interface and takes it off. Needs privileges: called
 * by the agent before it gives them up, and by the keeper afterwards.
 *
 * libxdp loads the program into its dispatcher, beside other programs, or alone where the kernel
 * refuses the dispatcher. A program of an earlier agent is exchanged for the new one: alone by one
 * atomic replacement, in the dispatcher by adding the new one before the old one goes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <xdp/libxdp.h>

#include "gate/load.h"
#include "gate/pins.h"
#include "gate_xdp.skel.h"
#include "lib/log.h"

/* One attachment that is under way. */
struct attach {
	struct gate *gate;
	const char *iface;
	int ifindex;
	enum gate_mode asked;
	enum gate_mode mode; /* that was reached */
	bool shared;
	uint32_t old_id; /* of our own program that is there already; 0 is none */
	struct gate_xdp *xdp;
	struct xdp_program *program;
};

__attribute__((format(printf, 2, 0))) static int quiet_libxdp(enum libxdp_print_level level,
							      const char *format, va_list args)
{
	(void)level;
	return gate_log_library("gate.libxdp", format, args);
}

static enum xdp_attach_mode libxdp_mode(enum gate_mode mode)
{
	return mode == GATE_MODE_GENERIC ? XDP_MODE_SKB : XDP_MODE_NATIVE;
}

static const char *mode_name(enum gate_mode mode)
{
	return mode == GATE_MODE_GENERIC ? "generic" : "native";
}

/* What is on the interface now. */
struct occupant {
	uint32_t id;    /* of our program, 0 if it is not there */
	uint32_t other; /* of somebody else's that stands alone, 0 if there is none */
	bool dispatcher;
	enum gate_mode mode;
	char other_name[BPF_OBJ_NAME_LEN + 1];
};

static bool is_ours(const struct gate *gate, uint32_t pinned, uint32_t id)
{
	return id && (id == pinned || pins_own_program(gate, id));
}

static void look_at_dispatcher(const struct gate *gate, struct xdp_multiprog *multi,
			       uint32_t pinned, struct occupant *out)
{
	struct xdp_program *program = NULL;

	out->dispatcher = true;
	while ((program = xdp_multiprog__next_prog(program, multi)))
		if (is_ours(gate, pinned, xdp_program__id(program)))
			out->id = xdp_program__id(program);
}

static void look_at_lone(const struct gate *gate, struct xdp_multiprog *multi, uint32_t pinned,
			 struct occupant *out)
{
	const struct xdp_program *main = xdp_multiprog__main_prog(multi);
	const uint32_t id = main ? xdp_program__id(main) : 0;

	if (is_ours(gate, pinned, id)) {
		out->id = id;
		return;
	}
	out->other = id;
	snprintf(out->other_name, sizeof(out->other_name), "%s",
		 main ? xdp_program__name(main) : "?");
}

static void look(const struct gate *gate, const char *iface, int ifindex, struct occupant *out)
{
	const uint32_t ours = pins_program_id(gate, iface);
	struct xdp_multiprog *multi = xdp_multiprog__get_from_ifindex(ifindex);

	memset(out, 0, sizeof(*out));
	if (libxdp_get_error(multi) || !multi)
		return;
	out->mode = xdp_multiprog__attach_mode(multi) == XDP_MODE_SKB ? GATE_MODE_GENERIC
								      : GATE_MODE_NATIVE;
	if (xdp_multiprog__is_legacy(multi))
		look_at_lone(gate, multi, ours, out);
	else
		look_at_dispatcher(gate, multi, ours, out);
	xdp_multiprog__close(multi);
}

static void attach_close(struct attach *a)
{
	if (a->program)
		xdp_program__close(a->program);
	gate_xdp__destroy(a->xdp);
	a->program = NULL;
	a->xdp = NULL;
}

static int attach_open(struct attach *a, struct error *err)
{
	int result = load_open_xdp(a->gate, &a->xdp, err);

	if (result)
		return result;
	a->program = xdp_program__from_bpf_obj(a->xdp->obj, "xdp");
	if (libxdp_get_error(a->program)) {
		a->program = NULL;
		return error_set(err, ERROR_REFUSED, "libxdp does not take the XDP program");
	}
	return 0;
}

/* Exchanges our lone program in one step. */
static int replace_lone(struct attach *a, enum gate_mode mode, struct error *err)
{
	const uint32_t flags = mode == GATE_MODE_GENERIC ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
	LIBBPF_OPTS(bpf_xdp_attach_opts, options);
	int result = gate_xdp__load(a->xdp);

	if (result)
		return error_errno(err, ERROR_REFUSED, -result,
				   "the kernel does not take the XDP program");
	options.old_prog_fd = bpf_prog_get_fd_by_id(a->old_id);
	if (options.old_prog_fd < 0)
		return error_errno(err, ERROR_REFUSED, errno, "%s: program %u", a->iface,
				   a->old_id);
	result = bpf_xdp_attach(a->ifindex, bpf_program__fd(a->xdp->progs.postern_gate),
				flags | XDP_FLAGS_REPLACE, &options);
	close(options.old_prog_fd);
	if (result)
		return error_errno(err, ERROR_REFUSED, -result,
				   "%s: cannot exchange the XDP program", a->iface);
	a->mode = mode;
	return 0;
}

/* Attaches through libxdp in one mode. The object is opened anew, since a failed load spoils it. */
static int attach_in_mode(struct attach *a, enum gate_mode mode, struct error *err)
{
	int result = attach_open(a, err);

	if (result)
		return result;
	result = xdp_program__attach(a->program, a->ifindex, libxdp_mode(mode), 0);
	if (result) {
		attach_close(a);
		return error_errno(err, ERROR_REFUSED, -result, "%s: no XDP program in %s mode",
				   a->iface, mode_name(mode));
	}
	a->mode = mode;
	return 0;
}

static void detach_old(const struct attach *a)
{
	struct xdp_program *old = xdp_program__from_id(a->old_id);

	if (libxdp_get_error(old))
		return;
	xdp_program__detach(old, a->ifindex, libxdp_mode(a->mode), 0);
	xdp_program__close(old);
}

static int attach_new(struct attach *a, char why_generic[ERROR_TEXT_MAX], struct error *err)
{
	struct error native = { 0 };

	*why_generic = '\0';
	if (a->asked == GATE_MODE_GENERIC)
		return attach_in_mode(a, GATE_MODE_GENERIC, err);
	if (!attach_in_mode(a, GATE_MODE_NATIVE, &native))
		return 0;
	if (a->asked == GATE_MODE_NATIVE)
		return error_set(err, ERROR_REFUSED, "%s", native.text);
	snprintf(why_generic, ERROR_TEXT_MAX, "%s", native.text);
	return attach_in_mode(a, GATE_MODE_GENERIC, err);
}

/* Remembers the new program, and tells in one line how it is attached. */
static int attach_finish(struct attach *a, const char *why_generic, char detail[ERROR_TEXT_MAX],
			 struct error *err)
{
	struct occupant now;

	if (pins_put_program(a->gate, a->iface, bpf_program__fd(a->xdp->progs.postern_gate), err))
		return ERROR_REFUSED;
	look(a->gate, a->iface, a->ifindex, &now);
	a->shared = now.dispatcher;
	snprintf(detail, ERROR_TEXT_MAX, "%s: %s mode, %s%s%s", a->iface, mode_name(a->mode),
		 a->shared ? "beside other XDP programs (dispatcher)"
			   : "alone (this kernel refuses libxdp's dispatcher)",
		 *why_generic ? "; slower, because of: " : "", why_generic);
	return 0;
}

static int refuse_other(const struct attach *a, const struct occupant *there, struct error *err)
{
	return error_set(
		err, ERROR_REFUSED,
		"%s: the XDP program %s (id %u) is attached without a dispatcher; detach it "
		"first (ip link set dev %s xdp off)",
		a->iface, there->other_name, there->other, a->iface);
}

int attach_interface(struct gate *gate, const char *iface, enum gate_mode mode,
		     char detail[ERROR_TEXT_MAX], struct error *err)
{
	struct attach a = { .gate = gate, .iface = iface, .asked = mode };
	char why_generic[ERROR_TEXT_MAX] = "";
	struct occupant there;
	int result;

	libxdp_set_print(quiet_libxdp);
	a.ifindex = (int)if_nametoindex(iface);
	if (!a.ifindex)
		return error_set(err, ERROR_REFUSED, "no interface %s (ip -br link lists them)",
				 iface);
	look(gate, iface, a.ifindex, &there);
	a.old_id = there.id;
	if (there.other)
		return refuse_other(&a, &there, err);
	if (there.id && !there.dispatcher) {
		if (mode != GATE_MODE_AUTO && mode != there.mode)
			return error_set(err, ERROR_REFUSED,
					 "%s: attached in %s mode; detach it to change the mode",
					 iface, mode_name(there.mode));
		result = attach_open(&a, err);
		if (!result)
			result = replace_lone(&a, there.mode, err);
	} else {
		result = attach_new(&a, why_generic, err);
		if (!result && there.id)
			detach_old(&a);
	}
	if (!result)
		result = attach_finish(&a, why_generic, detail, err);
	if (!result)
		gate_note_interface(gate, iface, a.mode, a.shared, pins_program_id(gate, iface));
	attach_close(&a);
	return result;
}

int detach_interface(struct gate *gate, const char *iface, struct error *err)
{
	const int ifindex = (int)if_nametoindex(iface);
	struct xdp_program *program;
	struct occupant there;
	int result;

	libxdp_set_print(quiet_libxdp);
	if (!ifindex)
		return error_set(err, ERROR_REFUSED, "no interface %s (ip -br link lists them)",
				 iface);
	look(gate, iface, ifindex, &there);
	if (!there.id)
		return error_set(err, ERROR_REFUSED, "%s: Postern is not attached", iface);
	if (there.dispatcher) {
		program = xdp_program__from_id(there.id);
		result = xdp_program__detach(program, ifindex, libxdp_mode(there.mode), 0);
		xdp_program__close(program);
	} else {
		result = bpf_xdp_detach(ifindex,
					there.mode == GATE_MODE_GENERIC ? XDP_FLAGS_SKB_MODE
									: XDP_FLAGS_DRV_MODE,
					NULL);
	}
	if (result)
		return error_errno(err, ERROR_REFUSED, -result, "%s: cannot detach", iface);
	pins_remove_program(gate, iface);
	gate_forget_interface(gate, iface);
	return 0;
}

struct names {
	char name[GATE_INTERFACES_MAX][IF_NAMESIZE];
	int count;
};

static void collect_name(const char *iface, void *arg)
{
	struct names *names = arg;

	for (int i = 0; i < names->count; i++)
		if (!strcmp(names->name[i], iface))
			return;
	if (names->count < GATE_INTERFACES_MAX)
		snprintf(names->name[names->count++], IF_NAMESIZE, "%s", iface);
}

int gate_adopt(struct gate *gate, struct error *err)
{
	char detail[ERROR_TEXT_MAX];
	struct names names = { 0 };
	struct occupant there;
	int adopted = 0;

	if (load_seed_connections(gate->conn, err))
		return ERROR_REFUSED;
	load_done(&gate->conn);
	pins_each_interface(gate, collect_name, &names);
	for (int i = 0; i < names.count; i++) {
		const int ifindex = (int)if_nametoindex(names.name[i]);

		if (ifindex)
			look(gate, names.name[i], ifindex, &there);
		if (!ifindex || !there.id) { /* the interface or the program went meanwhile */
			pins_remove_program(gate, names.name[i]);
			continue;
		}
		if (attach_interface(gate, names.name[i], GATE_MODE_AUTO, detail, err))
			return ERROR_REFUSED;
		log_info("gate.adopted", "{s:s, s:s}", "iface", names.name[i], "detail", detail);
		adopted++;
	}
	pins_remove_others(gate);
	return adopted;
}
