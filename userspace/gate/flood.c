/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/flood.c - floods and SYN cookies on the agent's side: see gate/flood.h and gate/cookies.h.
 */
#include <string.h>

#include "gate/flood.h"
#include "gate/internal.h"
#include "gate/kept.h"
#include "lib/clock.h"
#include "lib/log.h"

#define WINDOW_NS  (1ull << FLOOD_WINDOW_SHIFT)
#define CPU_SHARES 8 /* of its part of the threshold: how late all CPUs together may be */

#define load(place)         __atomic_load_n(place, __ATOMIC_RELAXED)
#define store(place, value) __atomic_store_n(place, value, __ATOMIC_RELAXED)

uint32_t flood_attempts(uint32_t rate)
{
	const uint64_t attempts = (rate * WINDOW_NS + NS_A_SECOND / 2) / NS_A_SECOND;

	return rate && !attempts ? 1 : (uint32_t)attempts;
}

uint32_t flood_rate(uint32_t attempts)
{
	const uint64_t rate = (attempts * NS_A_SECOND + WINDOW_NS / 2) / WINDOW_NS;

	return rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate;
}

struct flood_settings flood_settings_for(const struct gate_flood_limits *limits, uint32_t cpus)
{
	const uint32_t threshold = flood_attempts(limits->threshold);
	const uint32_t batch = threshold / (CPU_SHARES * (cpus ? cpus : 1));

	return (struct flood_settings){
		.threshold = threshold,
		.release = limits->release ? flood_attempts(limits->release) : threshold / 2,
		.quiet = (uint32_t)((limits->hold * NS_A_SECOND + WINDOW_NS - 1) / WINDOW_NS),
		.batch = batch ? batch : 1,
		.proof = limits->proof,
	};
}

static uint32_t attempts_now(const struct flood_port *state, uint64_t now)
{
	const uint32_t count = load(&state->count), last = load(&state->last);
	const uint64_t window = load(&state->window);

	if (window >= now) /* this window is not over yet */
		return count > last ? count : last;
	return window + 1 == now ? count : 0;
}

struct gate_flood flood_shown(const struct flood_port *state, uint16_t port, uint32_t quiet,
			      uint64_t now_ns)
{
	const uint64_t now = now_ns >> FLOOD_WINDOW_SHIFT;
	const uint64_t over = load(&state->window) + quiet + 1; /* the window after the flood */
	const bool on = load(&state->active), active = on && now < over;
	const uint32_t attempts = attempts_now(state, now), peak = load(&state->peak);

	return (struct gate_flood){
		.port = port,
		.active = active,
		.rate = flood_rate(attempts),
		/* The program notes a window when it is over. */
		.peak = flood_rate(active && attempts > peak ? attempts : peak),
		.floods = load(&state->floods),
		.since_ns = on && !active ? over << FLOOD_WINDOW_SHIFT : load(&state->since),
	};
}

size_t gate_floods(struct gate *gate, struct gate_flood out[FLOOD_PORTS])
{
	const struct flood_port *state = gate->map[GATE_MAP_flood].memory;
	const uint32_t quiet = load(&gate_kernel_settings(gate)->flood.quiet);
	const __u8 *numbers = gate_kernel_settings(gate)->port;
	const uint64_t now = clock_mono();
	size_t count = 0;

	for (size_t i = 0; i < FLOOD_PORTS; i++) {
		const uint16_t port = load(&gate->flood_port[i]);
		const uint32_t number = port ? load(&numbers[port]) : 0;

		if (number && number <= FLOOD_PORTS)
			out[count++] = flood_shown(&state[number - 1], port, quiet, now);
	}
	return count;
}

const char *cookies_directory(const struct gate *gate)
{
	return gate->cookies.directory ? gate->cookies.directory : COOKIES_DIRECTORY;
}

void cookies_publish(struct gate *gate)
{
	struct flood_settings *kernel = &gate_kernel_settings(gate)->flood;
	const struct cookie_offer offer = cookies_offer(cookies_directory(gate));

	store(&kernel->window, offer.window);
	store(&kernel->scale, offer.scale);
	__atomic_store_n(&kernel->cookies, offer.cookies, __ATOMIC_RELEASE);
}

void cookies_end(struct gate *gate)
{
	struct error err;

	if (!gate->cookies.keeper.switched[COOKIE_SYSCTL_COOKIES] &&
	    !gate->cookies.keeper.switched[COOKIE_SYSCTL_STAMPS])
		return;
	store(&gate_kernel_settings(gate)->flood.cookies, 0);
	if (cookies_switch(&gate->cookies.keeper, cookies_directory(gate), false, &err))
		log_warning("cookies.stay", "{s:s}", "reason", err.text);
}

void cookies_recover(struct gate *gate)
{
	struct cookie_switch *state = &gate->cookies.keeper;

	if (!state->kept || !kept_read(state->kept, state))
		return;
	log_warning("cookies.recovered", "{s:s}", "reason",
		    "an earlier keeper was killed while they were on");
	cookies_end(gate);
}

/* What keeps cookies from being given out, or "": told once, and shown as long as it is so. */
static void note_failure(struct cookies *cookies, const char *why)
{
	bool news;

	pthread_mutex_lock(&cookies->lock);
	news = *why && strcmp(cookies->why, why) != 0;
	memccpy(cookies->why, why, '\0', sizeof(cookies->why));
	pthread_mutex_unlock(&cookies->lock);
	if (news)
		log_warning("cookies.unavailable", "{s:s}", "reason", why);
}

static void switch_cookies(struct gate *gate, bool on)
{
	struct cookies *cookies = &gate->cookies;
	struct error err = { 0 };

	/* No cookie may promise what will not be understood when its answer comes. */
	if (!on && cookies->on)
		store(&gate_kernel_settings(gate)->flood.cookies, 0);
	if (!keeper_switch_cookies(gate, on, &err))
		cookies->on = on;
	cookies->looked = true;
	note_failure(cookies, err.text);
}

void gate_cookies_follow(struct gate *gate, bool flood)
{
	const bool wanted = load(&gate->cookies.wanted), on = wanted && flood;

	cookies_publish(gate);
	if (on && gate->cookies.on && load(&gate_kernel_settings(gate)->flood.cookies) & COOKIES_ON)
		return;
	if (!on && !gate->cookies.on && (gate->cookies.looked || !wanted))
		return;
	switch_cookies(gate, on);
	cookies_publish(gate);
}

static bool flood_anywhere(struct gate *gate)
{
	struct gate_flood flood[FLOOD_PORTS];
	const size_t count = gate_floods(gate, flood);

	for (size_t i = 0; i < count; i++)
		if (flood[i].active)
			return true;
	return false;
}

void gate_cookie_state(struct gate *gate, struct gate_cookie_state *out)
{
	const struct flood_settings *kernel = &gate_kernel_settings(gate)->flood;
	const bool ready = load(&kernel->cookies) & COOKIES_ON;
	struct cookies *cookies = &gate->cookies;

	pthread_mutex_lock(&cookies->lock);
	memcpy(out->why, cookies->why, sizeof(out->why));
	pthread_mutex_unlock(&cookies->lock);
	if (!load(&kernel->threshold)) {
		out->cookies = GATE_COOKIES_OFF;
		strcpy(out->why, "flood.threshold is 0");
	} else if (ready) {
		out->cookies = flood_anywhere(gate) ? GATE_COOKIES_ON : GATE_COOKIES_ARMED;
	} else if (!load(&cookies->wanted)) {
		out->cookies = GATE_COOKIES_OFF;
		strcpy(out->why, "flood.cookies is false, and net.ipv4.tcp_syncookies is not 2");
	} else {
		out->cookies = *out->why ? GATE_COOKIES_UNAVAILABLE : GATE_COOKIES_ARMED;
	}
}
