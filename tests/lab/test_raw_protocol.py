# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Samba's DCE/RPC conformance suite (raw_protocol.py) against a server's port 135.

raw_protocol.list says of each test whether it applies to us.  Samba's own server is
run first: it shows that the runner tells passing from failing, and that a failure
of ours is ours.
"""
import pathlib
import re
import time

import pytest

from lab import CONF, REALM

HERE = pathlib.Path(__file__).parent
ROW = re.compile(r"(test_\w+) +(applies|ntlm|anonymous|netlogon|pipe)(?: \[samba: (.+)\])?")
ROWS = [ROW.fullmatch(line).groups() for line in (HERE / "raw_protocol.list").read_text().splitlines()
        if line and not line.startswith("#")]
APPLIES = [name for name, word, _ in ROWS if word == "applies"]
SAMBA_FAILS = {name for name, _, reason in ROWS if reason}


@pytest.fixture
def rpc_server(lab, build, tmp_path):
    """Our endpoint mapper, mgmt and an echo interface on ca1's port 135."""
    log = tmp_path / "rpc_server.log"
    with lab.ca1.start(build / "tests/tools/rpc_server", 135, "/etc/krb5.keytab", log=log) as server:
        wait_for(lambda: "ready" in log.read_text(), log)
        yield server
        assert server.stop() == 0, log.read_text()


def wait_for(condition, log):
    for _ in range(100):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text())


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


def test_every_test_that_applies_passes_against_our_server(lab, rpc_server):
    results = run_suite(lab, lab.ca1, APPLIES, max_num_auth=16)
    assert sorted(results) == sorted(APPLIES)
    failed = {name: reason for name, reason in results.items() if reason is not None}
    assert not failed, failed
    assert len(results) == 104


@pytest.mark.parametrize("options", ["", ",krb5,sign", ",krb5,seal", ",spnego,sign", ",spnego,seal"])
def test_rpcclient_lists_our_endpoints(lab, rpc_server, options):
    lab.kinit_admin(lab.pc1)
    out = lab.pc1.run("rpcclient", f"ncacn_ip_tcp:{lab.ca1.fqdn}[135{options}]", "-c", "epmlookup", "-N",
                      "--use-kerberos=" + ("required" if options else "off"), timeout=30).stdout
    assert "e1af8308-5d1f-11c9-91a4-08002b14a0fa" in out
    assert "afa8bd80-7d8a-11c9-bef4-08002b102989" in out
    assert len(out.splitlines()) == 3


def test_impacket_reads_our_endpoints_and_is_echoed(lab, rpc_server):
    # impacket 0.10 cannot ask this KDC for tickets itself, but uses those that are there.
    lab.kinit_admin(lab.pc1)
    lab.pc1.run("kvno", "-q", f"host/{lab.ca1.fqdn}")
    out = lab.pc1.run("/usr/bin/python3", HERE / "impacket_echo.py", lab.ca1.fqdn, lab.admin, REALM,
                      lab.dc1.address, env={"KRB5CCNAME": "/run/krb5cc_0"}, timeout=60).stdout
    assert "lookup 3" in out
    assert f"map ncacn_ip_tcp:{lab.ca1.fqdn}[135]" in out
    assert "map unknown ept_s_not_registered" in out
    assert [line for line in out.splitlines() if line.startswith("echo")] == [
        f"echo {n} True" for n in (0, 1, 17, 5000, 20000, 300000)]


@pytest.mark.parametrize("mech", ["krb5", "spnego"])
@pytest.mark.parametrize("level", ["packet", "integrity", "privacy"])
@pytest.mark.parametrize("sign", ["header", "noheader"])
def test_our_client_against_samba(lab, build, mech, level, sign):
    # ept_map on dc1's port 135, then samr where it says, with and without header signing.
    lab.kinit_admin(lab.pc1)
    out = lab.pc1.run(build / "tests/tools/samr_client", lab.dc1.address, f"host/{lab.dc1.fqdn}", mech, level,
                      sign, env={"KRB5CCNAME": "/run/krb5cc_0"}, timeout=30).stdout
    assert "port 49" in out
    assert f"bound, header signing {'on' if sign == 'header' else 'off'}" in out
    assert "domains LAB BUILTIN" in out
    assert "nca_op_rng_error" in out
    assert out.endswith("done\n")


def test_our_client_is_refused_by_samba(lab, build):
    lab.kinit_admin(lab.pc1)
    done = lab.pc1.run(build / "tests/tools/samr_client", lab.dc1.address, f"cifs/{lab.pc1.fqdn}", "krb5", "privacy",
                       "header", env={"KRB5CCNAME": "/run/krb5cc_0"}, check=False, timeout=30)
    assert done.returncode == 1
    assert "the server refuses the bind" in done.stderr


def test_a_server_that_is_not_there_passes_nothing(lab):
    # pc1 listens on nothing: the runner must not take silence for success.
    results = run_suite(lab, lab.pc1, ["test_alloc_hint", "test_no_auth_no_ctx"])
    assert set(results) == {"test_alloc_hint", "test_no_auth_no_ctx"}
    assert all("refused" in reason for reason in results.values()), results
