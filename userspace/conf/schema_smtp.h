/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/schema_smtp.h - the rows of the sections smtp, tls and check: a part of the table in
 * conf/schema.c, which includes it where they stand. Nobody else does, so it has no guard.
 *
 * The words of a choice are those of schema.c.
 */

/* The least that a receiver must take (RFC 5321 4.5.3.1.7), and what fits a number. */
#define MESSAGE_MIN 65536u
#define MESSAGE_MAX 2000000000u
#define SPOOL_MAX   1048576u

{ .name = "smtp.hostname",
  .type = CONF_TEXT,
  FIELD(smtp.hostname),
  .preset = "",
  .unit = "a host name",
  .reloadable = true,
  .check = conf_check_host,
  .help = "The name by which the gateway greets and signs what it writes into headers. If "
	  "it is empty it is the name of the machine." },
	SMTP_FIXED("workers", workers, 0, 256, "0", "threads",
		   "Threads that take mail. 0 is one for each processor."),
	LIST("smtp.listen", smtp.listen, CONF_LISTENERS, CONF_LISTENERS_MAX, false,
	     "Where mail is taken: ADDRESS:PORT and one of mx (from anywhere), submission "
	     "(from users, STARTTLS) and submissions (from users, TLS from the start). What "
	     "goes without saying may be left out: 25 is mx on all addresses."),
	LIST("smtp.balancers", smtp.balancers, CONF_PREFIXES, CONF_PREFIXES_MAX, false,
	     "Load balancers, as addresses or networks: they must send a PROXY header, which is "
	     "believed. The kernel sees the balancer alone: put it on an allow list. The agent "
	     "applies lists, learned blocks and limits to the client that is named."),
	LIST("smtp.networks", smtp.networks, CONF_PREFIXES, CONF_PREFIXES_MAX, true,
	     "Addresses or networks that may send mail to anybody."),
	LIST("smtp.domains", smtp.domains, CONF_DOMAINS, CONF_DOMAINS_MAX, true,
	     "The domains for which mail is taken from anybody, without those below them."),
	PATH("smtp.recipients", smtp.recipients, true,
	     "A file of the recipients that exist in smtp.domains, one address on a line, or "
	     "@ and a domain of which all may exist. If it is empty the backend is asked."),
	PATH("smtp.users", smtp.users, true,
	     "A file of the users who may log in. If it is empty the backend is asked."),
	LIST("smtp.backends", smtp.backends, CONF_BACKENDS, CONF_BACKENDS_MAX, true,
	     "The servers that get the mail: ADDRESS:PORT, then any of starttls, tls (from the "
	     "start), verify=NAME (the certificate is for this name), pin=HEX (SHA-256 of its "
	     "public key), xclient or proxy (the server is told the client's address), "
	     "weight=N, and backup (it gets mail only while no other server is up)."),
	PATH("smtp.backend-ca", smtp.backend_ca, true,
	     "A file of the authorities that sign certificates of backends. If it is empty it is "
	     "those of the system."),
	SMTP("size-max", size_max, MESSAGE_MIN, MESSAGE_MAX, "50M", "bytes",
	     "The largest message that is taken."),
	SMTP("recipients-max", recipients_max, 1, 50000, "1000", "recipients",
	     "Recipients of one message. RFC 5321 wants 100 at least."),
	SMTP("unknown-recipients", unknown_recipients, 0, RATE_MAX, "50", "recipients",
	     "Recipients that do not exist which one IPv4 address or IPv6 /64 may name at once, "
	     "and again in an hour, beyond as many as it has delivered to. After them it is told "
	     "to come again later, unless it writes to postmaster or abuse. 0 is no limit."),
	SMTP("unknown-ttl", unknown_ttl, 0, DAY, "300", CONF_SECONDS,
	     "How long a recipient is remembered that a backend has refused because there is no "
	     "such mailbox. Strangers who name it meanwhile are told the same, and no backend is "
	     "asked; so a mailbox that was made just now is refused for so long at most, and not "
	     "after a reload. 0 is to remember none."),
	SMTP("errors-max", errors_max, 1, 10000, "20", "errors",
	     "Commands of one session that are refused before it is ended."),
	SMTP("commands-max", commands_max, 1, 10000, "100", "commands",
	     "Commands of one session that lead to nothing, as NOOP and RSET, before it is "
	     "ended."),
	SMTP("connections-max", connections_max, 1, RATE_MAX, "10000", "connections",
	     "Connections at a time. Beyond it a client is told to come again later. A lower "
	     "limits.conn-total stops it before, at its first packet."),
	SMTP("timeout-command", timeout_command, 1, 3600, "300", CONF_SECONDS,
	     "How long the next command may take."),
	SMTP("timeout-data", timeout_data, 1, 3600, "180", CONF_SECONDS,
	     "How long the next piece of a message may take."),
	SMTP("timeout-session", timeout_session, 1, DAY, "3600", CONF_SECONDS,
	     "How long a whole session may take."),
	SMTP("rate-min", rate_min, 0, RATE_MAX, "100", "bytes/s",
	     "How fast a message must come on average. 0 is at any speed."),
	PATH("smtp.spool", smtp.spool, false,
	     "The directory for messages too large for memory, without names and only while under "
	     "way. Default: spool in state-directory. The agent's user gets one that the agent "
	     "makes; one that is there already stays as it is, and he must be able to write it."),
	SMTP_FIXED("spool-message", spool_message, 0, SPOOL_MAX, "256", "KiB",
		   "How much of one message is kept in memory. What is larger goes to "
		   "smtp.spool."),
	SMTP_FIXED("spool-memory", spool_memory, 1, SPOOL_MAX, "256", "MiB",
		   "How much memory all messages that are under way may take. Beyond it they go "
		   "to smtp.spool."),
	SMTP_FIXED("spool-disk", spool_disk, 1, SPOOL_MAX, "4096", "MiB",
		   "How much of the disk they may take. Beyond it senders are told to come again "
		   "later."),
	SMTP("greet-delay", greet_delay, 0, 10000, "0", CONF_MS,
	     "How long a client of whom no good is known waits for the greeting. Who speaks "
	     "before it, also with 0, is found out by check.pregreet."),
	LIST("tls.certificates", tls.certificates, CONF_CERTIFICATES, CONF_CERTIFICATES_MAX, true,
	     "Certificates: a file with the chain and a file with the key, or one that holds "
	     "both. The first is for clients that ask for no name that any of them has."),
	SWITCH("tls.required", tls.required, "false",
	       "Whether also mail from anywhere is taken over TLS only. RFC 3207 advises against "
	       "it where mail of strangers is wanted."),
	CHECK("pregreet", pregreet, "reject", "What is done about who speaks before the greeting."),
	CHECK("pipelining", pipelining, "reject",
	      "What is done about commands that come too early."),
	CHECK("dnsbl", dnsbl, "reject",
	      "What is done about sender domains and HELO names that are on lists of "
	      "dnsbl.domains, where their points reach policy.reject."),
	CHECK("rdns", rdns, "monitor",
	      "What is done about clients whose address has no confirmed host name."),
	CHECK("helo", helo, "monitor",
	      "What is done about clients with a HELO name that is wrong or does not exist."),
	CHECK("spf", spf, "reject",
	      "What is done about mail that the sender's domain forbids by SPF."),
	CHECK("sender", sender, "reject",
	      "What is done about senders whose domain cannot take an answer."),
	CHECK("score", score, "reject",
	      "What is done about clients whose score reaches policy.reject."),
	CHOICE("check.stage", check.stage, "connect", stages,
	       "When a client is refused because of its address. connect is at once, in place of "
	       "the greeting; rcpt is at each recipient, so that postmaster and abuse can be "
	       "reached, and the log has sender and recipients."),
	LIST("check.domains", check.domains, CONF_CHECKS, CONF_DOMAINS_MAX, true,
	     "Domains of smtp.domains with other actions, as \"example.net spf=tag score=off\", "
	     "for dnsbl, rdns, helo, spf, sender, score. A milder rdns or score needs stage rcpt."),
