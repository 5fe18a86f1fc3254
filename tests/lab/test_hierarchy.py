# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A CA below an offline root of openssl's, its first key in a PKCS#11 token (SoftHSM behind a library that
fails when told to), its second in a TPM (swtpm), its third in an encrypted file: requested, installed,
renewed, and members enroll all the while."""
import json
import pathlib
import re
import time

import pytest

from ca import FULL, PKS_DN, READ, UID_BASE, Ca, enroll_for, icpr, make_csr
from client import Client

MACHINE = "LabMachine"
SIGN = UID_BASE + 7  # the user of the process that signs
PIN, PASSPHRASE = "493817", "open, says me"
HSM, TPM, ROOT = "/var/lib/softhsm", "/run/tpm", "/var/root"
TOO_BUSY = 0x800706BB
EXT = """basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,digitalSignature,keyCertSign,cRLSign
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
"""


class SubCa(Ca):
    name = "Lab Sub CA"

    def __init__(self, lab, build):
        super().__init__(lab, build, key="pkcs11:token=ca")
        self.module = build / "tests/tools/libp11_fault.so"
        self.options = ("--subordinate", "--key-type", "rsa2048", "--pkcs11-module", self.module,
                        "--pkcs11-pin-file", "/var/pin", "--pkcs11-path", HSM, "--tpm", f"swtpm:path={TPM}/sock",
                        "--passphrase-file", "/var/passphrase")
        self.signed = 0

    def devices(self):
        h = self.host
        h.run(f"rm -rf {HSM} {TPM} /var/tpm {ROOT}; mkdir -p {HSM}/tokens {TPM} /var/tpm {ROOT}")
        h.run("softhsm2-util", "--init-token", "--free", "--label", "ca", "--so-pin", "87654321", "--pin", PIN)
        h.run(f"chown -R {SIGN}:{SIGN} {HSM}; chmod 755 /etc/softhsm; chmod 644 /etc/softhsm/softhsm2.conf")
        self.secret("pin", PIN)
        self.secret("passphrase", PASSPHRASE)
        h.run("swtpm_setup", "--tpm2", "--tpmstate", "/var/tpm", "--overwrite")
        self.tpm = h.start("swtpm", "socket", "--tpm2", "--tpmstate", "dir=/var/tpm", "--flags",
                           "not-need-init,startup-clear", "--server", f"type=unixio,path={TPM}/sock,mode=0666",
                           "--ctrl", f"type=unixio,path={TPM}/sock.ctrl,mode=0666")
        h.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{ROOT}/key", "-out",
              f"{ROOT}/root.pem", "-subj", "/CN=Offline Root", "-days", "7300", "-addext",
              "basicConstraints=critical,CA:TRUE,pathlen:1", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        h.path(f"{ROOT}/ext").write_text(EXT)

    def secret(self, name, text):
        path = self.host.path(f"/var/{name}")
        path.unlink(missing_ok=True)
        path.touch(0o600)
        path.write_text(text + "\n")

    def certsrv(self, *words, check=True):
        return self.host.run(self.build / "prog/certsrv/certsrv", *words, check=check,
                             env={"ASAN_OPTIONS": "detect_leaks=0"})  # of the TPM's libraries

    def answer(self, form="pem"):
        """openssl signs the request that waits; the answer's path."""
        self.signed += 1
        h, out = self.host, f"{ROOT}/sub{self.signed}"
        h.run("openssl", "x509", "-req", "-in", "/etc/certsrv/ca.req", "-CA", f"{ROOT}/root.pem", "-CAkey",
              f"{ROOT}/key", "-CAcreateserial", "-days", "3650", "-extfile", f"{ROOT}/ext", "-out", f"{out}.pem")
        if form == "p7b":
            h.run("openssl", "crl2pkcs7", "-nocrl", "-certfile", f"{out}.pem", "-certfile", f"{ROOT}/root.pem",
                  "-outform", "DER", "-out", f"{out}.p7b")
        return f"{out}.{form}"

    def pems(self, path):
        return re.findall(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n",
                          self.host.path(path).read_text(), re.S)

    def tell_directory(self):
        """All its certificates where members look, as certsrv puts them."""
        def values(pems):
            return "".join(f"cACertificate:: {''.join(p.split('-----')[2].split())}\n" for p in pems)

        mine, root = self.pems("/etc/certsrv/ca.pem"), self.pems(f"{ROOT}/root.pem")
        none = "authorityRevocationList:: AA==\ncertificateRevocationList:: AA==\n"
        for dn, pems in ((f"CN=Offline Root,CN=Certification Authorities,{PKS_DN}", root),
                         (f"CN={self.name},CN=AIA,{PKS_DN}", mine), (f"CN=NTAuthCertificates,{PKS_DN}", mine)):
            self.ldb("ldbdel", dn, check=False)
            self.ldb("ldbadd", input=f"dn: {dn}\nobjectClass: certificationAuthority\n{values(pems)}{none}\n")
        self.ldb("ldbmodify", input=f"dn: CN={self.name},CN=Enrollment Services,{PKS_DN}\nchangetype: modify\n"
                                    f"replace: cACertificate\n{values(mine)}\n")

    def setup(self, templates):
        self.devices()
        super().setup(templates)
        self.tell_directory()

    def install(self):
        self.certsrv("ca", "install-certificate", self.answer(), "--chain", f"{ROOT}/root.pem", "--no-directory")

    def fault(self, word):
        path = self.host.path(f"{HSM}/fault")
        path.unlink(missing_ok=True)
        if word is not None:
            path.write_text(word)

    def logins(self):
        path = self.host.path(f"{HSM}/logins")
        return path.read_text().split() if path.exists() else []

    def ask(self, host, csr):
        return icpr(host, f"{self.host.fqdn}:49500", csr, "--attributes", f"CertificateTemplate:{MACHINE}",
                    "--ca", self.name)

    def issued(self, host, name, seconds=30):
        """A certificate, as soon as there is one."""
        csr, end = make_csr(host, name), time.monotonic() + seconds
        while True:
            got = self.ask(host, csr)
            if got.get("disposition") == 3:
                return got["certificate"]
            assert time.monotonic() < end, (got, self.text())
            time.sleep(0.2)

    def crl(self, index):
        suffix = f"({index})" if index else ""
        return self.host.path(f"/var/lib/certsrv/crl/{self.name}{suffix}.crl")

    def await_crl(self, index, seconds=60):
        end = time.monotonic() + seconds
        while not self.crl(index).exists():
            assert time.monotonic() < end, self.text()
            time.sleep(0.1)


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = SubCa(lab, build)
    ca.setup({MACHINE: (READ + FULL + enroll_for("DC"), {})})
    ca.start()
    yield ca
    assert ca.stop() == 0, ca.text()
    ca.tpm.stop()
    for rdn in "CN=Offline Root,CN=Certification Authorities", f"CN={ca.name},CN=AIA", "CN=NTAuthCertificates":
        ca.ldb("ldbdel", f"{rdn},{PKS_DN}", check=False)  # others count roots in this domain


@pytest.fixture
def pc1(lab):
    lab.pc1.kinit_machine()
    return lab.pc1


def judge(ca, pem, index):
    """OpenSSL, GnuTLS and NSS build the chain of a certificate, with the CRL of the key that signed it."""
    h = ca.host
    key = json.loads(ca.certsrv("ca", "show", str(index), "--json").stdout)["key_index"]
    h.path("/var/leaf.pem").write_text(pem)
    h.path("/var/subs.pem").write_text("".join(ca.pems("/etc/certsrv/ca.pem")))
    ca.await_crl(key)  # the first one comes a moment after "ready"
    h.path("/var/crl.der").write_bytes(ca.crl(key).read_bytes())
    h.run("openssl crl -inform DER -in /var/crl.der -out /var/crl.pem")
    h.run("openssl", "verify", "-crl_check", "-CAfile", f"{ROOT}/root.pem", "-untrusted", "/var/subs.pem", "-CRLfile",
          "/var/crl.pem", "/var/leaf.pem")
    h.path("/var/chain.pem").write_text(pem + ca.pems("/etc/certsrv/ca.pem")[index])
    h.run("certtool", "--verify", "--load-ca-certificate", f"{ROOT}/root.pem", "--infile", "/var/chain.pem")
    h.run("rm -rf /var/nss; mkdir /var/nss; certutil -N -d /var/nss --empty-password")
    h.run(f"certutil -A -d /var/nss -n root -t CT,C,C -i {ROOT}/root.pem")
    # NSS takes a CRL's issuer by its name alone: of several with one name the one that signed
    h.path("/var/one.pem").write_text(ca.pems("/etc/certsrv/ca.pem")[index])
    h.run("certutil -A -d /var/nss -n sub -t ,, -i /var/one.pem")
    h.run("crlutil -I -d /var/nss -i /var/crl.der")
    h.run("certutil -A -d /var/nss -n leaf -t ,, -i /var/leaf.pem")
    h.run("certutil -V -d /var/nss -n leaf -u V -e")


def issuer_key(pem, host):
    return host.run("openssl", "x509", "-noout", "-ext", "authorityKeyIdentifier", input=pem).stdout.split()[-1]


def test_a_sub_ca_with_its_key_in_a_token(ca, pc1):
    judge(ca, ca.issued(pc1, "token"), 0)
    conf = ca.host.path("/etc/certsrv/certsrv.conf").read_text()
    assert "key = pkcs11:" in conf and PIN not in conf
    test = json.loads(ca.certsrv("key", "test", "--json").stdout)["keys"]
    assert [k["works"] for k in test] == [True] and "SoftHSM" in test[0]["device"]


def test_f18_a_token_that_goes_away(ca, pc1):
    csr = make_csr(pc1, "away")
    before = len(ca.rows())
    ca.fault("removed")
    first = ca.ask(pc1, csr)
    assert TOO_BUSY in (first.get("hresult"), first.get("status")), (first, ca.text())
    ca.wait_log("the CA's key cannot be used")
    assert ca.ask(pc1, csr).get("disposition") != 3
    # what was begun has ended, what came later was not begun; no serial is open
    assert len(ca.rows()) <= before + 1 and not [r for r in ca.rows() if r["disp"] == 8]
    ca.fault(None)
    ca.issued(pc1, "back", seconds=5)
    ca.wait_log("the CA's key can be used")
    serials = [r["serial"] for r in ca.rows("hex(serial) as serial") if r["serial"]]
    assert len(serials) == len(set(serials))


def test_f18_a_session_that_is_lost(ca, pc1):
    ca.fault("session")
    assert ca.ask(pc1, make_csr(pc1, "lost"))["disposition"] == 3, ca.text()


def test_f18_a_token_that_is_slow(ca, pc1):
    ca.fault("slow")
    begin = time.monotonic()
    assert ca.ask(pc1, make_csr(pc1, "slow"))["disposition"] == 3, ca.text()
    assert time.monotonic() - begin >= 3
    ca.fault(None)


def test_f18_no_wrong_signature_leaves(ca, pc1):
    ca.fault("flip")
    got = ca.ask(pc1, make_csr(pc1, "flip"))
    assert got.get("disposition") != 3 and not got.get("certificate"), got
    ca.wait_log("does not verify")
    ca.fault(None)
    ca.issued(pc1, "good")


def test_f18_a_wrong_pin_is_tried_once(ca, pc1):
    ca.stop()
    ca.secret("pin", "000000")
    ca.host.path(f"{HSM}/logins").unlink()
    ca.start(directory=False)
    for name in "one", "two":
        assert ca.ask(pc1, make_csr(pc1, name)).get("disposition") != 3
    ca.wait_log("refused the PIN")
    time.sleep(2.5)  # as long as a signer would ask again
    assert ca.logins() == ["0xa0"]  # CKR_PIN_INCORRECT, of all processes together
    ca.secret("pin", PIN)
    ca.stop()
    ca.start()
    ca.issued(pc1, "pin")


def test_esc12_the_pin_is_nowhere(ca):
    for role in ("rpc135", "rpc", "auth", "ca", "ad", "db", "sign"):
        for pid in ca.pids(role):
            for name in "cmdline", "environ":
                text = pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
                assert PIN.encode() not in text and PASSPHRASE.encode() not in text
            # nobody but root reads its memory, and it leaves no core
            assert pathlib.Path(f"/proc/{pid}/mem").stat().st_uid == 0
            assert re.search(r"Max core file size\s+0\s+0", pathlib.Path(f"/proc/{pid}/limits").read_text())
    found = ca.host.run(f"grep -rlE '{PIN}|{PASSPHRASE}' /etc/certsrv /var/lib/certsrv /run/certsrv", check=False)
    assert found.stdout == "" and PIN not in ca.text()


def renew(ca, *words, form="pem"):
    ca.certsrv("ca", "renew", *words)
    assert "waits" in ca.certsrv("ca", "list").stdout
    starts = len(re.findall("ready: CA", ca.text()))
    done = ca.certsrv("ca", "install-certificate", ca.answer(form), "--no-directory").stdout
    ca.tell_directory()
    if ca.process is not None:
        assert "reads it now" in done
        ca.wait_log("ready: CA", count=starts + 1, seconds=30)


def test_f27_rollovers_of_the_key(ca, pc1, build):
    """A new key in the TPM, the same again, a new one in a file; every certificate goes on being good."""
    client = Client(pc1, build)
    client.local_policy(7)
    # a software TPM talks to one process at a time
    with open(ca.host.path("/etc/certsrv/certsrv.conf"), "a", encoding="ascii") as conf:
        conf.write("workers = 1\n")
    kept = {0: ca.issued(pc1, "roll0")}
    assert [r["outcome"] for r in client.json("pulse", "--wait")["results"]] == ["issued"]
    for index, words, key in ((1, ("--new-key", "--key", "tpm:"), 1), (2, (), 1), (3, ("--new-key", "--key", "p384"), 3)):
        if index == 2:
            ca.stop()
            devices = [k["device"] for k in json.loads(ca.certsrv("key", "test", "--json").stdout)["keys"]]
            assert "SoftHSM" in devices[0] and "swtpm" in devices[1]
        renew(ca, *words, form="p7b" if index == 1 else "pem")
        if index == 2:
            ca.start()
        kept[index] = ca.issued(pc1, f"roll{index}", seconds=60)
        ca.await_crl(key)
    shown = json.loads(ca.certsrv("ca", "list", "--json").stdout)["certificates"]
    assert [(c["index"], c["key_index"], c["state"]) for c in shown] == \
        [(0, 0, "valid"), (1, 1, "valid"), (2, 1, "valid"), (3, 3, "signs")]
    assert len({issuer_key(kept[i], ca.host) for i in kept}) == 3
    assert issuer_key(kept[1], ca.host) == issuer_key(kept[2], ca.host)
    assert ca.host.path("/var/lib/certsrv/private/ca-3.key").read_text().startswith("-----BEGIN ENCRYPTED")
    for index, pem in kept.items():
        judge(ca, pem, index)
    # the member has its certificate still, and gets the next one
    assert client.json("pulse", "--wait")["results"] == []
    assert "valid" in client.run("store", "list").stdout or client.current(MACHINE, "cert.pem").exists()


def test_f27_revoked_on_the_list_of_the_key_that_signed(ca):
    row = [r for r in ca.rows("id, disp, issuer, hex(serial) as serial") if r["disp"] == 20 and r["issuer"] == 0][0]
    before = {k: ca.crl(k).stat().st_mtime_ns for k in (0, 1, 3)}
    ca.certsrv("revoke", str(row["id"]))
    end = time.monotonic() + 15
    while any(ca.crl(k).stat().st_mtime_ns == before[k] for k in before) and time.monotonic() < end:
        time.sleep(0.1)
    serials = {}
    for k in before:
        text = ca.host.run("openssl", "crl", "-inform", "DER", "-noout", "-text", "-in",
                           f"/var/lib/certsrv/crl/{ca.crl(k).name}").stdout
        serials[k] = set(re.findall(r"Serial Number: ([0-9A-F]+)", text))
    assert serials == {0: {row["serial"]}, 1: set(), 3: set()}, serials
