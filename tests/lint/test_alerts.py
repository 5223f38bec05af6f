# SPDX-License-Identifier: GPL-2.0-only
"""The alert rules are valid, name metrics that exist, and fire when they should and only then."""
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "packaging/prometheus/postern-alerts.yaml"
METRICS = sorted((ROOT / "userspace/obs").glob("metrics*.c"))

# Half an hour of a gateway with every trouble (a), one that is not attached (b), one that is down (c).
SERIES = {
    'up{job="postern",instance="a"}': "1x30",
    'up{job="postern",instance="b"}': "1x30",
    'up{job="postern",instance="c"}': "0x30",
    'postern_interface_info{instance="a",interface="eth0",mode="native",shared="false"}': "1x30",
    'postern_keeper_up{instance="a"}': "0x30",
    'postern_keeper_up{instance="b"}': "1x30",
    'postern_reason_info{instance="a",reason="listed",kind="stop"}': "1x30",
    'postern_reason_info{instance="a",reason="accepted",kind="pass"}': "1x30",
    'postern_packets_total{instance="a",reason="listed",family="ipv4",outcome="enforced"}': "0+60000x30",
    'postern_packets_total{instance="a",reason="listed",family="ipv6",outcome="enforced"}': "0+60000x30",
    'postern_packets_total{instance="a",reason="accepted",family="ipv4",outcome="enforced"}': "0+60x30",
    'postern_packets_total{instance="a",reason="rate-total",family="ipv4",outcome="enforced"}': "0+60x30",
    'postern_table_entries{instance="a",family="ipv4"}': "95x30",
    'postern_table_entries{instance="a",family="ipv6"}': "89x30",
    'postern_table_capacity{instance="a",family="ipv4"}': "100x30",
    'postern_table_capacity{instance="a",family="ipv6"}': "100x30",
    'postern_table_pages{instance="a"}': "95x30",
    'postern_table_page_capacity{instance="a"}': "100x30",
    'postern_events_lost_total{instance="a"}': "0+1x30",
    'postern_meter_full_total{instance="a"}': "0+600x30",
    'postern_monitor{instance="a"}': "1x30",
    'postern_flood_active{instance="a",port="25"}': "1x30",
    'postern_flood_active{instance="a",port="587"}': "0x30",
    'postern_syn_cookies{instance="a",state="unavailable"}': "1x30",
    'postern_syn_cookies{instance="a",state="on"}': "0x30",
    'postern_dnsbl_zone_up{instance="a",zone="bl.example",of="address"}': "0x30",
    'postern_dnsbl_zone_health_info{instance="a",zone="bl.example",of="address",health="silent"}': "1x30",
    'postern_dnsbl_zone_up{instance="a",zone="wl.example",of="address"}': "1x30",
    'postern_dnsbl_zone_up{instance="b",zone="bl.example",of="address"}': "0x30",
    'postern_dnsbl_zone_health_info{instance="b",zone="bl.example",of="address",health="untested"}': "1x30",
    'postern_dns_queries_total{instance="a"}': "0+600x30",
    'postern_dns_timeouts_total{instance="a"}': "0+590x30",
    'postern_dns_queries_total{instance="b"}': "0+600x30",
    'postern_dns_timeouts_total{instance="b"}': "0+30x30",
    'postern_dns_servers_down{instance="a"}': "1x30",
    'postern_dns_servers_down{instance="b"}': "0x30",
    'postern_dns_rewrites{instance="a"}': "1x30",
    'postern_dns_rewrites{instance="b"}': "0x30",
    'postern_verdicts_total{instance="a",decision="accept"}': "0+60x30",
    'postern_verdicts_total{instance="a",decision="reject"}': "0+30x30",
    'postern_verdicts_temporary_total{instance="a"}': "0+30x30",
    'postern_verdicts_total{instance="b",decision="accept"}': "0+60x30",
    'postern_verdicts_temporary_total{instance="b"}': "0+3x30",
    'postern_newcomers_lost_total{instance="a"}': "0x30",
    'postern_newcomers_skipped_total{instance="a"}': "0+600x30",
    'postern_evaluations_skipped_total{instance="a"}': "0x30",
    'postern_newcomers_lost_total{instance="b"}': "0x30",
    'postern_newcomers_skipped_total{instance="b"}': "0+6x30",
    'postern_evaluations_skipped_total{instance="b"}': "0x30",
    'postern_greylist_save_failures_total{instance="a"}': "0+1x30",
    'postern_greylist_save_failures_total{instance="b"}': "3x30",
    'postern_backend_up{instance="a",backend="192.0.2.10:25"}': "0x30",
    'postern_backend_up{instance="a",backend="192.0.2.11:25"}': "0x30",
    'postern_backend_up{instance="b",backend="192.0.2.10:25"}': "1x30",
    'postern_backend_up{instance="b",backend="192.0.2.11:25"}': "0x30",
    'postern_smtp_messages_total{instance="a"}': "0+60x30",
    'postern_smtp_messages_deferred_total{instance="a"}': "0+30x30",
    'postern_smtp_messages_total{instance="b"}': "0+600x30",
    'postern_smtp_messages_deferred_total{instance="b"}': "0+30x30",
    'postern_backend_ambiguous_total{instance="a",backend="192.0.2.10:25"}': "0+1x30",
    'postern_backend_ambiguous_total{instance="b",backend="192.0.2.10:25"}': "3x30",
    'postern_smtp_refused_total{instance="a",reason="load"}': "0+60x30",
    'postern_smtp_refused_total{instance="b",reason="load"}': "0+1x30",
    'postern_smtp_refused_total{instance="a",reason="auth"}': "0+120x30",
    'postern_smtp_refused_total{instance="b",reason="auth"}': "0+6x30",
    # The test begins at 1970-01-01: after half an hour, a minute less than 14 days are left, and a minute more.
    'postern_tls_certificate_expiry_timestamp_seconds{instance="a",file="/etc/postern/chain.pem"}': "1211340x30",
    'postern_tls_certificate_expiry_timestamp_seconds{instance="b",file="/etc/postern/chain.pem"}': "1211460x30",
}

FIRING = {
    "PosternAgentDown": [{"severity": "page", "job": "postern", "instance": "c"}],
    "PosternNotAttached": [{"severity": "page", "job": "postern", "instance": "b"}],
    "PosternKeeperDown": [{"severity": "ticket", "instance": "a"}],
    "PosternMonitorMode": [],  # half an hour of it is no reason to write a ticket
    "PosternTableNearlyFull": [{"severity": "ticket", "instance": "a", "family": "ipv4"}],
    "PosternPagesNearlyFull": [{"severity": "ticket", "instance": "a"}],
    "PosternMeterFull": [{"severity": "ticket", "instance": "a"}],
    "PosternTotalLimitReached": [{"severity": "page", "instance": "a"}],
    "PosternFlood": [{"severity": "page", "instance": "a", "port": "25"}],
    "PosternNoCookies": [{"severity": "ticket", "instance": "a", "state": "unavailable"}],
    "PosternEventsLost": [{"severity": "ticket", "instance": "a"}],
    "PosternManyStopped": [{"severity": "ticket", "instance": "a"}],
    "PosternListOut": [{"severity": "ticket", "instance": "a", "zone": "bl.example", "of": "address"}],
    "PosternNoResolver": [{"severity": "page", "instance": "a"}],
    "PosternResolverDown": [{"severity": "ticket", "instance": "a"}],
    "PosternResolverRewrites": [{"severity": "page", "instance": "a"}],
    "PosternVerdictsTemporary": [{"severity": "ticket", "instance": "a"}],
    "PosternNewcomersLost": [{"severity": "ticket", "instance": "a"}],
    "PosternGreylistNotSaved": [{"severity": "ticket", "instance": "a"}],
    "PosternNoBackend": [{"severity": "page", "instance": "a"}],
    "PosternBackendDown": [{"severity": "ticket", "instance": instance, "backend": backend}
                           for instance, backend in (("a", "192.0.2.10:25"), ("a", "192.0.2.11:25"), ("b", "192.0.2.11:25"))],
    "PosternMailDeferred": [{"severity": "ticket", "instance": "a"}],
    "PosternMailAmbiguous": [{"severity": "ticket", "instance": "a", "backend": "192.0.2.10:25"}],
    "PosternFrontFull": [{"severity": "page", "instance": "a", "reason": "load"}],
    "PosternCertificateExpires": [{"severity": "ticket", "instance": "a", "file": "/etc/postern/chain.pem"}],
    "PosternPasswordsGuessed": [{"severity": "ticket", "instance": "a", "reason": "auth"}],
}


@pytest.fixture(scope="module")
def rules():
    return yaml.safe_load(RULES.read_text(encoding="utf-8"))


def rules_of(document):
    return [rule for group in document["groups"] for rule in group["rules"]]


def test_rules_are_valid():
    subprocess.run(["promtool", "check", "rules", "--lint-fatal", RULES], check=True)


def test_metrics_exist(rules):
    exported = {name for path in METRICS for name in re.findall(r'\{ "(\w+)", [GC],', path.read_text(encoding="utf-8"))}
    named = set(re.findall(r"\bpostern_\w+", " ".join(rule["expr"] for rule in rules_of(rules))))
    assert named and exported
    assert named <= exported


def test_every_rule_has_a_case(rules):
    assert {rule["alert"] for rule in rules_of(rules)} == set(FIRING)


def test_rules_fire(rules, tmp_path):
    for rule in rules_of(rules):  # promtool compares annotations, too: their wording is free
        rule["annotations"] = {}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    cases = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": s, "values": v} for s, v in SERIES.items()],
                "alert_rule_test": [
                    {
                        "eval_time": "30m",
                        "alertname": name,
                        "exp_alerts": [{"exp_labels": labels} for labels in firing],
                    }
                    for name, firing in FIRING.items()
                ],
            }
        ],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(cases), encoding="utf-8")
    done = subprocess.run(
        ["promtool", "test", "rules", tmp_path / "test.yaml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
