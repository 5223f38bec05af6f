# SPDX-License-Identifier: GPL-2.0-only
"""Configurations of the lab's real name servers: nsd, which has zones, and unbound, which asks."""

NSD = """\
server:
{addresses}
    server-count: 1
    username: ""
    chroot: ""
    pidfile: ""
    zonesdir: "{directory}"
    database: ""
    zonelistfile: "{directory}/nsd.zones"
    xfrdfile: "{directory}/nsd.xfrd"
    xfrdir: "{directory}"
    rrl-ratelimit: 0
remote-control:
    control-enable: no
{zones}"""

UNBOUND = """\
server:
    interface: {address}
    access-control: 127.0.0.0/8 allow
    username: ""
    chroot: ""
    directory: "{directory}"
    pidfile: ""
    use-syslog: no
    logfile: ""
    num-threads: 1
    module-config: "iterator"
    do-ip6: no
    outgoing-range: 512
    num-queries-per-thread: 2048
{nodefault}
{more}
"""

CONTROL = """\
remote-control:
    control-enable: yes
    control-interface: {path}
    control-use-cert: no
"""
NO_CONTROL = "remote-control:\n    control-enable: no\n"


def nsd(directory, addresses, zones):
    """`zones`: {name of the zone: file in the directory}; a file that is not there makes it SERVFAIL."""
    return NSD.format(directory=directory, addresses="\n".join(f"    ip-address: {address}" for address in addresses),
                      zones="".join(f"zone:\n    name: {name}\n    zonefile: {file}\n" for name, file in zones.items()))


def unbound(directory, address, own, more="", stubs=None, control=None):
    """
    `own`: names that unbound would answer for itself, and must not here, such as "test." and the documentation's networks.
    `more`: lines of the section "server". `stubs`: {zone: address}. `control`: path of a socket for unbound-control.
    """
    text = UNBOUND.format(directory=directory, address=address, more=more.rstrip("\n"),
                          nodefault="\n".join(f'    local-zone: "{name}" nodefault' for name in own))
    for zone, server in (stubs or {}).items():
        text += f'stub-zone:\n    name: "{zone}"\n    stub-addr: {server}\n'
    return text + (CONTROL.format(path=control) if control else NO_CONTROL)
