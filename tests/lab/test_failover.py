# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Two CAs offer a template, and the nearer one is not there: the run says so and goes to the other. A key that
is to be archived is encrypted anew, to the one that takes it."""
import hashlib
import json

import pytest

from ca import FULL, PKS_DN, READ, Ca, enroll_for, service_ldif
from client import Client
from gpo import SITE

PLAIN, KEPT = "LabPlain", "LabKept"
GONE = "Gone CA"


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    mine = READ + FULL + enroll_for("DC")
    ca.setup({PLAIN: (mine, {}), KEPT: (mine, {"msPKI-Private-Key-Flag": 0x11})})
    ca.trust()
    ca.host.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/run/kra.key", "-out",
                "/run/kra.pem", "-subj", "/CN=Recovery Agent", "-days", "30", "-addext",
                "extendedKeyUsage=1.3.6.1.4.1.311.21.6", "-addext", "basicConstraints=CA:FALSE")
    ca.host.run("openssl x509 -in /run/kra.pem -outform DER -out /run/kra.der")
    der = ca.host.path("/run/kra.der").read_bytes()
    lab.dc1.path("/run/kra.der").write_bytes(der)
    agent, gone = f"CN={ca.name},CN=KRA,{PKS_DN}", f"CN={GONE},CN=Enrollment Services,{PKS_DN}"
    ca.ldb("ldbadd", input=f"dn: CN=KRA,{PKS_DN}\nobjectClass: container\n\n", check=False)
    ca.ldb("ldbdel", agent, check=False)
    ca.ldb("ldbadd", input=f"dn: {agent}\nobjectClass: msPKI-PrivateKeyRecoveryAgent\n"
                           "userCertificate:< file:///run/kra.der\n\n")
    conf = ca.host.path("/etc/certsrv/certsrv.conf")
    conf.write_text(conf.read_text() + f"\n[archive]\nrecovery-agent = {hashlib.sha256(der).hexdigest()}\n")
    # A CA of our own site, on the DC, where no certsrvd runs.
    pem = ca.host.path("/etc/certsrv/ca.pem").read_text()
    ca.ldb("ldbdel", gone, check=False)
    ca.ldb("ldbadd", input=service_ldif(GONE, lab.dc1.fqdn, pem, [PLAIN, KEPT]))
    ca.ldb("ldbmodify", input=f"dn: {gone}\nchangetype: modify\nadd: msPKI-Site-Name\nmsPKI-Site-Name: {SITE}\n\n")
    ca.start()
    ca.wait_log("a new exchange certificate", seconds=60)
    yield ca
    ca.stop()
    for dn in (agent, gone):
        ca.ldb("ldbdel", dn)


@pytest.fixture
def pc1(lab, build, ca):
    client = Client(lab.pc1, build)
    client.local_policy(7)
    client.run("log", "level", "4")
    return client


def told(pc1, number):
    """Texts of the CertEnroll events of that number, by template."""
    events = json.loads(pc1.run("events", "--json", "--since", "2d").stdout)
    return {e["params"][1]: e["message"] for e in events
            if e["source"].endswith("CertEnroll") and e["id"] == number}


def test_the_next_ca_is_asked(pc1, ca, lab):
    gone, there = f"{lab.dc1.fqdn}\\{GONE}", f"{ca.host.fqdn}\\{ca.name}"
    before = len(ca.rows())
    results = {r["template"]: r for r in pc1.json("pulse", "--wait")["results"]}
    assert {t: (r["outcome"], r["ca"]) for t, r in results.items()} == {
        PLAIN: ("issued", there), KEPT: ("issued", there)}
    for template in (PLAIN, KEPT):
        attempts = results[template]["attempts"]
        asked = list(dict.fromkeys(a["ca"] for a in attempts))
        assert asked == [gone, there], attempts
        why = [a["error"] for a in attempts if a["ca"] == gone]
        assert why and not [a for a in attempts if a["ca"] == there and "error" in a], attempts
        text = told(pc1, 17)[template]
        assert gone in text and why[-1][:60] in text, (text, why)
    assert len(ca.rows()) == before + 2  # the exchange certificate has a row of its own
    assert list(pc1.host.path("/var/lib/autoenroll/request").glob("*/*")) == []


def test_a_renewal_goes_on_too(pc1, ca):
    pc1.json("pulse", "--wait")
    for template in (PLAIN, KEPT):
        [result] = pc1.json("enroll", "--renew", template)["results"]
        assert result["outcome"] == "issued", result
        assert template in told(pc1, 18)
