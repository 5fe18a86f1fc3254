# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A template that wants the private key archived: the client asks the CA for its exchange certificate over
the same connection, judges it, encrypts the key to it – and the recovery agent gets that very key back."""
import hashlib

import pytest

from ca import FULL, PKS_DN, READ, Ca, enroll_for
from client import Client

KEPT = "LabArchived"


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    ca.setup({KEPT: (READ + FULL + enroll_for("DC"), {"msPKI-Private-Key-Flag": 0x11})})
    ca.trust()
    ca.host.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/run/kra.key", "-out",
                "/run/kra.pem", "-subj", "/CN=Recovery Agent", "-days", "30", "-addext",
                "extendedKeyUsage=1.3.6.1.4.1.311.21.6", "-addext", "basicConstraints=CA:FALSE")
    ca.host.run("openssl x509 -in /run/kra.pem -outform DER -out /run/kra.der")
    der = ca.host.path("/run/kra.der").read_bytes()
    lab.dc1.path("/run/kra.der").write_bytes(der)
    dn = f"CN={ca.name},CN=KRA,{PKS_DN}"
    ca.ldb("ldbadd", input=f"dn: CN=KRA,{PKS_DN}\nobjectClass: container\n\n", check=False)
    ca.ldb("ldbdel", dn, check=False)
    ca.ldb("ldbadd", input=f"dn: {dn}\nobjectClass: msPKI-PrivateKeyRecoveryAgent\n"
                           "userCertificate:< file:///run/kra.der\n\n")
    conf = ca.host.path("/etc/certsrv/certsrv.conf")
    conf.write_text(conf.read_text() + f"\n[archive]\nrecovery-agent = {hashlib.sha256(der).hexdigest()}\n")
    ca.start()
    ca.wait_log("a new exchange certificate", seconds=60)
    yield ca
    ca.stop()
    ca.ldb("ldbdel", dn)


@pytest.fixture(scope="module")
def pc1(lab, build, ca):
    client = Client(lab.pc1, build)
    client.local_policy(7)
    return client


def test_the_key_is_archived_and_comes_back(pc1, ca):
    plan = {p["template"]: p for p in pc1.json("pulse", "--dry-run")["plan"]}
    assert "key.archival" in [r["check"] for r in plan[KEPT]["reasons"]]
    [result] = pc1.json("pulse", "--wait")["results"]
    assert (result["outcome"], result["transport"]) == ("issued", "dcom"), result
    # The exchange certificate came over the connection on which the request went afterwards.
    assert not [s for a in result["attempts"] for s in a["stages"] if s["stage"] == "connect"], result["attempts"]
    ca.host.run(ca.build / "prog/certsrv/certsrv", "recover-key", str(result["request_id"]), "--out", "/run/back.p7m",
                env={"ASAN_OPTIONS": "detect_leaks=0"})
    ca.host.run("sh", "-c", "openssl cms -decrypt -inform DER -in /run/back.p7m -recip /run/kra.pem -inkey /run/kra.key "
                "-binary -out /run/back.blob && openssl rsa -inform MSBLOB -in /run/back.blob -out /run/back.key")
    mine = pc1.host.run("openssl", "pkey", "-in", f"/var/lib/autoenroll/my/{KEPT}/current/key.pem").stdout
    back = ca.host.run("openssl", "pkey", "-in", "/run/back.key").stdout
    assert mine == back


def test_without_a_root_that_vouches_no_key_leaves(pc1, ca):
    """The directory no longer knows the root that issued it: nothing is sent, no request, no key."""
    before = len(ca.rows())
    dn = f"CN={ca.name},CN=Certification Authorities,{PKS_DN}"
    ca.ldb("ldbdel", dn)
    try:
        done = pc1.run("enroll", "-T", KEPT, check=False)
        assert done.returncode not in (0, 9), done
    finally:
        ca.trust()
    assert len(ca.rows()) == before
