# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""An enrollment agent asks for somebody else, and a template that wants a registration authority's
signature gets that of a certificate the machine has."""
import ssl

import pytest

import wcce
from ca import FULL, READ, Ca, enroll_for
from client import Client

AGENT_EKU, CLIENT_AUTH = "1.3.6.1.4.1.311.20.2.1", "1.3.6.1.5.5.7.3.2"
AGENT, PERSON, COUNTERSIGNED = "LabAgent", "LabPerson", "LabCountersigned"
WANTS_AGENT = {"msPKI-RA-Signature": 1, "msPKI-RA-Application-Policies": AGENT_EKU}


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    mine = READ + FULL + enroll_for("DC", "DU")
    ca.setup({AGENT: (mine, {"msPKI-Enrollment-Flag": 0, "ekus": (AGENT_EKU,)}),
              PERSON: (mine, WANTS_AGENT | {"flags": 0x20000, "msPKI-Enrollment-Flag": 0, "ekus": (CLIENT_AUTH,),
                                            "msPKI-Certificate-Name-Flag": 0x42000000}),
              COUNTERSIGNED: (mine, WANTS_AGENT | {"ekus": (CLIENT_AUTH,)})})
    ca.trust()
    ca.start()
    yield ca
    ca.stop()


@pytest.fixture(scope="module")
def pc1(lab, build, ca):
    client = Client(lab.pc1, build)
    client.local_policy(7)
    return client


def sid_of(lab, account):
    return lab.ldbsearch(f"(sAMAccountName={account})", "objectSid")[0]["objectSid"][0]


def test_without_an_agent_certificate(pc1):
    """By itself nothing is requested; by hand the reason is said."""
    plan = {p["template"]: p for p in pc1.json("pulse", "--dry-run")["plan"]}
    assert plan[COUNTERSIGNED]["action"] == "skip"
    done = pc1.run("enroll", "-T", PERSON, "--on-behalf-of", r"LAB\alice", "--agent", AGENT, check=False)
    assert done.returncode == 3 and "no certificate" in done.stderr


def test_an_agent_enrolls_alice(pc1, ca, lab):
    [agent] = pc1.json("enroll", "-T", AGENT)["results"]
    assert agent["outcome"] == "issued", agent
    [result] = pc1.json("enroll", "-T", PERSON, "--on-behalf-of", r"LAB\alice", "--agent", AGENT)["results"]
    assert result["outcome"] == "issued", result
    assert "alice" in result["subject"]
    pem = pc1.current(PERSON, "cert.pem").read_text()
    assert wcce.sid_in(ssl.PEM_cert_to_DER_cert(pem)) == sid_of(lab, "alice")
    [row] = [r for r in ca.rows("id, request_flags as flags, account, on_behalf") if r["id"] == result["request_id"]]
    assert (row["flags"], row["on_behalf"]) == (0x10, "LAB\\alice"), row
    assert "PC1$" in row["account"]


def test_somebody_who_does_not_exist(pc1):
    [result] = pc1.json("enroll", "-T", PERSON, "--on-behalf-of", r"LAB\nobody", "--agent", AGENT, code=8)["results"]
    assert result["outcome"] == "denied" and "0x80070525" in result["hresult_text"], result


def test_a_certificate_that_is_no_agent_s(pc1, ca):
    """alice's own certificate signs for nobody."""
    [result] = pc1.json("enroll", "-T", PERSON, "--on-behalf-of", r"LAB\bob", "--agent", PERSON, code=8)["results"]
    assert result["outcome"] == "denied" and "0x80094009" in result["hresult_text"], result


def test_the_machine_s_own_certificate_countersigns(pc1, ca):
    """A template that wants one signature: the plan finds who can give it, the run lets it sign."""
    plan = {p["template"]: p for p in pc1.json("pulse", "--dry-run")["plan"]}
    assert plan[COUNTERSIGNED]["action"] == "enroll", plan[COUNTERSIGNED]
    [result] = pc1.json("pulse", "--wait")["results"]
    assert (result["template"], result["outcome"]) == (COUNTERSIGNED, "issued"), result
