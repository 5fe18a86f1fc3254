# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Samba's DCE/RPC conformance suite (raw_protocol.py) against a server's port 135.

raw_protocol.list says of each test whether it applies to us.  Samba's own server is
run first: it shows that the runner tells passing from failing, and that a failure
of ours is ours.
"""
import pathlib
import re

import pytest

from lab import CONF, REALM

HERE = pathlib.Path(__file__).parent
ROW = re.compile(r"(test_\w+) +(applies|ntlm|anonymous|netlogon|pipe)(?: \[samba: (.+)\])?")
ROWS = [ROW.fullmatch(line).groups() for line in (HERE / "raw_protocol.list").read_text().splitlines()
        if line and not line.startswith("#")]
APPLIES = [name for name, word, _ in ROWS if word == "applies"]
SAMBA_FAILS = {name for name, _, reason in ROWS if reason}


def run_suite(lab, server, tests, max_num_auth=None):
    """Runs tests from pc1 as the administrator: {name: None if it passed, else the reason}."""
    env = {"USERNAME": lab.admin, "PASSWORD": lab.admin_password,
           "DOMAIN": CONF["LAB_NETBIOS"], "REALM": REALM}
    if max_num_auth:
        env["MAX_NUM_AUTH"] = str(max_num_auth)
    out = lab.pc1.run("/usr/bin/python3", HERE / "raw_protocol.py", server.fqdn, *tests,
                      env=env, timeout=300).stdout
    results = {}
    for line in out.splitlines():
        verdict, name, _, *reason = line.split(" ", 3)
        assert name not in results
        results[name] = None if verdict == "ok" else " ".join(reason)
    return results


def test_the_list_names_every_test_of_the_installed_suite(lab):
    installed = lab.pc1.run("/usr/bin/python3", HERE / "raw_protocol.py", "--names").stdout.split()
    assert sorted(name for name, _, _ in ROWS) == sorted(installed)
    assert len(installed) == 194
    assert len(APPLIES) == 104


@pytest.mark.parametrize("server, known", [("dc1", SAMBA_FAILS)])
def test_every_test_that_applies_passes(lab, server, known):
    results = run_suite(lab, lab.hosts[server], APPLIES)
    assert sorted(results) == sorted(APPLIES)
    failed = {name: reason for name, reason in results.items() if reason is not None}
    assert set(failed) == known, failed


def test_a_server_that_is_not_there_passes_nothing(lab):
    # pc1 listens on nothing: the runner must not take silence for success.
    results = run_suite(lab, lab.pc1, ["test_alloc_hint", "test_no_auth_no_ctx"])
    assert set(results) == {"test_alloc_hint", "test_no_auth_no_ctx"}
    assert all("refused" in reason for reason in results.values()), results
