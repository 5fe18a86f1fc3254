# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Two CAs offer a template, and the nearer one is not there: the run says so and goes to the other. A key that
is to be archived is encrypted anew, to the one that takes it."""
import hashlib
import json

import pytest

from ca import CONFIG_DN, FULL, PKS_DN, READ, Ca, enroll_for, service_ldif
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


def test_near_ones_first(pc1, ca, lab):
    """Sites, links and subnets as the directory has them: this one's own site is that of its address."""
    gone, there = f"{lab.dc1.fqdn}\\{GONE}", f"{ca.host.fqdn}\\{ca.name}"
    sites, links = f"CN=Sites,{CONFIG_DN}", f"CN=IP,CN=Inter-Site Transports,CN=Sites,{CONFIG_DN}"
    service = f"CN={{}},CN=Enrollment Services,{PKS_DN}"

    def planned():
        plan = pc1.json("templates", "--explain")
        return plan["site"], {c["ca"]: (c["site"], c.get("cost")) for c in plan["nearness"]}, {
            tuple(i["cas"]) for i in plan["plan"] if i["template"] in (PLAIN, KEPT)}

    # The CA that names no site is in none by its address, either.
    assert planned() == (SITE, {gone: (SITE, 0), there: (None, None)}, {(gone, there)})
    made = [f"CN=Far,{sites}", f"CN=Near,{sites}", f"CN=far,{links}", f"CN=near,{links}",
            f"CN=192.0.2.20/32,CN=Subnets,{sites}", f"CN=192.0.2.0/24,CN=Subnets,{sites}"]
    ca.ldb("ldbadd", input=f"dn: {made[0]}\nobjectClass: site\n\ndn: {made[1]}\nobjectClass: site\n\n"
           f"dn: {made[2]}\nobjectClass: siteLink\ncost: 300\nsiteList: CN={SITE},{sites}\nsiteList: {made[0]}\n\n"
           f"dn: {made[3]}\nobjectClass: siteLink\ncost: 30\nsiteList: CN={SITE},{sites}\nsiteList: {made[1]}\n\n"
           f"dn: {made[4]}\nobjectClass: subnet\nsiteObject: {made[1]}\n\n"
           f"dn: {made[5]}\nobjectClass: subnet\nsiteObject: CN={SITE},{sites}\n\n")

    def site(name):
        ca.ldb("ldbmodify", input=f"dn: {service.format(GONE)}\nchangetype: modify\nreplace: msPKI-Site-Name\n"
                                  f"msPKI-Site-Name: {name}\n\n")
    try:
        site("Far")
        assert planned() == (SITE, {gone: ("Far", 300), there: ("Near", 30)}, {(there, gone)})
        assert "cost 30 " in pc1.run("templates", "--explain").stdout
    finally:
        site(SITE)
        for dn in reversed(made):
            ca.ldb("ldbdel", dn)


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
