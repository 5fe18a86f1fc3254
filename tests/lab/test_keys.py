# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A member's keys are made where the templates say: in files, in its TPM (swtpm), in a PKCS#11 token
(SoftHSM); they work for others afterwards, and devices that go away come back."""
import json
import os
import stat
import time

import pytest

from ca import FULL, READ, Ca, enroll_for
from client import QUIET, Client, failing

PLATFORM, CARD = "Microsoft Platform Crypto Provider", "Microsoft Smart Card Key Storage Provider"
SOFTWARE, CONTOSO = "Microsoft Software Key Storage Provider", "Contoso HSM Key Storage Provider"
MODULE, PIN, PIN_FILE = "/usr/lib/softhsm/libsofthsm2.so", "123456", "/etc/autoenroll/pin"
TPM, TOKENS = "/run/tpm", "/var/lib/softhsm/tokens"
CONF = f"""
[keys]
tpm = swtpm:path={TPM}/sock
pkcs11-module = {MODULE}
pkcs11-token = pkcs11:token=lab
pkcs11-pin-file = {PIN_FILE}
pkcs11-path = /var/lib/softhsm

[providers]
{CONTOSO} = pkcs11

[key-files]
LabSoft = 0640 root daemon
"""


def algorithm(name, hash_name="SHA256"):
    """A template of schema version 4 with its property list, MS-CRTD 2.23.2."""
    return {"msPKI-Template-Schema-Version": 4, "pKIKeyUsage": b"\x80\x00", "msPKI-Minimal-Key-Size": 256,
            "msPKI-RA-Application-Policies": f"msPKI-Asymmetric-Algorithm`PZPWSTR`{name}`"
            f"msPKI-Hash-Algorithm`PZPWSTR`{hash_name}`msPKI-Key-Usage`DWORD`2`"}


def csps(*names):
    return {"pKIDefaultCSPs": [f"{i + 1},{name}" for i, name in enumerate(names)]}


TEMPLATES = {
    "LabSoft": csps(SOFTWARE),
    "LabPss": csps(SOFTWARE) | {"msPKI-Private-Key-Flag": 0x40},
    "LabTpm": csps(PLATFORM),
    "LabTpmEc": csps(PLATFORM, SOFTWARE) | algorithm("ECDSA_P256"),
    "LabCard": csps(CARD),
    "LabHsmEc": csps(CONTOSO) | algorithm("ECDSA_P384", "SHA384"),
    "LabAttest": csps(PLATFORM) | {"msPKI-Private-Key-Flag": 0x2200},
    "LabHello": csps("Microsoft Passport Key Storage Provider", "Nobody's Provider"),
    # By hand, and for the CA to deny: names of the requester's choice are not for logons.
    "LabDenied": csps(CARD) | {"msPKI-Certificate-Name-Flag": 1, "msPKI-Enrollment-Flag": 0},
    "LabExport": csps(PLATFORM) | {"msPKI-Private-Key-Flag": 0x10},
}
# What is said in every run about LabAttest, LabHello and LabExport.
REFUSED = [("CertEnroll", 55), ("CertEnroll", 55), ("CertEnroll", 85)]
MADE = ["LabCard", "LabHsmEc", "LabPss", "LabSoft", "LabTpm", "LabTpmEc"]


class Devices:
    def __init__(self, host):
        self.host, self.tpm = host, None
        host.run(f"rm -rf {TPM} /var/lib/softhsm /var/tpm; mkdir -p {TPM} /var/tpm {TOKENS}")
        host.run("swtpm_setup", "--tpm2", "--tpmstate", "/var/tpm", "--overwrite")
        host.run("softhsm2-util", "--init-token", "--free", "--label", "lab", "--so-pin", "87654321", "--pin", PIN)

    def tpm_start(self):
        self.tpm = self.host.start(
            "swtpm", "socket", "--tpm2", "--tpmstate", "dir=/var/tpm", "--flags", "not-need-init,startup-clear",
            "--server", f"type=unixio,path={TPM}/sock", "--ctrl", f"type=unixio,path={TPM}/sock.ctrl")
        end = time.monotonic() + 30
        while not self.host.path(f"{TPM}/sock.ctrl").exists():
            assert time.monotonic() < end and self.tpm.popen.poll() is None, "swtpm does not start"
            time.sleep(0.05)

    def tpm_stop(self):
        """The device is there, but does not answer."""
        self.tpm.stop()
        self.host.run(f"rm -f {TPM}/*; touch {TPM}/sock")

    def token_out(self):
        self.host.run(f"mv {TOKENS} /var/lib/softhsm/drawer; mkdir {TOKENS}")

    def token_in(self):
        self.host.run(f"rm -rf {TOKENS}; mv /var/lib/softhsm/drawer {TOKENS}")

    def tool(self, *words, check=True):
        return self.host.run("p11tool", "--provider", MODULE, "--batch", "--login", *words, check=check,
                             env={"GNUTLS_PIN": PIN})

    def keys(self):
        """How many private keys the token has."""
        listed = self.tool("--list-privkeys", "pkcs11:token=lab", check=False)
        return (listed.stdout + listed.stderr).count("URL:")

    def pin(self, text):
        path = self.host.path(PIN_FILE)
        path.unlink(missing_ok=True)
        path.write_text(text + "\n")
        path.chmod(0o600)


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    ca.setup({cn: (READ + FULL + enroll_for("DC"), over) for cn, over in TEMPLATES.items()})
    ca.trust()
    ca.start()
    yield ca
    ca.stop()


@pytest.fixture(scope="module")
def devices(lab, ca):
    devices = Devices(lab.pc1)
    devices.tpm_start()
    yield devices
    if devices.tpm.popen.poll() is None:
        devices.tpm.stop()


@pytest.fixture(scope="module")
def pc1(lab, build, devices):
    client = Client(lab.pc1, build)
    conf = lab.pc1.path("/etc/autoenroll/autoenroll.conf")
    conf.write_text(conf.read_text() + CONF)
    devices.pin(PIN)
    client.local_policy(7)
    client.run("log", "level", "4")
    return client


@pytest.fixture(scope="module")
def enrolled(pc1):
    """What the first run did."""
    report = pc1.json("pulse", "--wait")
    return {r["template"]: r for r in report["results"]}, report, pc1.events()


def public_of_cert(pc1, template):
    return pc1.host.run("openssl", "x509", "-noout", "-pubkey", "-in",
                        f"/var/lib/autoenroll/my/{template}/current/cert.pem").stdout


def test_what_each_provider_name_stands_for(pc1):
    found = pc1.json("key", "providers")
    assert {p["provider"]: p["ready"] for p in found["providers"]} == {"software": True, "tpm": True, "pkcs11": True}
    names = {n["name"]: n for n in found["names"]}
    assert [names[n]["provider"] for n in (SOFTWARE, PLATFORM, CARD, CONTOSO)] == ["software", "tpm", "pkcs11", "pkcs11"]
    assert names[CONTOSO]["configured"] and names[CONTOSO]["ready"] and not names[PLATFORM]["configured"]
    assert "SoftHSM" in pc1.run("key", "providers").stdout


def test_csptest_of_each(pc1, devices):
    for name in "software", PLATFORM, CONTOSO:
        done = pc1.json("key", "test", "--provider", name, "--self-signed")
        assert done["passed"] == done["tried"] == 4, done
        assert all(len(t["thumbprint"]) == 40 for t in done["tests"])
        assert done["tests"][0]["pss"], "RSASSA-PSS"
    assert devices.keys() == 0, "throw-away keys are thrown away"
    done = pc1.run("key", "test", "--provider", "Nobody's Provider", check=False)
    assert done.returncode == 2 and "[providers]" in done.stderr
    assert not pc1.host.path("/var/lib/autoenroll/my").exists()


def test_a_run_makes_each_key_where_its_template_says(pc1, enrolled, devices):
    results, _, events = enrolled
    assert sorted(results) == MADE, results
    assert {r["outcome"] for r in results.values()} == {"issued"}
    assert events[:6] + events[-len(QUIET) + 6:] == QUIET
    assert sorted(events[6:9]) == REFUSED
    assert events[9:-len(QUIET) + 6] == [("CertEnroll", 19)] * len(MADE)
    for template in "LabTpm", "LabTpmEc":
        assert pc1.current(template, "key.pem").read_text().startswith("-----BEGIN TSS2 PRIVATE KEY-----")
    for template in "LabSoft", "LabPss":
        assert pc1.current(template, "key.pem").read_text().startswith("-----BEGIN PRIVATE KEY-----")
    for template in "LabCard", "LabHsmEc":
        assert not pc1.current(template, "key.pem").exists()
        assert pc1.current(template, "key.uri").read_text().startswith("pkcs11:")
    assert devices.keys() == 2


def test_what_cannot_be_made_says_why(enrolled):
    plan = {p["template"]: p for p in enrolled[1]["plan"]}
    assert failing(plan["LabAttest"]) == ["key.attestation"]
    assert failing(plan["LabHello"]) == ["key.provider-missing"]
    assert failing(plan["LabExport"]) == ["key.exportable-hardware"]
    text = {r["check"]: r["text"] for p in plan.values() for r in p["reasons"] if r["verdict"] == "fail"}
    assert "trusted as it is" in text["key.attestation"]
    assert "Nobody's Provider': nothing here stands for it" in text["key.provider-missing"].replace("\\x27", "'")


def test_mode_owner_and_group_of_key_files(pc1, enrolled):
    st = pc1.current("LabSoft", "key.pem").stat()
    assert (stat.S_IMODE(st.st_mode), st.st_uid) == (0o640, 0) and st.st_gid != 0
    assert stat.S_IMODE(pc1.current("LabPss", "key.pem").stat().st_mode) == 0o600
    assert '"key_exportable": false' in pc1.current("LabSoft", "meta.json").read_text()


def test_algorithms_and_padding_are_the_templates(pc1, ca, enrolled):
    def text(template):
        return pc1.host.run("openssl", "x509", "-noout", "-text", "-in",
                            f"/var/lib/autoenroll/my/{template}/current/cert.pem").stdout
    assert "NIST CURVE: P-256" in text("LabTpmEc")
    assert "NIST CURVE: P-384" in text("LabHsmEc")
    assert "Public-Key: (2048 bit)" in text("LabCard")


def test_openssl_uses_a_key_of_the_tpm(pc1, enrolled):
    """The contract for consumers: key.pem and OpenSSL's provider tpm2."""
    env = {"TPM2OPENSSL_TCTI": f"swtpm:path={TPM}/sock"}
    for template in "LabTpm", "LabTpmEc":
        pc1.host.run("echo hello > /run/hello")
        pc1.host.run("openssl", "pkeyutl", "-sign", "-provider", "tpm2", "-provider", "default", "-rawin", "-digest",
                     "sha256", "-inkey", f"/var/lib/autoenroll/my/{template}/current/key.pem", "-in", "/run/hello",
                     "-out", "/run/hello.sig", env=env)
        pc1.host.run("openssl", "pkeyutl", "-verify", "-certin", "-rawin", "-digest", "sha256", "-inkey",
                     f"/var/lib/autoenroll/my/{template}/current/cert.pem", "-in", "/run/hello", "-sigfile",
                     "/run/hello.sig")


def test_gnutls_uses_a_key_of_the_token(pc1, enrolled, devices):
    """The contract for consumers: key.uri and any PKCS#11 library."""
    for template in "LabCard", "LabHsmEc":
        uri = pc1.current(template, "key.uri").read_text().strip()
        public = devices.tool("--export-pubkey", uri.replace("type=private", "type=public")).stdout
        assert public_of_cert(pc1, template).strip() in public
        signed = devices.tool("--test-sign", uri)
        assert "ok" in (signed.stdout + signed.stderr).lower()
        # It cannot be taken out.
        listed = devices.tool("--list-privkeys", uri)
        assert "CKA_NEVER_EXTRACTABLE" in listed.stdout + listed.stderr


def test_a_quiet_run_needs_no_device(pc1, ca, enrolled, devices):
    rows = len(ca.rows())
    devices.tpm_stop()
    devices.token_out()
    try:
        assert pc1.json("pulse", "--wait")["results"] == []
        events = pc1.events()
        assert events[:6] + events[9:] == QUIET and sorted(events[6:9]) == REFUSED
    finally:
        devices.token_in()
        devices.tpm_start()
    assert len(ca.rows()) == rows


def test_a_tpm_that_is_not_ready(pc1, enrolled, devices):
    devices.tpm_stop()
    try:
        done = pc1.json("key", "test", "--provider", PLATFORM, "--alg", "RSA:2048", code=4)
        assert done["tests"][0]["hresult"] == "0x80090030"
        assert done["tests"][0]["hresult_symbol"] == "NTE_DEVICE_NOT_READY"
        tpm = pc1.json("key", "providers", code=1)["providers"][1]
        assert tpm["hresult_symbol"] == "NTE_DEVICE_NOT_READY" and not tpm["ready"]
        pc1.events()
        # The template's only provider; and one that has another.
        done = pc1.run("enroll", "-T", "LabTpm", "--json", check=False)
        assert done.returncode == 4 and "not ready" in done.stdout, done.stdout
        assert ("CertEnroll", 57) in pc1.events()
        [result] = pc1.json("enroll", "-T", "LabTpmEc")["results"]
        assert result["outcome"] == "issued"
        assert ("CertEnroll", 57) in pc1.events()
        assert pc1.current("LabTpmEc", "key.pem").read_text().startswith("-----BEGIN PRIVATE KEY-----")
        assert pc1.current("LabTpm", "key.pem").read_text().startswith("-----BEGIN TSS2 PRIVATE KEY-----")
    finally:
        devices.tpm_start()
    assert pc1.json("key", "test", "--provider", PLATFORM, "--alg", "P256")["passed"] == 1
    assert pc1.json("enroll", "-T", "LabTpmEc")["results"][0]["outcome"] == "issued"
    assert pc1.current("LabTpmEc", "key.pem").read_text().startswith("-----BEGIN TSS2 PRIVATE KEY-----")


def test_a_token_that_goes_and_comes_back(pc1, enrolled, devices):
    devices.token_out()
    try:
        done = pc1.json("key", "test", "--provider", "pkcs11", "--alg", "P256", code=4)
        assert done["tests"][0]["hresult_symbol"] == "NTE_DEVICE_NOT_READY"
        done = pc1.run("enroll", "-T", "LabCard", "--json", check=False)
        assert done.returncode == 4 and "no token matches" in done.stdout, done.stdout
    finally:
        devices.token_in()
    before = devices.keys()
    assert pc1.json("key", "test", "--provider", "pkcs11:token=lab", "--alg", "P256")["passed"] == 1
    assert pc1.json("enroll", "-T", "LabCard")["results"][0]["outcome"] == "issued"
    assert devices.keys() == before + 1


def test_a_request_waits_for_its_token(pc1, ca, enrolled, devices):
    """Nobody knows whether the CA got it: its key is not given up because the token is out for a while."""
    pc1.run("request", "new", "-T", "LabCard", "--out", "/run/card.req")
    [kept] = pc1.host.path("/var/lib/autoenroll/request/LabCard").glob("[0-9]*")
    meta = json.loads((kept / "meta.json").read_text())
    meta |= {"state": "asked", "automatic": True, "ca_config": f"{ca.host.fqdn}\\{ca.name}", "asked": meta["made"]}
    (kept / "meta.json").write_text(json.dumps(meta))
    before = devices.keys()
    devices.token_out()
    try:
        done = pc1.json("enroll", "-T", "LabCard", code=None)["results"][0]
        assert done["outcome"] == "failed" and "kept until its key can be used" in done["message"], done
        assert (kept / "request.der").exists()
    finally:
        devices.token_in()
    uri = (kept / "key.uri").read_text()
    assert pc1.json("enroll", "-T", "LabCard")["results"][0]["outcome"] == "issued"
    assert pc1.current("LabCard", "key.uri").read_text() == uri
    assert devices.keys() == before and not kept.exists()


def test_somebodys_own_key_of_the_token(pc1, enrolled, devices):
    """Used for a request, and still there when that is denied."""
    uri = pc1.current("LabCard", "key.uri").read_text().strip()
    before = devices.keys()
    done = pc1.json("enroll", "-T", "LabDenied", "--subject", "CN=somebody.else", "--key", uri, code=8)
    assert done["results"][0]["outcome"] == "denied", done
    assert devices.keys() == before


def test_a_key_that_the_token_lost_is_replaced(pc1, enrolled, devices):
    uri = pc1.current("LabHsmEc", "key.uri").read_text().strip()
    for kind in "private", "public":
        devices.tool("--delete", uri.replace("type=private", f"type={kind}"))
    [result] = pc1.json("pulse", "--wait")["results"]
    assert (result["template"], result["outcome"]) == ("LabHsmEc", "issued")
    assert pc1.current("LabHsmEc", "key.uri").read_text().strip() != uri


def test_a_wrong_pin_is_tried_once(pc1, enrolled, devices):
    def refused():
        done = pc1.run("enroll", "-T", "LabCard", "--json", check=False)
        assert done.returncode != 0
        return done.stdout
    number = os.path.basename(os.path.realpath(pc1.current("LabCard", "")))
    devices.pin("000000")
    try:
        # The old key is to sign a renewal: that is the one try.
        done = pc1.run("enroll", "--renew", f"LabCard/{number}", "--reuse-key", "--json", check=False)
        assert done.returncode != 0 and "refused the PIN" in done.stdout and "not tried again" not in done.stdout
        for _ in range(3):
            assert "not tried again before that file is written anew" in refused()
        test = pc1.json("key", "test", "--provider", "pkcs11", "--alg", "P256", code=4)["tests"][0]
        assert test["hresult_symbol"] == "NTE_INCORRECT_PASSWORD" and "not tried again" in test["error"]
    finally:
        devices.pin(PIN)
    assert pc1.json("enroll", "-T", "LabCard")["results"][0]["outcome"] == "issued"
    assert os.path.exists(pc1.current("LabCard", "key.uri"))


@pytest.mark.parametrize("template", ["LabTpm", "LabCard"])
def test_renewals_with_the_same_key_and_a_new_one(pc1, enrolled, devices, template):
    """The old key signs in its device."""
    before = public_of_cert(pc1, template)
    for options, same in (("--reuse-key",), True), ((), False):
        number = os.path.basename(
            os.path.realpath(pc1.current(template, "")))
        [result] = pc1.json("enroll", "--renew", f"{template}/{number}", *options)["results"]
        assert result["outcome"] == "issued", result
        assert (public_of_cert(pc1, template) == before) == same


def test_a_denied_request_leaves_no_key_in_the_token(pc1, enrolled, devices):
    before = devices.keys()
    done = pc1.json("enroll", "-T", "LabDenied", "--subject", "CN=somebody.else", code=8)
    assert done["results"][0]["outcome"] == "denied", done
    assert devices.keys() == before


def test_nor_is_one_destroyed_that_may_still_be_used(pc1, enrolled, devices):
    """A certificate in the store that cannot be read may be that of any key."""
    damaged = pc1.host.path("/var/lib/autoenroll/my/LabCard/1")
    cert = damaged / "cert.pem"
    whole, before = cert.read_bytes(), devices.keys()
    cert.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    try:
        done = pc1.json("enroll", "-T", "LabDenied", "--subject", "CN=somebody.else", code=8)
        assert done["results"][0]["outcome"] == "denied", done
        assert devices.keys() == before + 1
    finally:
        cert.write_bytes(whole)
