# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Private keys that the CA keeps for their recovery: the exchange certificate, a key encrypted to it the
way MS-WCCE 3.1.1.4.3.6.1 says (made here with OpenSSL and asn1crypto), and the agent who gets it back."""
import base64
import hashlib
import json
import os
import signal
import subprocess
import time

import pytest
from asn1crypto import cms, core
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import wcce
from ca import PKS_DN
from test_admin import ENROLL, OFFICER, AdminWitness, descriptor
from wcce import ISSUED

XCHG, XCHG_CHAIN, XCHG_CRLS, KRA, KRA_STATE = 0xF, 0x10, 33, 26, 27
REQUIRED, UNEXPECTED, NO_AGENT, BAD = 0x80094804, 0x80094810, 0x8009400B, 0x8009400C
FULL_RESPONSE = 0x40000
ARCHIVED_KEY, KEY_HASH, ADD_ATTRIBUTES = "1.3.6.1.4.1.311.21.13", "1.3.6.1.4.1.311.21.21", "1.3.6.1.4.1.311.10.10.1"


@pytest.fixture(scope="module")
def archive(ca):
    """A key recovery agent, in the directory and in the CA's configuration."""
    ca.host.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/run/kra.key", "-out", "/run/kra.pem",
                "-subj", "/CN=Recovery Agent", "-days", "30", "-addext", "extendedKeyUsage=1.3.6.1.4.1.311.21.6",
                "-addext", "basicConstraints=CA:FALSE")
    der = ca.pem_to_der(ca.host.path("/run/kra.pem").read_text())
    container, dn = f"CN=KRA,{PKS_DN}", f"CN={ca.name},CN=KRA,{PKS_DN}"
    ca.ldb("ldbadd", input=f"dn: {container}\nobjectClass: container\n\n", check=False)
    (ca.lab.dc1.path("/run/kra.der")).write_bytes(der)
    ca.ldb("ldbadd", input=f"dn: {dn}\nobjectClass: msPKI-PrivateKeyRecoveryAgent\nuserCertificate:< file:///run/kra.der\n\n")
    ca.configure("archive", recovery_agent=hashlib.sha256(der).hexdigest())
    rights = ca.host.path("/etc/certsrv/ca.sd")
    kept = rights.read_bytes()
    rights.write_bytes(descriptor(ca, {"alice": OFFICER | ENROLL}))
    ca.configure("admin", network="yes")
    ca.restart()
    ca.wait_log("a new exchange certificate")
    yield der
    ca.ldb("ldbdel", dn)
    ca.configure("archive", recovery_agent="00" * 32)
    rights.write_bytes(kept)
    ca.configure("admin", network="no")
    ca.restart()


@pytest.fixture
def certsrv(ca, build):
    def run(*words, code=0):
        out = ca.host.run(build / "prog/certsrv/certsrv", *[str(w) for w in words], check=False,
                          env={"ASAN_OPTIONS": "detect_leaks=0"})
        assert out.returncode == code, (words, out.returncode, out.stdout, out.stderr)
        return out.stdout
    return run


def prop(ca, number, type=3, index=0):
    return ca.machine().one("activate", ("query", {"interfaces": ["D2"]}),
                            ("get_ca_property", {"prop": number, "index": index, "type": type}))


def exchange(ca):
    return bytes.fromhex(prop(ca, XCHG)["value"])


def msblob(ca, key):
    """PRIVATEKEYBLOB, by OpenSSL."""
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                            serialization.NoEncryption()).decode()
    ca.host.path("/run/user.key").write_text(pem)
    ca.host.run("openssl", "rsa", "-in", "/run/user.key", "-outform", "MSBLOB", "-out", "/run/user.blob")
    return ca.host.path("/run/user.blob").read_bytes()


def enveloped(ca, blob, to):
    """A CMS for this certificate, by OpenSSL."""
    ca.host.path("/run/user.blob").write_bytes(blob)
    ca.host.path("/run/to.pem").write_text(wcce.pem(to))
    ca.host.run("openssl", "cms", "-encrypt", "-binary", "-aes256", "-in", "/run/user.blob", "-outform", "DER",
                "-out", "/run/env.der", "/run/to.pem")
    return ca.host.path("/run/env.der").read_bytes()


def hash_control(envelope, digest=hashlib.sha256):
    """The hash among CMC_ADD_ATTRIBUTES, as Windows sends it."""
    attribute = wcce.attribute(KEY_HASH, core.OctetString(digest(envelope).digest()).dump())
    value = wcce.tlv(0x30, core.Integer(0).dump() + wcce.tlv(0x30, core.Integer(1).dump()) + wcce.tlv(0x31, attribute))
    return wcce.tlv(0x30, core.Integer(3).dump() + core.ObjectIdentifier(ADD_ATTRIBUTES).dump() + wcce.tlv(0x31, value))


def archiving(key, envelope, control=None):
    return wcce.cmc(key, wcce.pkcs10(key), hash_control(envelope) if control is None else control,
                    unsigned=wcce.attribute(ARCHIVED_KEY, envelope))


def ask(ca, request, template="Archived", flags=0):
    return ca.machine().one("activate", ("query", {"interfaces": ["D2"]}),
                            ("request2", {"request": request, "attributes": f"CertificateTemplate:{template}", "flags": flags}))


def test_the_exchange_certificate(ca, archive):
    der = exchange(ca)
    cert = wcce.certificate(der)
    assert cert.subject.rfc4514_string() == f"CN={ca.name}-Xchg"
    usage = cert.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.key_encipherment and not usage.digital_signature
    assert [o.dotted_string for o in cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value] == \
        ["1.3.6.1.4.1.311.21.5"]
    assert (cert.not_valid_after - cert.not_valid_before).days == 7
    ca.host.path("/run/xchg.pem").write_text(wcce.pem(der))
    assert "OK" in ca.host.run("openssl", "verify", "-CAfile", "/etc/certsrv/ca.pem", "/run/xchg.pem").stdout
    # it has a row like every certificate, and the chain is around it
    row = [r for r in ca.rows("id, disp, sid, request_flags") if r["request_flags"] == 8][-1]
    assert (row["disp"], row["sid"]) == (20, "S-1-5-18")
    chain = cms.ContentInfo.load(bytes.fromhex(prop(ca, XCHG_CHAIN)["value"]), strict=True)["content"]
    assert chain["encap_content_info"]["content"].contents.endswith(der)
    assert [c.chosen.dump() for c in chain["certificates"]] == [ca.der]
    with_crl = cms.ContentInfo.load(bytes.fromhex(prop(ca, XCHG_CRLS)["value"]), strict=True)["content"]
    assert with_crl["encap_content_info"]["content"].contents.endswith(der)
    [crl] = with_crl["crls"]
    assert crl.chosen.dump() == ca.host.path(f"/var/lib/certsrv/crl/{ca.name}.crl").read_bytes()
    assert bytes.fromhex(prop(ca, KRA)["value"]) == archive
    assert prop(ca, KRA_STATE, type=1)["value"] == "03"
    assert prop(ca, KRA, index=1)["hresult"] == 0x80070002


def test_a_key_is_archived_and_recovered(ca, archive, certsrv):
    key = wcce.rsa_key()
    envelope = enveloped(ca, msblob(ca, key), exchange(ca))
    answer = ask(ca, archiving(key, envelope), flags=FULL_RESPONSE)
    assert answer["disposition"] == ISSUED, answer
    # the full response tells the hash of what was archived
    assert hashlib.sha256(envelope).digest() in answer["chain"]
    assert ca.row(answer["id"], "id, request_flags")["request_flags"] == 0x40
    # also to who fetches it later, by id and by serial
    serial = f"{wcce.certificate(answer['cert']).serial_number:034x}"
    for step in ({"id": answer["id"]}, {"serial": serial}):
        later = ca.machine().one("activate", ("query", {"interfaces": ["D2"]}),
                                 ("request2", {"attributes": None, "flags": FULL_RESPONSE} | step))
        assert (later["disposition"], later["cert"]) == (ISSUED, answer["cert"]), later
        assert hashlib.sha256(envelope).digest() in later["chain"]
    out = "/run/recovered.p7m"
    certsrv("recover-key", answer["id"], "--out", out)
    ca.host.run("sh", "-c", f"openssl cms -decrypt -inform DER -in {out} -recip /run/kra.pem -inkey /run/kra.key -binary"
                " -out /run/recovered.blob && openssl rsa -inform MSBLOB -in /run/recovered.blob -out /run/recovered.key")
    back = serialization.load_pem_private_key(ca.host.path("/run/recovered.key").read_bytes(), None)
    assert back.private_numbers() == key.private_numbers()
    # the same over the network: a CMS that the CA has signed around it (MS-CSRA 3.1.4.2.9), for an officer
    ca.lab.pc1.kinit("alice", ca.lab.user_password)
    [got] = AdminWitness(ca.lab.pc1, ca).run(("GetArchivedKey", {"RequestId": answer["id"]}))
    assert got["hresult"] == 0, got
    signed = bytes.fromhex(got["ArchivedKey"])
    info = cms.ContentInfo.load(signed)
    assert info["content_type"].native == "signed_data" and len(info["content"]["signer_infos"]) == 1
    assert [c.chosen.dump() for c in info["content"]["certificates"]] == [ca.der]
    ca.host.path("/run/signed.p7").write_bytes(signed)
    ca.host.run("sh", "-c", "openssl cms -verify -binary -inform DER -in /run/signed.p7 -CAfile /etc/certsrv/ca.pem -purpose any"
                f" -out /run/inner.p7m && cmp /run/inner.p7m {out}")
    ca.lab.pc1.run("rm", "-f", "/run/remote.p7m")
    ca.lab.pc1.run(ca.build / "prog/certsrv/certsrv", "--ca", f"{ca.host.fqdn}\\{ca.name}", "recover-key", answer["id"], "--out",
                   "/run/remote.p7m", env={"ASAN_OPTIONS": "detect_leaks=0"})
    assert ca.lab.pc1.path("/run/remote.p7m").read_bytes() == ca.host.path(out).read_bytes()
    # who has it stands in the audit chain
    audit = ca.host.run("sqlite3", "-json", "file:/var/lib/certsrv/db/ca.sqlite?mode=ro",
                        f"select what, who from audit where request_id = {answer['id']}").stdout
    assert {"what": "key-retrieved", "who": "root"} in [{**r, "who": r["who"].split(" ")[0]} for r in json.loads(audit)]
    # the CA's own key opens nothing, and another request has nothing
    certsrv("recover-key", 999999, code=3)
    other = ca.machine().one(("icpr", {"request": wcce.pkcs10(wcce.rsa_key()), "attributes": "CertificateTemplate:Machine"}))
    certsrv("recover-key", other["id"], code=3)


def test_a_hash_of_its_own_by_sha1(ca, archive):
    key = wcce.rsa_key()
    envelope = enveloped(ca, msblob(ca, key), exchange(ca))
    assert ask(ca, archiving(key, envelope, hash_control(envelope, hashlib.sha1)))["disposition"] == ISSUED


def test_what_is_refused(ca, archive):
    key, other = wcce.rsa_key(), wcce.rsa_key()
    to = exchange(ca)
    good = enveloped(ca, msblob(ca, key), to)
    wrong_key = enveloped(ca, msblob(ca, other), to)
    wrong_recipient = enveloped(ca, msblob(ca, key), archive)
    garbage = enveloped(ca, b"no key at all", to)
    matrix = [
        ("no key", wcce.cmc(key, wcce.pkcs10(key)), "Archived", REQUIRED),
        ("not asked for", archiving(key, good), "Machine", UNEXPECTED),
        ("another hash", archiving(key, good, hash_control(wrong_key)), "Archived", BAD),
        ("no hash", archiving(key, good, b""), "Archived", BAD),
        ("another key", archiving(key, wrong_key), "Archived", BAD),
        ("another recipient", archiving(key, wrong_recipient), "Archived", BAD),
        ("garbage", archiving(key, garbage), "Archived", BAD),
        ("a hash alone", wcce.cmc(key, wcce.pkcs10(key), hash_control(good)), "Archived", BAD),
    ]
    steps = [("icpr", {"request": request, "attributes": f"CertificateTemplate:{template}"}) for _, request, template, _ in matrix]
    for (what, _, _, code), answer in zip(matrix, ca.machine().run(*steps)):
        assert (answer["disposition"], answer["cert"]) == (code, b""), (what, answer)
    assert ask(ca, archiving(key, good))["disposition"] == ISSUED


def test_the_key_dies_with_its_process(ca, archive):
    """The exchange key is in the memory of one process: kill it, and there is a new one."""
    before, key = exchange(ca), wcce.rsa_key()
    old = enveloped(ca, msblob(ca, key), before)
    for pid in ca.pids("sign"):
        os.kill(pid, signal.SIGKILL)
    ca.wait_log("a new exchange certificate", count=2, seconds=60)
    assert exchange(ca) != before
    assert ask(ca, archiving(key, old))["disposition"] == BAD
    new = enveloped(ca, msblob(ca, key), exchange(ca))
    assert ask(ca, archiving(key, new))["disposition"] == ISSUED


def test_without_an_agent(ca, archive):
    """Another certificate takes the agent's place in the directory: nothing is archived, nothing issued."""
    dn = f"CN={ca.name},CN=KRA,{PKS_DN}"
    key = wcce.rsa_key()
    envelope = enveloped(ca, msblob(ca, key), exchange(ca))

    def agent(der):
        ca.modify(f"dn: {dn}\nchangetype: modify\nreplace: userCertificate\n"
                  f"userCertificate:: {base64.b64encode(der).decode()}\n\n")
        ca.wait_directory()

    agent(ca.der)
    try:
        assert ask(ca, archiving(key, envelope))["disposition"] == NO_AGENT
        assert prop(ca, KRA_STATE, type=1)["value"] == "01"
    finally:
        agent(archive)
    assert ask(ca, archiving(key, envelope))["disposition"] == ISSUED


def test_event_96_no_exchange_certificate(ca, archive, certsrv):
    """A database that somebody holds: no exchange certificate, event 96 once and an alarm, until there is one again."""
    def alarms():
        done = ca.host.run(ca.build / "prog/certsrv/certsrv", "status", "--json", check=False)
        return [a["what"] for a in json.loads(done.stdout)["alarms"]]

    before, mark = len(ca.events(96)), ca.text().count("a new exchange certificate")
    hold = subprocess.Popen(ca.host.command("sqlite3", "/var/lib/certsrv/db/ca.sqlite"), stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)
    hold.stdin.write("BEGIN EXCLUSIVE;\n.print held\n")
    hold.stdin.flush()
    assert hold.stdout.readline() == "held\n"
    try:
        os.kill(ca.pids("sign")[0], signal.SIGKILL)  # the exchange key is in its memory
        end = time.monotonic() + 40
        while len(ca.events(96)) == before and time.monotonic() < end:
            time.sleep(0.1)
        [event] = ca.events(96)[before:]
        assert event["level"] == "error" and "exchange certificate" in event["text"] and event["ca"] == ca.name
        assert "exchange" in alarms()
    finally:  # whoever looks at a failure does not hold it
        hold.communicate(timeout=30)
    os.kill(ca.pids("sign")[0], signal.SIGKILL)  # its successor is asked at once, and not in half a minute
    ca.wait_log("a new exchange certificate", seconds=60, count=mark + 1)
    assert "exchange" not in alarms() and len(ca.events(96)) == before + 1
