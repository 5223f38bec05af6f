/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/schema.c - every option of the configuration: one row each.
 *
 * Read by the rest of the module through conf/schema.h. The file's reader, the error messages,
 * `posternctl limits`, the example configuration and postern.yaml(5) are all made from these rows.
 * The rows of a section stand together, because the example writes them in this order; those of the
 * SMTP front are in conf/schema_smtp.h. Defaults are text and are read by the code that reads the
 * file, so they obey the same limits.
 */
#include "conf/row.h"

#define ENTRIES_MIN   1000u
#define ENTRIES_MAX   10000000u
#define SOURCES_MIN   1024u
#define SOURCES_MAX   16777216u
#define STORE_MIN     16u
#define STORE_MAX     1048576u
#define FLOOD_MAX     100000000u
#define HOLD_MAX      3600u
#define PROOF_MAX     (366u * DAY)
#define GUARD_TTL_MAX (7u * DAY)
#define BLOCK_TTL_MAX (366u * DAY)
#define VERDICTS_MAX  10000000u
#define FACTOR_MAX    100u
#define GOOD_MAX      1000u
#define DNS_TTL_MAX   (7u * DAY)
#define TEST_MAX      DAY
/* An identifier of a query has 16 bits. */
#define DNS_FLIGHT_MAX 20000u

static const char *const roles[] = { "filter", "guard", "proxy", NULL };
_Static_assert(CONF_ROLE_GUARD == 1 && CONF_ROLE_PROXY == 2, "conf: order of the words");

#define ACTION_WORD(name, text) text,
static const char *const actions[] = { ACTION_LIST(ACTION_WORD) NULL };

static const char *const modes[] = { "auto", "native", "generic", NULL };
_Static_assert(CONF_MODE_NATIVE == 1 && CONF_MODE_GENERIC == 2, "conf: order of the words");

static const char *const checks[] = { "off", "monitor", "tag", "defer", "reject", NULL };
static const char *const stages[] = { "connect", "rcpt", NULL };
_Static_assert(CONF_STAGE_CONNECT == 0 && CONF_STAGE_RCPT == 1, "conf: order of the words");
_Static_assert(CONF_CHECK_MONITOR == 1 && CONF_CHECK_REJECT == 4, "conf: order of the words");

static const char *const levels[] = { "debug", "info", "warning", "error", NULL };
_Static_assert(LOG_LEVEL_DEBUG == 0 && LOG_LEVEL_ERROR == 3, "conf: order of the words");

#define SOURCE "one address"
#define NET    "one IPv4 /24 or IPv6 /64"
#define SITE   "one IPv6 /48"
#define TOTAL  "everywhere"

const struct conf_option conf_schema[] = {
	{ .name = "user",
	  .type = CONF_TEXT,
	  FIELD(user),
	  .preset = "postern",
	  .unit = "the name of a user",
	  .check = conf_check_account,
	  .help = "The user that the agent becomes as soon as the gate is open." },
	{ .name = "state-directory",
	  .type = CONF_TEXT,
	  FIELD(state_directory),
	  .preset = "/var/lib/postern",
	  .unit = "an absolute path",
	  .check = conf_check_path,
	  .help = "Where lists and the operator's settings are kept. The agent creates it." },
	FIXED("store-size", store_size, STORE_MIN, STORE_MAX, "8192", "MiB",
	      "The most that lists and settings may take on disk. Space is taken only as it is "
	      "needed."),
	{ .name = "pin-directory",
	  .type = CONF_TEXT,
	  FIELD(pin_directory),
	  .preset = "/sys/fs/bpf/postern",
	  .unit = "an absolute path",
	  .check = conf_check_path,
	  .help = "Where the programs and maps are pinned, so that filtering outlives the agent. "
		  "It must be on a BPF file system." },
	{ .name = "interfaces",
	  .type = CONF_NAMES,
	  FIELD(interfaces),
	  .min = 0,
	  .max = CONF_INTERFACES_MAX,
	  .preset = "",
	  .reloadable = true,
	  .check = conf_check_interface,
	  .help = "Network interfaces to attach to at start. More can be attached later with "
		  "posternctl attach." },
	{ .name = "mode",
	  .type = CONF_CHOICE,
	  FIELD(role),
	  .preset = "filter",
	  .choices = roles,
	  .help = "What Postern does: filter stops what lists and limits stop. guard also looks up "
		  "clients that are new (DNS lists, reverse DNS) beside the mail server, and "
		  "stops those with a bad verdict from then on. proxy takes the mail itself, on "
		  "the addresses of smtp.listen, and hands on what is good to the servers of "
		  "smtp.backends." },
	CHOICE("attach-mode", mode, "auto", modes,
	       "How to attach: native runs in the driver, generic runs later and slower with "
	       "any driver, and auto takes native where the driver can."),
	{ .name = "ports",
	  .type = CONF_PORTS,
	  FIELD(ports),
	  .min = 1,
	  .max = CONF_PORTS_MAX,
	  .preset = "25, 465, 587, 110, 143, 993, 995",
	  .reloadable = true,
	  .help = "The protected TCP ports. Traffic to any other port is never touched." },
	SWITCH("monitor", monitor, "false",
	       "Whether to count and report what would be stopped, and stop nothing."),
	{ .name = "control.socket",
	  .type = CONF_TEXT,
	  FIELD(control.socket),
	  .preset = "/run/postern/control.sock",
	  .unit = "an absolute path",
	  .check = conf_check_path,
	  .help = "The socket that posternctl speaks to." },
	{ .name = "control.group",
	  .type = CONF_TEXT,
	  FIELD(control.group),
	  .preset = "",
	  .unit = "the name of a group",
	  .check = conf_check_group,
	  .help = "Members of this group may use the control socket. If it is empty the agent's "
		  "own group may." },
	{ .name = "metrics.listen",
	  .type = CONF_LISTEN,
	  FIELD(metrics.listen),
	  .preset = "127.0.0.1:9125",
	  .help = "Where Prometheus fetches metrics over HTTP. Anybody who reaches the address may "
		  "read them." },
	CHOICE("log.level", log.level, "info", levels,
	       "The least severe messages that are logged."),
	ROW("events.rate", events.rate, 0, RATE_MAX, "1000", "packets/s",
	    "Stopped packets that are reported one by one. Beyond it they are counted, and a "
	    "sample of them is reported."),
	FIXED("table.capacity-ipv4", table.capacity_ipv4, ENTRIES_MIN, ENTRIES_MAX, "1048576",
	      "entries",
	      "IPv4 entries that all lists may hold together. Memory for them is taken at "
	      "start."),
	FIXED("table.capacity-ipv6", table.capacity_ipv6, ENTRIES_MIN, ENTRIES_MAX, "524288",
	      "entries",
	      "IPv6 entries that all lists may hold together. Memory for them is taken at "
	      "start."),
	FIXED("table.sources", table.sources, SOURCES_MIN, SOURCES_MAX, "262144", "sources",
	      "Addresses and networks whose rates and connections are followed at a time. The "
	      "wider limits hold for the rest."),
	RATE("source", METER_SOURCE, "20", SOURCE),
	BURST("source", METER_SOURCE, "40", SOURCE),
	CONN("source", METER_SOURCE, "50", SOURCE),
	RATE("net", METER_NET, "100", NET),
	BURST("net", METER_NET, "200", NET),
	CONN("net", METER_NET, "200", NET),
	RATE("site", METER_SITE, "200", SITE),
	BURST("site", METER_SITE, "400", SITE),
	CONN("site", METER_SITE, "400", SITE),
	RATE("total", METER_TOTAL, "0", TOTAL),
	BURST("total", METER_TOTAL, "0", TOTAL),
	CONN("total", METER_TOTAL, "0", TOTAL),
	LIMIT("reset-rate", reset_rate, "1000", "segments/s",
	      "RST segments sent in answer to listed sources. Beyond it their packets are dropped "
	      "without an answer. 0 is no limit."),
	ROW("flood.threshold", flood.threshold, 0, FLOOD_MAX, "20000", "attempts/s",
	    "Connection attempts to one protected port beyond which there is a flood, and "
	    "sources that are not proved get a SYN cookie. 0 is never."),
	ROW("flood.release", flood.release, 0, FLOOD_MAX, "0", "attempts/s",
	    "A flood ends when no more attempts than this come for as long as flood.hold "
	    "says. 0 is half of flood.threshold."),
	ROW("flood.hold", flood.hold, 1, HOLD_MAX, "5", CONF_SECONDS,
	    "How long it must be quiet before a flood ends."),
	ROW("flood.proof", flood.proof, 1, PROOF_MAX, "86400", CONF_SECONDS,
	    "How long a source that completed a handshake is taken for real: during a flood "
	    "it needs no SYN cookie."),
	SWITCH("flood.cookies", flood.cookies, "true",
	       "Whether the agent sets the kernel's net.ipv4.tcp_syncookies and "
	       "net.ipv4.tcp_timestamps to 2 while a flood is on, and back afterwards. Without "
	       "it there are SYN cookies only if tcp_syncookies is 2 already."),
	{ .name = "refuse.contact",
	  .type = CONF_TEXT,
	  FIELD(refuse.contact),
	  .preset = "",
	  .unit = "an address of a web page or of mail, in ASCII",
	  .reloadable = true,
	  .check = conf_check_contact,
	  .help = "Where a client that is refused can turn to. It is told so in the SMTP reply." },
	{ .name = "dns.servers",
	  .type = CONF_SERVERS,
	  FIELD(dns.servers),
	  .min = 0,
	  .max = CONF_SERVERS_MAX,
	  .preset = "",
	  .help = "The resolvers to ask, in this order: the next one while one does not answer. "
		  "Without a port it is 53. If the list is empty, those of /etc/resolv.conf are "
		  "asked. They are trusted, so they should be on this host or next to it." },
	DNS("timeout", timeout, 100, 30000, "2000", CONF_MS,
	    "How long one try of a question waits for the answer."),
	DNS("tries", tries, 1, 10, "3", "tries",
	    "How often a question is asked, of all servers together, before the answer is that "
	    "there is none at the moment."),
	DNS("cache-entries", cache_entries, 0, 10000000, "100000", "answers",
	    "Answers that are kept, with 512 bytes for each on average. 0 keeps none."),
	DNS("ttl-min", ttl_min, 0, 3600, "10", CONF_SECONDS,
	    "Every answer is kept at least so long, whatever its owner says."),
	DNS("ttl-max", ttl_max, 1, DNS_TTL_MAX, "3600", CONF_SECONDS,
	    "What was found is kept at most so long."),
	DNS("ttl-negative", ttl_negative, 0, DNS_TTL_MAX, "900", CONF_SECONDS,
	    "That something is not there is kept at most so long."),
	DNS("in-flight", in_flight, 1, DNS_FLIGHT_MAX, "1000", "questions",
	    "Questions that may be under way at a time. What is beyond them is not asked, and "
	    "counts as no answer at the moment."),
	DNS("in-flight-zone", in_flight_zone, 1, DNS_FLIGHT_MAX, "200", "questions",
	    "The same for the questions below the zone of one DNS list, so that a slow list does "
	    "not hold up the others."),
	LIST("dnsbl.zones", dnsbl.zones, CONF_ZONES, CONF_ZONES_MAX, true,
	     "The DNS lists that addresses of clients are looked up in, a text in quotes for "
	     "each: the list's name, then = and the replies that count if not all do, then "
	     "* and the points if it is not 1. Points above 0 speak against a client, as in "
	     "\"zen.spamhaus.org*8\", and points below 0 for it, as in "
	     "\"list.dnswl.org=127.0.[0..255].[1..3]*-4\"."),
	LIST("dnsbl.domains", dnsbl.domains, CONF_ZONES, CONF_ZONES_MAX, true,
	     "The DNS lists that the sender's domain and the HELO name are looked up in, "
	     "written as in dnsbl.zones. One that tells in the bits of its reply what it has "
	     "found is written with a mask, as \"multi.uribl.com=127.0.0.&14*4\"."),
	ROW("dnsbl.test-interval", dnsbl.test_interval, 0, TEST_MAX, "300", CONF_SECONDS,
	    "How long between two tests of a DNS list, which ask it for what it must and what it "
	    "must not list. What a list says counts only while it passes. 0 is never to test: "
	    "then all is believed."),
	ROW("guard.rate", guard.rate, 1, RATE_MAX, "500", "sources/s",
	    "New sources that are looked up because of a connection attempt. As many again "
	    "are when they have completed a handshake, so that attempts from forged "
	    "addresses hold up nobody who is real."),
	FIXED("guard.cache", guard.cache, ENTRIES_MIN, VERDICTS_MAX, "200000", "verdicts",
	      "Verdicts that are kept, with 128 bytes for each."),
	ROW("guard.ttl-min", guard.ttl_min, 1, GUARD_TTL_MAX, "60", CONF_SECONDS,
	    "A verdict holds at least so long, whatever the answers that it rests on say."),
	ROW("guard.ttl-max", guard.ttl_max, 1, GUARD_TTL_MAX, "3600", CONF_SECONDS,
	    "A verdict holds at most so long."),
	ROW("guard.timeout", guard.timeout, 100, 60000, "10000", CONF_MS,
	    "How long a verdict waits for all lookups together. What is not there by then counts "
	    "as no answer."),
	FINDING_LIST(FINDING_ROW) SCORE("policy.slow", policy.slow, "4",
					"The score from which mail is taken slowly. 0 is never."),
	SCORE("policy.greylist", policy.greylist, "6",
	      "The score from which a client has to come again, where greylisting is on. 0 is "
	      "never."),
	{ .name = "policy.reject",
	  .type = CONF_SCORE,
	  FIELD(policy.reject),
	  .max = SCORE_MAX,
	  .preset = "10",
	  .unit = "points",
	  .reloadable = true,
	  .check = conf_check_reject,
	  .help = "The score from which a client is refused. 0 is never." },
	SWITCH("greylist.enabled", greylist.enabled, "false",
	       "Whether clients with a score of policy.greylist or more have to come again "
	       "later before they are let in. Otherwise they are let in."),
	ROW("greylist.delay", greylist.delay, 1, 86400, "300", CONF_SECONDS,
	    "How much later a client has to come again."),
	ROW("greylist.window", greylist.window, 1, BLOCK_TTL_MAX, "86400", CONF_SECONDS,
	    "How long it may take until then: who comes later begins again."),
	ROW("greylist.keep", greylist.keep, 1, BLOCK_TTL_MAX, "3110400", CONF_SECONDS,
	    "How long who has come again is remembered after the last time."),
	CHOICE("escalation.first-action", escalation.first_action, "refuse", actions,
	       "What the kernel does about a source after its first bad verdict. refuse tells "
	       "it why."),
	CHOICE("escalation.action", escalation.action, "drop", actions,
	       "What it does about a source that has offended before."),
	ROW("escalation.ttl", escalation.ttl, 1, BLOCK_TTL_MAX, "600", CONF_SECONDS,
	    "How long a source is blocked after its first bad verdict."),
	ROW("escalation.ttl-max", escalation.ttl_max, 1, BLOCK_TTL_MAX, "604800", CONF_SECONDS,
	    "How long it is blocked at most."),
	ROW("escalation.factor", escalation.factor, 1, FACTOR_MAX, "6", "times",
	    "How much longer each time than the time before."),
	ROW("escalation.forgive", escalation.forgive, 60, BLOCK_TTL_MAX, "604800", CONF_SECONDS,
	    "One offence is forgotten after each such time without another."),
	ROW("history.good", history.good, 0, GOOD_MAX, "5", "verdicts",
	    "After so many verdicts that say accept, at least an hour apart and without an offence "
	    "between them, a source is trusted. 0 is never."),
	ROW("history.trust", history.trust, 60, BLOCK_TTL_MAX, "86400", CONF_SECONDS,
	    "How long a trusted source is not looked up again."),
#include "conf/schema_smtp.h"
};

const size_t conf_schema_count = sizeof(conf_schema) / sizeof(conf_schema[0]);
_Static_assert(sizeof(conf_schema) / sizeof(conf_schema[0]) <= CONF_OPTIONS_MAX,
	       "conf: more options than struct conf has lines for");
