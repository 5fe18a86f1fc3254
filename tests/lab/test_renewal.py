# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A certificate is renewed before it ends: signed by the old one, with a new key or the same, by itself
or by hand.  What the request looks like is read with other people's tools."""
import base64
import struct

import pytest
from asn1crypto import cms, core

from ca import FULL, READ, Ca, enroll_for
from client import Client

DUE, SAME_KEY, SUPPLIED, OLD_SCHEMA = "LabDue", "LabSameKey", "LabSupplied", "LabOldSchema"
APPROVED = "LabApproved"


def filetime(seconds):
    """A period of a template: negative units of 100 ns."""
    return struct.pack("<q", -seconds * 10_000_000)


# A certificate begins ten minutes in the past: of these 740 seconds more than 80 % are over when it is issued.
SHORT = {"pKIExpirationPeriod": filetime(740), "pKIOverlapPeriod": filetime(600)}
RENEWAL = core.ObjectIdentifier("1.3.6.1.4.1.311.13.1").dump()


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    mine = READ + FULL + enroll_for("DC")
    ca.setup({DUE: (mine, SHORT),
              SAME_KEY: (mine, SHORT | {"msPKI-Private-Key-Flag": 0x80}),
              SUPPLIED: (mine, {"msPKI-Certificate-Name-Flag": 1, "msPKI-Enrollment-Flag": 0,
                                "ekus": ("1.3.6.1.5.5.7.3.1",)}),
              # A manager approves the first; an old certificate stands for that later (MS-CRTD 2.26, 0x2 | 0x40).
              APPROVED: (mine, SHORT | {"msPKI-Enrollment-Flag": 0x42}),
              OLD_SCHEMA: (mine, {"msPKI-Template-Schema-Version": 1, "msPKI-Enrollment-Flag": 0})})
    ca.trust()
    ca.start()
    yield ca
    ca.stop()


@pytest.fixture(scope="module")
def pc1(lab, build, ca):
    client = Client(lab.pc1, build)
    client.local_policy(7)
    client.run("log", "level", "4")
    return client


def public(pc1, template):
    return pc1.host.run("openssl", "x509", "-noout", "-pubkey", "-in",
                        f"/var/lib/autoenroll/my/{template}/current/cert.pem").stdout


def serial(pc1, template):
    return pc1.host.run("openssl", "x509", "-noout", "-serial", "-in",
                        f"/var/lib/autoenroll/my/{template}/current/cert.pem").stdout.strip()


def request_of(ca, number):
    """The request as the CA stored it."""
    [row] = [r for r in ca.rows("id, hex(csr) as csr") if r["id"] == number]
    return bytes.fromhex(row["csr"])


def taken_apart(der):
    """Certificates that came along, how each signer is named, the attributes of the PKCS#10: by asn1crypto."""
    signed = cms.ContentInfo.load(der)["content"]
    content = signed["encap_content_info"]["content"].native
    if isinstance(content, bytes):
        inner = content
    else:
        inner = signed["encap_content_info"]["content"].contents
    names = [s["sid"].name for s in signed["signer_infos"]]
    return len(signed["certificates"]), names, RENEWAL in inner


def test_what_is_due_is_renewed_by_itself(pc1, ca):
    """Enrolled, then – most of its life being over – renewed in the next run with a new key."""
    first = {r["template"]: r for r in pc1.json("pulse", "--wait")["results"]}
    assert {t: r["outcome"] for t, r in first.items()} == {DUE: "issued", SAME_KEY: "issued"}, first
    before = {t: (serial(pc1, t), public(pc1, t)) for t in (DUE, SAME_KEY)}
    pc1.events()

    second = {r["template"]: r for r in pc1.json("pulse", "--wait")["results"]}
    assert {t: (r["outcome"], r["renews"]) for t, r in second.items()} == \
        {t: ("issued", f"{t}/1") for t in (DUE, SAME_KEY)}, second
    told = pc1.events()
    assert (told.count(("CertEnroll", 20)), told.count(("CertEnroll", 29))) == (2, 1), told
    for template in (DUE, SAME_KEY):
        assert serial(pc1, template) != before[template][0]
    assert public(pc1, DUE) != before[DUE][1]
    assert public(pc1, SAME_KEY) == before[SAME_KEY][1], "0x80 in the private key flag: the same key"

    # CMC: the new key by its identifier and the old certificate by name; that came along, and in the PKCS#10.
    der = request_of(ca, second[DUE]["request_id"])
    assert taken_apart(der) == (1, ["subject_key_identifier", "issuer_and_serial_number"], True)


def test_the_old_one_is_archived_and_says_why(pc1):
    stored = pc1.json("store", "list", "--archived")
    assert sum(s["template"] == DUE for s in stored) >= 2
    note = pc1.host.path(f"/var/lib/autoenroll/my/{DUE}/1/archived.json").read_text()
    assert "replaced by 2" in note


def test_by_hand_with_a_new_key_and_with_the_same(pc1, ca):
    """A template that wants its names supplied gets those of the certificate that is renewed."""
    subject = ("--subject", "CN=www.lab.example", "--dns", "www.lab.example")
    [first] = pc1.json("enroll", "-T", SUPPLIED, *subject)["results"]
    assert first["outcome"] == "issued", first
    key = public(pc1, SUPPLIED)

    [renewed] = pc1.json("enroll", "--renew", SUPPLIED)["results"]
    assert (renewed["outcome"], renewed["renews"]) == ("issued", f"{SUPPLIED}/1"), renewed
    assert renewed["subject"] == "CN=www.lab.example"
    assert public(pc1, SUPPLIED) != key
    key = public(pc1, SUPPLIED)

    [again] = pc1.json("enroll", "--renew", renewed["thumbprint"], "--reuse-key")["results"]
    assert again["outcome"] == "issued", again
    assert public(pc1, SUPPLIED) == key
    assert again["serial"] != renewed["serial"]
    text = pc1.host.run("openssl", "x509", "-noout", "-ext", "subjectAltName", "-in",
                        f"/var/lib/autoenroll/my/{SUPPLIED}/current/cert.pem").stdout
    assert "DNS:www.lab.example" in text


def test_schema_1_is_renewed_by_a_cms_of_the_old_key_alone(pc1, ca):
    [first] = pc1.json("enroll", "-T", OLD_SCHEMA)["results"]
    assert first["outcome"] == "issued", first
    [renewed] = pc1.json("enroll", "--renew", OLD_SCHEMA)["results"]
    assert renewed["outcome"] == "issued", renewed
    der = request_of(ca, renewed["request_id"])
    assert taken_apart(der) == (1, ["issuer_and_serial_number"], True)
    # The old signature is one that OpenSSL verifies with the old certificate.
    done = pc1.host.run("sh", "-c", "base64 -d | openssl cms -verify -noverify -inform DER -binary -out /dev/null",
                        input=base64.b64encode(der).decode(), check=False)
    assert done.returncode == 0, done.stderr


def test_what_was_approved_once_is_renewed_without_asking(pc1, ca):
    [first] = pc1.json("enroll", "-T", APPROVED, code=9)["results"]
    assert first["outcome"] == "pending", first
    ca.host.kinit("Administrator", ca.lab.admin_password)
    ca.host.run(ca.build / "prog/certsrv/certsrv", "request", "approve", str(first["request_id"]),
                env={"ASAN_OPTIONS": "detect_leaks=0"})
    [fetched] = pc1.json("enroll", "-T", APPROVED)["results"]
    assert (fetched["outcome"], fetched["request_id"]) == ("issued", first["request_id"]), fetched
    [renewed] = [r for r in pc1.json("pulse", "--wait")["results"] if r["template"] == APPROVED]
    assert (renewed["outcome"], renewed["renews"]) == ("issued", f"{APPROVED}/1"), renewed
    assert renewed["request_id"] > first["request_id"]


def test_there_is_nothing_to_renew(pc1):
    done = pc1.run("enroll", "--renew", "Nonsense", check=False)
    assert done.returncode == 3
    assert "autoenroll store list" in done.stderr
    assert pc1.run("enroll", "-T", DUE, "--reuse-key", check=False).returncode == 2


def test_a_key_that_is_gone_renews_nothing(pc1, ca):
    """By hand the reason is said; by itself a new certificate is enrolled instead."""
    path = pc1.host.path(f"/var/lib/autoenroll/my/{SUPPLIED}/current/key.pem")
    away = path.with_name("key.away")
    path.rename(away)
    [failed] = pc1.json("enroll", "--renew", SUPPLIED, code=4)["results"]
    assert failed["outcome"] == "failed"
    assert f"the certificate to renew {SUPPLIED}/" in failed["message"], failed
    away.rename(path)
