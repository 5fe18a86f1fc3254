# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Samba's DCE/RPC conformance suite against certsrvd's port 135, the whole program with its
sandboxes and separate processes.  Which tests apply is in raw_protocol.list."""
from test_raw_protocol import APPLIES, run_suite

MAX_AUTH = 16  # security contexts of one connection


def test_cve_2015_5370_every_test_that_applies_passes(ca):
    results = run_suite(ca.lab, ca.host, APPLIES, max_num_auth=MAX_AUTH)
    assert sorted(results) == sorted(APPLIES)
    failed = {name: reason for name, reason in results.items() if reason is not None}
    assert not failed, failed
    assert len(results) == 104


def test_the_ca_is_still_well(ca):
    """None of the processes died of it."""
    assert " killed by " not in ca.text() and " exited with " not in ca.text()
