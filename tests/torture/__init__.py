# SPDX-License-Identifier: GPL-2.0-only
"""Hostile and odd SMTP against any server; see torture.py."""
