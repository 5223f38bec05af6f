/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/interfaces.c - see daemon/interfaces.h.
 */
#include "daemon/interfaces.h"

#include <string.h>

#include "lib/log.h"

/* The modes are the same words in the same order on both sides. */
_Static_assert((int)CONF_MODE_AUTO == (int)GATE_MODE_AUTO, "one mode, two names");
_Static_assert((int)CONF_MODE_NATIVE == (int)GATE_MODE_NATIVE, "one mode, two names");
_Static_assert((int)CONF_MODE_GENERIC == (int)GATE_MODE_GENERIC, "one mode, two names");

struct present {
	struct gate_interface interface[GATE_INTERFACES_MAX];
	size_t count;
};

static const struct gate_interface *find_present(const struct present *present, const char *name)
{
	for (size_t i = 0; i < present->count; i++)
		if (!strcmp(present->interface[i].name, name))
			return &present->interface[i];
	return NULL;
}

static bool is_as_wanted(const struct gate_interface *at, enum conf_mode mode)
{
	return at && (mode == CONF_MODE_AUTO || (int)at->mode == (int)mode);
}

static int attach_one(struct gate *gate, const char *name, enum gate_mode mode, struct error *err)
{
	char detail[ERROR_TEXT_MAX] = "";
	int failed = gate_attach(gate, name, mode, detail, err);

	if (!failed)
		log_info("interface.attached", "{s:s, s:s}", "interface", name, "detail", detail);
	return failed;
}

/* Leaves the interface in the mode that it had if the other one cannot be reached. */
static int change_mode(struct gate *gate, const char *name, enum gate_mode from, enum gate_mode to,
		       struct error *err)
{
	struct error again;
	int failed = gate_detach(gate, name, err);

	if (failed)
		return failed;
	log_warning("interface.unfiltered", "{s:s, s:s}", "interface", name, "while",
		    "its mode changes");
	failed = attach_one(gate, name, to, err);
	if (failed && attach_one(gate, name, from, &again))
		log_error("interface.unfiltered", "{s:s, s:s}", "interface", name, "error",
			  again.text);
	return failed;
}

void interfaces_undo(struct gate *gate, const struct attached *attached)
{
	struct error err;

	for (size_t i = attached->count; i-- > 0;) {
		const char *name = attached->change[i].name;
		const enum gate_mode mode = attached->change[i].mode;
		int failed = attached->change[i].was_attached
				     ? change_mode(gate, name, GATE_MODE_AUTO, mode, &err)
				     : gate_detach(gate, name, &err);

		if (failed)
			log_warning("interface.stays", "{s:s, s:s}", "interface", name, "error",
				    err.text);
	}
}

/* Brings one interface into the mode; notes what has changed. */
static int ensure(struct gate *gate, const struct gate_interface *at, const char *name,
		  enum conf_mode mode, struct attached *attached, struct error *err)
{
	int failed = at ? change_mode(gate, name, at->mode, (enum gate_mode)mode, err)
			: attach_one(gate, name, (enum gate_mode)mode, err);

	if (failed)
		return failed;
	memcpy(attached->change[attached->count].name, name, IF_NAMESIZE);
	attached->change[attached->count].was_attached = at != NULL;
	attached->change[attached->count].mode = at ? at->mode : GATE_MODE_AUTO;
	attached->count++;
	return 0;
}

/* One pass over the interfaces: over those that are attached already, or over the others. */
static int ensure_all(struct gate *gate, const struct present *present, const struct conf *conf,
		      bool already, struct attached *attached, struct error *err)
{
	int failed = 0;

	for (size_t i = 0; i < conf->interfaces.count && !failed; i++) {
		const char *name = conf->interfaces.name[i];
		const struct gate_interface *at = find_present(present, name);

		if (already == (at != NULL) && !is_as_wanted(at, conf->mode))
			failed = ensure(gate, at, name, conf->mode, attached, err);
	}
	return failed;
}

int interfaces_attach(struct gate *gate, const struct conf *conf, struct attached *out,
		      struct error *err)
{
	struct attached attached = { .count = 0 };
	struct present present;
	int failed;

	present.count = gate_interfaces(gate, present.interface);
	/* What is likely to fail comes before what leaves an interface without its filter. */
	failed = ensure_all(gate, &present, conf, false, &attached, err);
	if (!failed)
		failed = ensure_all(gate, &present, conf, true, &attached, err);
	if (failed) {
		interfaces_undo(gate, &attached);
		return failed;
	}
	*out = attached;
	return 0;
}

static bool names(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->interfaces.count; i++)
		if (!strcmp(conf->interfaces.name[i], name))
			return true;
	return false;
}

int interfaces_detach_dropped(struct gate *gate, const struct conf *before,
			      const struct conf *after, struct error *err)
{
	int failed = 0;

	for (size_t i = 0; i < before->interfaces.count; i++) {
		const char *name = before->interfaces.name[i];

		if (names(after, name))
			continue;
		if (gate_detach(gate, name, err))
			failed = err->code;
		else
			log_info("interface.detached", "{s:s}", "interface", name);
	}
	return failed;
}

void interfaces_recover(struct gate *gate)
{
	struct gate_interface lost[GATE_INTERFACES_MAX];
	const size_t count = gate_lost(gate, lost);
	struct error err;

	for (size_t i = 0; i < count; i++) {
		if (!lost[i].lost)
			log_warning("interface.lost", "{s:s}", "interface", lost[i].name);
		if (!if_nametoindex(lost[i].name)) /* it may come back */
			continue;
		if (attach_one(gate, lost[i].name, lost[i].mode, &err) && !lost[i].lost)
			log_error("interface.unfiltered", "{s:s, s:s}", "interface", lost[i].name,
				  "error", err.text);
	}
}
