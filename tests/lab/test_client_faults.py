# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A member while what it needs is away, slow or lying: a run ends soon, names the stage, asks for
nothing on half a view of the directory, and leaves what is installed as it was."""
import time

import pytest

from ca import FULL, READ, Ca, enroll_for
from client import Client

AUTO = "LabFaults"
LONGEST = 60  # seconds for one run, on a busy machine


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    ca.setup({AUTO: (READ + FULL + enroll_for("DC"), {})})
    ca.trust()
    ca.start()
    yield ca
    ca.stop()


@pytest.fixture(scope="module")
def installed(lab, build, ca):
    client = Client(lab.pc1, build)
    client.local_policy(7)
    [result] = client.json("pulse", "--wait")["results"]
    assert result["outcome"] == "issued", result
    return client


@pytest.fixture
def pc1(installed, ca):
    """With a certificate; whatever a test does, it and the CA's rows are the same afterwards."""
    store = installed.host.path("/var/lib/autoenroll/my")
    kept = {p.relative_to(store): p.read_bytes() for p in store.rglob("*") if p.is_file()}
    rows = len(ca.rows())
    installed.host.run("rm -f /run/autoenroll/krb5cc*")
    yield installed
    for host in (installed.host, ca.lab.dc1):
        host.heal()
    assert {p.relative_to(store): p.read_bytes() for p in store.rglob("*") if p.is_file()} == kept
    assert len(ca.rows()) == rows


def failing_run(pc1):
    start = time.monotonic()
    done = pc1.run("pulse", "--wait", "--refresh-policy", check=False)
    assert time.monotonic() - start < LONGEST
    assert done.returncode != 0, done.stdout
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("what", ["refuse", "drop"])
def test_f9_no_kdc(pc1, ca, what):
    getattr(ca.lab.dc1, what)(88)
    code, text = failing_run(pc1)
    assert code in (6, 7), text
    assert "ticket" in text and "KDC" in text


@pytest.mark.parametrize("what", ["refuse", "drop"])
def test_f10_no_directory(pc1, ca, what):
    getattr(ca.lab.dc1, what)(389)
    code, text = failing_run(pc1)
    assert code in (5, 6), text
    assert "domain controller" in text


def test_a_cable_that_is_out(pc1):
    pc1.host.unplug()
    code, text = failing_run(pc1)
    assert code in (6, 7), text


@pytest.mark.parametrize("how", ["reset:2000", "reset:5000", "hole:5000", "garbage:2000",
                                 "garbage:5000", "slow", "referral"])
def test_f10_half_an_answer_of_the_directory(pc1, ca, how):
    """What came before the end is not taken for the whole: nothing is planned on it."""
    with pc1.host.between(ca.lab.dc1, 389, how):
        code, text = failing_run(pc1)
    assert code in (5, 6, 7), text
    assert "dc1" in text


def test_afterwards_all_is_well(pc1, installed):
    report = pc1.json("pulse", "--wait", "--refresh-policy")
    assert report["results"] == []
    assert [p["action"] for p in report["plan"] if p["template"] == AUTO] == ["keep"]


@pytest.fixture
def dead_dc(lab):
    """A domain controller that is known in DNS, and preferred, but whose machine is gone."""
    login = f"-U{lab.admin}%{lab.admin_password}"
    records = [("lab.example", "dc9", "A", "192.0.2.99"),
               ("_msdcs.lab.example", "_ldap._tcp.dc", "SRV", "dc9.lab.example 389 0 65000"),
               ("_msdcs.lab.example", "_ldap._tcp.Default-First-Site-Name._sites.dc", "SRV",
                "dc9.lab.example 389 0 65000")]
    for record in records:
        lab.dc1.run("samba-tool", "dns", "add", lab.dc1.fqdn, *record, login)
    yield "dc9.lab.example"
    for record in records:
        lab.dc1.run("samba-tool", "dns", "delete", lab.dc1.fqdn, *record, login)


def test_f11_a_dead_dc_among_the_living(pc1, lab, dead_dc):
    """F11: the run goes on with the next domain controller, and says which one it was."""
    answer = pc1.host.run("dig", "+short", "SRV", "_ldap._tcp.dc._msdcs.lab.example").stdout
    assert dead_dc in answer and lab.dc1.fqdn in answer
    report = pc1.json("pulse", "--wait", "--refresh-policy")
    assert report["dc"] == lab.dc1.fqdn
    assert [p["action"] for p in report["plan"] if p["template"] == AUTO] == ["keep"]
