# SPDX-License-Identifier: GPL-2.0-only
#
# `make install` and `make uninstall`. DESTDIR stages a package: then no user is added and no running
# system is told. A configuration that is there already is never written over, and stays.

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
SBINDIR    ?= $(PREFIX)/sbin
BINDIR     ?= $(PREFIX)/bin
MANDIR     ?= $(PREFIX)/share/man
UNITDIR    ?= $(PREFIX)/lib/systemd/system
BASHDIR    ?= $(PREFIX)/share/bash-completion/completions
ALERTDIR   ?= $(PREFIX)/share/postern/prometheus

CONFIGURATION := $(SYSCONFDIR)/postern/postern.yaml
PINS          := /sys/fs/bpf/postern
MANUALS       := $(patsubst docs/man/%,$(BUILD)/man/%,$(wildcard docs/man/*.8) \
	$(patsubst %.in,%,$(wildcard docs/man/*.in)))
COMPLETION    := $(wildcard packaging/posternctl.bash)
ALERTS        := $(wildcard packaging/prometheus/*.yaml)

# What is made for installing: the manual and the example are printed from the option schema.
GENERATED := $(MANUALS) $(BUILD)/postern.yaml $(BUILD)/postern.service

$(BUILD)/man/%: docs/man/%
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(BUILD)/man/%: docs/man/%.in $(BUILD)/posternd
	@mkdir -p $(@D)
	$(say) MAN $(@:$(BUILD)/%=%)
	$(Q)$(BUILD)/posternd --reference > $@.options
	$(Q)sed -e '/^@OPTIONS@$$/{r $@.options' -e 'd;}' $< > $@
	$(Q)rm $@.options

$(BUILD)/postern.yaml: $(BUILD)/posternd
	$(Q)$(BUILD)/posternd --example > $@

# Says where things are, so it is made anew every time: the directories come from the command line.
$(BUILD)/postern.service: packaging/postern.service.in force
	@mkdir -p $(@D)
	$(Q)sed -e 's|@SBINDIR@|$(SBINDIR)|' -e 's|@BINDIR@|$(BINDIR)|' \
		-e 's|@SYSCONFDIR@|$(SYSCONFDIR)|' $< > $@

.PHONY: install uninstall manuals
manuals: $(MANUALS)

install: all $(GENERATED) ## install below PREFIX (/usr/local) and /etc, staged in DESTDIR if given
	$(Q)install -D -m 755 $(BUILD)/posternd '$(DESTDIR)$(SBINDIR)/posternd'
	$(Q)install -D -m 755 $(BUILD)/posternctl '$(DESTDIR)$(BINDIR)/posternctl'
	$(Q)install -D -m 644 -t '$(DESTDIR)$(MANDIR)/man5' $(filter %.5,$(MANUALS))
	$(Q)install -D -m 644 -t '$(DESTDIR)$(MANDIR)/man8' $(filter %.8,$(MANUALS))
	$(Q)install -D -m 644 $(BUILD)/postern.service '$(DESTDIR)$(UNITDIR)/postern.service'
	$(Q)install -D -m 644 -t '$(DESTDIR)$(ALERTDIR)' $(ALERTS)
ifneq ($(COMPLETION),)
	$(Q)install -D -m 644 $(COMPLETION) '$(DESTDIR)$(BASHDIR)/posternctl'
endif
	$(Q)test -e '$(DESTDIR)$(CONFIGURATION)' || \
		install -D -m 644 $(BUILD)/postern.yaml '$(DESTDIR)$(CONFIGURATION)'
ifeq ($(DESTDIR),)
	$(Q)getent passwd postern >/dev/null || useradd --system --user-group --no-create-home \
		--home-dir /nonexistent --shell /usr/sbin/nologin --comment 'Postern agent' postern
	$(Q)test ! -d /run/systemd/system || systemctl daemon-reload
	@echo "Installed. Set 'interfaces' in $(CONFIGURATION), then: systemctl enable --now postern"
endif

# The agent is ended before its program goes; that does not end filtering, which is what the last lines are about.
uninstall: ## remove what install has put there, but not the configuration and the lists
ifeq ($(DESTDIR),)
	$(Q)test ! -d /run/systemd/system || systemctl disable --now postern 2>/dev/null || true
endif
	$(Q)rm -f '$(DESTDIR)$(SBINDIR)/posternd' '$(DESTDIR)$(BINDIR)/posternctl' \
		'$(DESTDIR)$(UNITDIR)/postern.service' '$(DESTDIR)$(BASHDIR)/posternctl' \
		$(foreach page,$(filter %.5,$(MANUALS)),'$(DESTDIR)$(MANDIR)/man5/$(notdir $(page))') \
		$(foreach page,$(filter %.8,$(MANUALS)),'$(DESTDIR)$(MANDIR)/man8/$(notdir $(page))') \
		$(foreach file,$(ALERTS),'$(DESTDIR)$(ALERTDIR)/$(notdir $(file))')
	$(Q)rmdir -p --ignore-fail-on-non-empty '$(DESTDIR)$(ALERTDIR)' 2>/dev/null || true
ifeq ($(DESTDIR),)
	$(Q)test ! -d /run/systemd/system || systemctl daemon-reload
	@echo "Left: $(CONFIGURATION), the lists in /var/lib/postern, and the user postern, who owns them."
	@test ! -d $(PINS) || { echo "Still filtering, until the next boot: $(PINS) is in use. To end it now:"; \
		echo "  ip link set dev IFACE xdp off; rm -r $(PINS)"; }
else
	@echo "Left: $(DESTDIR)$(CONFIGURATION)."
endif
