# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Keys that a TPM attests: the CA, and as its client a TPM (swtpm) with tpm2-tools, OpenSSL and impacket.
What is sent is put together here from MS-WCCE 2.2.2.5, 2.2.2.7.12 to .14 and TPM 2.0 Part 2."""
import hashlib
import json
import struct
import time

import pytest
from asn1crypto import cms, core, keys
from cryptography import x509

import wcce
from wcce import ISSUED, PENDING, attribute, tlv

REQUIRED, BAD_EK, BAD_KEY = 0x8009481A, 0x80094817, 0x80094819
EXPIRED, BAD_ANSWER, BAD_ID = 0x8009481C, 0x8009481D, 0x8009481E
ANSWER = 0x500
BY_CERT, BY_KEY = "1.3.6.1.4.1.311.21.31", "1.3.6.1.4.1.311.21.30"
PROVIDER = "Microsoft Platform Crypto Provider"
BOUND = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign"


class Tpm:
    """One on a host, in a directory; with a manufacturer, an endorsement key's certificate, too.  The attestation key
    is RSA, its signatures bare; or P-256 and they are TPMT_SIGNATUREs."""

    def __init__(self, host, name, manufacturer=None):
        self.host, self.dir = host, f"/run/{name}"
        self.form = "plain" if manufacturer else "tss"
        kind, scheme = ("rsa2048:rsassa-sha256:null", "rsassa") if manufacturer else ("ecc256:ecdsa-sha256:null", "ecdsa")
        host.run(f"rm -rf {self.dir}; mkdir -p {self.dir}/state")
        more = []
        if manufacturer:
            host.run(f"mkdir -p {manufacturer}")
            host.path(f"{manufacturer}/ca.conf").write_text(
                f"statedir = {manufacturer}\nsigningkey = {manufacturer}/key.pem\nissuercert = {manufacturer}/ca.pem\n"
                f"certserial = {manufacturer}/serial\n")
            host.path(f"{manufacturer}/setup.conf").write_text(
                f"create_certs_tool = /usr/bin/swtpm_localca\ncreate_certs_tool_config = {manufacturer}/ca.conf\n"
                "create_certs_tool_options = /dev/null\n")
            more = ["--create-ek-cert", "--config", f"{manufacturer}/setup.conf"]
        host.run("swtpm_setup", "--tpm2", "--tpmstate", f"{self.dir}/state", "--overwrite", *more)
        self.process = host.start(
            "swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.dir}/state", "--flags", "not-need-init,startup-clear",
            "--server", f"type=unixio,path={self.dir}/sock", "--ctrl", f"type=unixio,path={self.dir}/sock.ctrl")
        end = time.monotonic() + 30
        while not host.path(f"{self.dir}/sock.ctrl").exists():
            assert time.monotonic() < end and self.process.popen.poll() is None, "swtpm does not start"
            time.sleep(0.05)
        if manufacturer:
            self.sh("tpm2_nvread -Q -C o 0x1c00002 -o ek.der")
            self.sh("tpm2_readpublic -Q -c 0x81010001 -f der -o ek.spki")
        else:
            self.sh("tpm2_createek -Q -c 0x81010001 -G rsa -u ek.pub; tpm2_readpublic -Q -c 0x81010001 -f der -o ek.spki")
        self.sh(f"""tpm2_createprimary -Q -C o -G ecc256 -c parent
                    tpm2_create -Q -C parent -G {kind} -a '{BOUND}|restricted' -u aik.pub -r aik.priv \\
                        --creation-data aik.data --creation-hash aik.hash --creation-ticket aik.ticket
                    tpm2_flushcontext -t; tpm2_load -Q -C parent -u aik.pub -r aik.priv -c aik -n aik.name
                    tpm2_flushcontext -t
                    tpm2_certifycreation -Q -C aik -c aik -d aik.hash -t aik.ticket -g sha256 -s {scheme} -o id.sig \\
                        --attestation id.attest
                    tpm2_flushcontext -t""")
        self.new_key()

    def stop(self):
        self.process.stop()

    def sh(self, script, check=True):
        return self.host.run("sh", "-ec", f"cd {self.dir}; {script}", check=check,
                             env={"TPM2TOOLS_TCTI": f"swtpm:path={self.dir}/sock", "TSS2_LOG": "all+NONE"})

    def file(self, name):
        return self.host.path(f"{self.dir}/{name}").read_bytes()

    def new_key(self):
        self.sh(f"""tpm2_create -Q -C parent -G ecc256 -a '{BOUND}' -u key.pub -r key.priv
                    tpm2_flushcontext -t; tpm2_load -Q -C parent -u key.pub -r key.priv -c key
                    tpm2_flushcontext -t; tpm2_readpublic -Q -c key -f der -o key.spki; tpm2_flushcontext -t
                    tpm2_certify -Q -C aik -c key -g sha256 -o key.attest -s key.sig -f {self.form}
                    tpm2_flushcontext -t""")

    def ek_info(self):
        cert = self.file("ek.der") if self.host.path(f"{self.dir}/ek.der").exists() else b"\x05\x00"
        return tlv(0x30, self.file("ek.spki") + cert)

    def statement(self):
        attest = self.file("id.attest")
        binding = self.file("aik.pub") + self.file("aik.data") + struct.pack(">H", len(attest)) + attest + self.file("id.sig")
        public, attest, sig = self.file("key.pub"), self.file("key.attest"), self.file("key.sig")
        blob = struct.pack("<13IH", 0x4D504350, 54, 2, 0, len(public), *[0] * 8, 0) + public
        key = struct.pack("<6I", 0x5344414B, 2, 24, len(attest), len(sig), len(blob)) + attest + sig + blob
        opaque = b"PCPM for this TPM"
        return struct.pack("<7I", 0x5453414B, 1, 2, 28, len(binding), len(key), len(opaque)) + binding + key + opaque

    def request(self, *attributes):
        """A PKCS#10 of the TPM's key, which signs it."""
        info = tlv(0x30, core.Integer(0).dump() + tlv(0x30, b"") + self.file("key.spki") + tlv(0xA0, b"".join(attributes)))
        self.host.path(f"{self.dir}/info").write_bytes(info)
        self.sh("tpm2_sign -Q -c key -g sha256 -f plain -o info.sig info; tpm2_flushcontext -t")
        made = self.file("info.sig")
        return tlv(0x30, info + tlv(0x30, core.ObjectIdentifier("1.2.840.10045.4.3.2").dump()) +
                   tlv(0x03, b"\0" + made))

    def activate(self, challenge):
        """The secret, or None: it is not for this TPM and its attestation key."""
        head, cred = struct.unpack("<6I", challenge[:24]), challenge[24:]
        assert head[:4] == (0x48434154, 1, 2, 24), head
        self.host.path(f"{self.dir}/cred").write_bytes(struct.pack(">II", 0xBADCC0DE, 1) + cred[:head[4]])
        out = self.sh("""rm -f secret
                         tpm2_startauthsession -Q --policy-session -S session; tpm2_policysecret -Q -S session -c e
                         tpm2_activatecredential -Q -c aik -C 0x81010001 -i cred -o secret -P session:session ||
                             { tpm2_flushcontext -t -l -s; exit 3; }
                         tpm2_flushcontext session; tpm2_flushcontext -t""", check=False)
        return self.file("secret") if out.returncode == 0 else None


@pytest.fixture(scope="module")
def attesting(ca, build):
    """The CA trusts swtpm's manufacturer; the TPM of pc1 and one of nobody's."""
    conf = ca.host.path("/etc/certsrv/certsrv.conf")
    before, pc1 = conf.read_text(), ca.lab.pc1
    tpm, other = Tpm(pc1, "tpm-a", "/run/manufacturer"), Tpm(pc1, "tpm-b")

    def certsrv(*words, code=0):
        out = ca.host.run(build / "prog/certsrv/certsrv", *words, check=False, env={"ASAN_OPTIONS": "detect_leaks=0"})
        assert out.returncode == code, (words, out.returncode, out.stdout, out.stderr)
        return out.stdout

    certsrv("attestation", "show", code=3)
    ca.configure("attestation", directory="/etc/certsrv/attestation")
    for name, verb in (("swtpm-localca-rootca-cert.pem", "add-root"), ("ca.pem", "add-intermediate")):
        ca.host.path("/run/maker.pem").write_text(pc1.path(f"/run/manufacturer/{name}").read_text())
        certsrv("attestation", verb, "/run/maker.pem")
    ca.restart()
    ca.wait_log("a new exchange certificate")
    yield tpm, other, certsrv
    tpm.stop(), other.stop()
    conf.write_text(before)
    ca.host.run("rm", "-r", "/etc/certsrv/attestation")
    ca.restart()


def exchange(ca):
    return bytes.fromhex(ca.machine().one("activate", ("query", {"interfaces": ["D2"]}),
                                          ("get_ca_property", {"prop": 0xF, "index": 0, "type": 3}))["value"])


def enveloped(ca, data, to):
    ca.lab.pc1.path("/run/clear").write_bytes(data)
    ca.lab.pc1.path("/run/to.pem").write_text(wcce.pem(to))
    ca.lab.pc1.run("openssl", "cms", "-encrypt", "-binary", "-aes256", "-in", "/run/clear", "-outform", "DER", "-out", "/run/env",
                   "/run/to.pem")
    return ca.lab.pc1.path("/run/env").read_bytes()


def attested(ca, tpm, ek=None, statement=None):
    """The request, and the exchange certificate it is for; ek, statement: another TPM's."""
    to = exchange(ca)
    return tpm.request(
        attribute("1.3.6.1.4.1.311.21.23", enveloped(ca, (ek or tpm).ek_info(), to)),
        attribute("1.3.6.1.4.1.311.21.24", core.OctetString((statement or tpm).statement()).dump()),
        attribute("1.3.6.1.4.1.311.21.25", core.BMPString(PROVIDER + "\0").dump())), to


def ask(ca, request, template="Attested", who=None):
    return (who or ca.machine()).one(("icpr", {"request": request, "attributes": f"CertificateTemplate:{template}"}))


def replies(ca, to, *answers, who=None):
    """What each (request id, secret) comes to."""
    steps = [("request2", {"request": enveloped(ca, secret, to), "attributes": f"RequestId:{number}", "flags": ANSWER})
             for number, secret in answers]
    return (who or ca.machine()).run("activate", ("query", {"interfaces": ["D2"]}), *steps)[2:]


def challenge_of(ca, answer, to):
    """What a client finds in the full response, which OpenSSL verifies."""
    ca.lab.pc1.path("/run/response").write_bytes(answer["chain"])
    ca.lab.pc1.path("/run/ca.pem").write_text(wcce.pem(ca.der))
    ca.lab.pc1.run("openssl", "cms", "-verify", "-inform", "DER", "-in", "/run/response", "-CAfile", "/run/ca.pem", "-purpose",
                   "any", "-out", "/run/body")
    data = cms.ContentInfo.load(answer["chain"], strict=True)["content"]
    assert to in [c.chosen.dump() for c in data["certificates"]]
    body = ca.lab.pc1.path("/run/body").read_bytes()
    assert hashlib.sha1(to).digest() in body and (PROVIDER + "\0").encode("utf-16be") in body
    assert core.ObjectIdentifier("2.16.840.1.101.3.4.1.42").dump() in body  # aes256-CBC, as it was encrypted
    at = body.index(b"TACH")
    sizes = struct.unpack("<2I", body[at + 16:at + 24])
    return body[at:at + 24 + sum(sizes)]


def policies(cert):
    try:
        found = wcce.certificate(cert).extensions.get_extension_for_class(x509.CertificatePolicies).value
    except x509.ExtensionNotFound:
        return []
    return [p.policy_identifier.dotted_string for p in found]


def test_a_tpm_attests_its_key(ca, attesting):
    tpm, _, certsrv = attesting
    request, to = attested(ca, tpm)
    answer = ask(ca, request)
    assert answer["disposition"] == PENDING and answer["id"] > 0, answer
    assert ca.row(answer["id"], "id, disp, request_flags") == {"id": answer["id"], "disp": 9, "request_flags": 0x2400}
    challenge = challenge_of(ca, answer, to)
    assert challenge.endswith(b"PCPM for this TPM")
    # nobody else can answer it, not with the right secret either, and nothing is used up by trying
    secret = tpm.activate(challenge)
    assert len(secret) == 32
    [other] = replies(ca, to, (answer["id"], secret), who=ca.person())
    assert other["disposition"] == EXPIRED
    # a challenge is answered once
    none, issued, again = replies(ca, to, ("none", secret), (answer["id"], secret), (answer["id"], secret))
    assert (none["disposition"], again["disposition"]) == (BAD_ID, EXPIRED)
    assert (issued["disposition"], issued["id"]) == (ISSUED, answer["id"]), issued
    assert policies(issued["cert"]) == [BY_CERT]
    assert keys.PublicKeyInfo.load(tpm.file("key.spki")).dump() in issued["cert"]
    row = ca.row(answer["id"], "id, disp, request_flags, message")
    assert (row["disp"], row["request_flags"], row["message"]) == (20, 0x2C00, "Issued")
    later = ca.machine().one(("icpr", {"id": answer["id"]}))
    assert (later["disposition"], later["cert"]) == (ISSUED, issued["cert"])
    assert "request.attestation" in certsrv("explain", "--request", str(answer["id"]), code=9)


def test_attest_the_endorsement_key_of_another_tpm(ca, attesting):
    """The trusted TPM's endorsement key and a key that lies elsewhere: the challenge can be opened by neither."""
    tpm, other, _ = attesting
    request, to = attested(ca, other, ek=tpm)
    answer = ask(ca, request)
    assert answer["disposition"] == PENDING, answer
    challenge = challenge_of(ca, answer, to)
    assert tpm.activate(challenge) is None and other.activate(challenge) is None
    wrong, again = replies(ca, to, (answer["id"], bytes(32)), (answer["id"], bytes(32)))
    assert (wrong["disposition"], again["disposition"]) == (BAD_ANSWER, EXPIRED)  # there is one try
    assert ca.row(answer["id"], "id, disp, hresult")["disp"] == 31


def test_attest_what_is_refused(ca, attesting):
    tpm, other, _ = attesting
    bare = other.request()
    assert ask(ca, bare)["disposition"] == REQUIRED
    assert ask(ca, attested(ca, other)[0])["disposition"] == BAD_EK  # nobody certified it
    request, _ = attested(ca, tpm, statement=other)
    for template in ("Attested", "AttestLiked"):
        assert ask(ca, request, template)["disposition"] == BAD_KEY
    liked = ask(ca, bare, "AttestLiked")
    assert (liked["disposition"], policies(liked["cert"])) == (ISSUED, [])
    liked = ask(ca, attested(ca, other)[0], "AttestLiked")
    assert (liked["disposition"], policies(liked["cert"])) == (ISSUED, [])


def test_a_list_of_endorsement_keys(ca, attesting):
    _, other, certsrv = attesting
    request, to = attested(ca, other)
    assert ask(ca, request, "AttestedKey")["disposition"] == BAD_EK
    mark, key = ca.mark(), hashlib.sha256(other.file("ek.spki")).hexdigest()
    certsrv("attestation", "add-key", key, "pc1's other one")
    ca.wait_log("TPMs that count: 1 roots, 1 intermediates, 1 keys", since=mark)
    assert key in json.loads(certsrv("attestation", "show", "--json"))["keys"]
    answer = ask(ca, request, "AttestedKey")
    assert answer["disposition"] == PENDING, answer
    [issued] = replies(ca, to, (answer["id"], other.activate(challenge_of(ca, answer, to))))
    assert (issued["disposition"], policies(issued["cert"])) == (ISSUED, [BY_KEY]), issued
    certsrv("attestation", "remove", key)
    assert json.loads(certsrv("attestation", "show", "--json"))["keys"] == []
    certsrv("attestation", "remove", key, code=3)
