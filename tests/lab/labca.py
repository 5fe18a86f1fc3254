# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""The CA that tests of interoperability share, its templates, and the people who ask it.

    machine = ca.witness(ca.lab.pc1)
    answer = machine.one(("icpr", {"request": wcce.pkcs10(key), "attributes": "CertificateTemplate:Machine"}))
"""
import base64
import re

from ca import FULL, PKS_DN, READ, Ca, enroll_for, template_ldif
from wcce import Witness

CLIENT_AUTH, SERVER_AUTH = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"
AGENT = "1.3.6.1.4.1.311.20.2.1"
CDP = "http://pki.lab.example/lab.crl"
AIA = "http://pki.lab.example/lab.cer"

# msPKI-Certificate-Name-Flag
SUPPLIED, UPN, DNS, DNS_AS_CN, CN = 0x1, 0x02000000, 0x08000000, 0x10000000, 0x40000000

MACHINES = READ + FULL + enroll_for("DC")
USERS = READ + FULL + enroll_for("DU")
NAME, FLAG, SCHEMA = "msPKI-Certificate-Name-Flag", "msPKI-Enrollment-Flag", "msPKI-Template-Schema-Version"
USAGES, POLICIES = "pKIExtendedKeyUsage", "msPKI-Certificate-Application-Policy"

# cn: (who, what differs from ca.template_ldif)
TEMPLATES = {
    "Machine": (MACHINES, {}),
    "MachineOld": (MACHINES, {SCHEMA: 1, "msPKI-Cert-Template-OID": None, POLICIES: None, "revision": 5,
                              "msPKI-Template-Minor-Revision": None}),
    "MachineEc": (MACHINES, {SCHEMA: 4, "msPKI-Minimal-Key-Size": 256, "pKIKeyUsage": b"\x80\x00",
                             "msPKI-RA-Application-Policies": "msPKI-Asymmetric-Algorithm`PZPWSTR`ECDSA_P256`"
                             "msPKI-Hash-Algorithm`PZPWSTR`SHA256`msPKI-Key-Usage`DWORD`2`"}),
    "MachineStrong": (MACHINES, {"msPKI-Minimal-Key-Size": 3072}),
    "MachineUpn": (MACHINES, {NAME: UPN | DNS}),
    "Person": (USERS, {"flags": 0x20000, NAME: UPN | CN, USAGES: [CLIENT_AUTH]}),
    "Mail": (USERS, {"flags": 0x20000, NAME: 0x20000000 | CN, USAGES: [CLIENT_AUTH]}),
    "Web": (MACHINES, {NAME: SUPPLIED, USAGES: [SERVER_AUTH]}),
    "WebClient": (MACHINES, {NAME: SUPPLIED}),
    "AnyPurpose": (MACHINES, {USAGES: None, POLICIES: None}),
    "Pending": (MACHINES, {FLAG: 0x2}),
    "PendingPerson": (USERS, {"flags": 0x20000, NAME: UPN | CN, USAGES: [CLIENT_AUTH], FLAG: 0x2}),
    "NoSid": (MACHINES, {FLAG: 0x80000, USAGES: [SERVER_AUTH]}),
    "Constraints": (MACHINES, {FLAG: 0x8001, "pKICriticalExtensions": ["2.5.29.15", "2.5.29.19"]}),
    "Agents": (MACHINES, {"msPKI-RA-Signature": 1}),
    "Attested": (MACHINES, {"msPKI-Private-Key-Flag": 0x2400, "msPKI-Minimal-Key-Size": 256}),  # required, EK certificate
    "AttestedKey": (MACHINES, {"msPKI-Private-Key-Flag": 0x2800, "msPKI-Minimal-Key-Size": 256}),  # required, EK list
    "AttestLiked": (MACHINES, {"msPKI-Private-Key-Flag": 0x1400, "msPKI-Minimal-Key-Size": 256}),  # preferred
    "Archived": (MACHINES, {"msPKI-Private-Key-Flag": 0x1}),
    "Renewed": (MACHINES, {"msPKI-Supersede-Templates": "MachineEc", FLAG: 0x42}),
    "SameKey": (MACHINES, {"msPKI-Private-Key-Flag": 0x80}),
    "WebOld": (MACHINES, {NAME: SUPPLIED | 0x8, USAGES: [SERVER_AUTH]}),
    "KeyBased": (MACHINES, {NAME: SUPPLIED, USAGES: [SERVER_AUTH], FLAG: 0x10040}),
    "Published": (USERS, {"flags": 0x20000, NAME: UPN | CN, USAGES: [CLIENT_AUTH], FLAG: 0x8}),
    "Recovers": (USERS, {"flags": 0x20000, NAME: UPN | CN, USAGES: ["1.3.6.1.4.1.311.21.6"], FLAG: 0x4}),
    "Agent": (USERS, {"flags": 0x20000, NAME: UPN | CN, USAGES: [AGENT]}),
    "ForOthers": (USERS, {"flags": 0x20000, NAME: UPN | CN, USAGES: [CLIENT_AUTH], "msPKI-RA-Signature": 1,
                          "msPKI-RA-Application-Policies": AGENT}),
    "ForOthersTwice": (USERS, {"flags": 0x20000, NAME: UPN | CN, USAGES: [CLIENT_AUTH], "msPKI-RA-Signature": 2,
                               "msPKI-RA-Application-Policies": AGENT}),
    "Ruled": (MACHINES, {NAME: SUPPLIED, USAGES: [SERVER_AUTH]}),  # these two: for policy files
    "RuledPerson": (USERS, {"flags": 0x20000, NAME: UPN | CN, USAGES: [CLIENT_AUTH]}),
    "Nobody": (READ + FULL, {}),
    "Withheld": (MACHINES, {}),  # never offered by the CA
}


class LabCa(Ca):
    """Ca with its templates, settings for tests, and what tests ask of it."""

    name = "Lab CA"

    def setup(self, templates=None):
        templates = templates or TEMPLATES
        super().setup(templates)
        self.unpublish("Withheld")
        self.configure("ca", cdp=CDP, aia=AIA, any_host_names="Web")
        for name in ("WebOld", "KeyBased", "Ruled"):
            self.configure_more("ca", f"any-host-names = {name}")
        self.configure("directory", refresh="1s")
        self.der = self.pem_to_der(self.host.path("/etc/certsrv/ca.pem").read_text())

    @staticmethod
    def pem_to_der(pem):
        return base64.b64decode("".join(pem.split("-----")[2].split()))

    def configure(self, section, **values):
        """Sets keys of a section of certsrv.conf; counts from the next start."""
        path = self.host.path("/etc/certsrv/certsrv.conf")
        text = path.read_text()
        lines = "".join(f"{key.replace('_', '-')} = {value}\n" for key, value in values.items())
        for key in values:
            text = re.sub(rf"(?m)^{key.replace('_', '-')} = .*\n", "", text)
        if f"[{section}]\n" in text:
            text = text.replace(f"[{section}]\n", f"[{section}]\n{lines}")
        else:
            text += f"\n[{section}]\n{lines}"
        path.write_text(text)

    def configure_more(self, section, line):
        """One more line of a key that repeats."""
        path = self.host.path("/etc/certsrv/certsrv.conf")
        path.write_text(path.read_text().replace(f"[{section}]\n", f"[{section}]\n{line}\n"))

    def modify(self, ldif):
        self.ldb("ldbmodify", input=ldif)

    def unpublish(self, cn):
        self.modify(f"dn: CN={self.name},CN=Enrollment Services,{PKS_DN}\nchangetype: modify\n"
                    f"delete: certificateTemplates\ncertificateTemplates: {cn}\n\n")

    def add_template(self, cn, sddl, **over):
        """One more template, offered; returns when the CA knows it."""
        self.oid[cn] = f"1.3.6.1.4.1.311.21.8.1.2.4.{len(self.oid)}"
        self.ldb("ldbadd", input=template_ldif(cn, self.oid[cn], sddl, **over))
        self.modify(f"dn: CN={self.name},CN=Enrollment Services,{PKS_DN}\nchangetype: modify\n"
                    f"add: certificateTemplates\ncertificateTemplates: {cn}\n\n")
        self.wait_directory()

    def wait_directory(self):
        """Until the CA has read what was just changed."""
        line = r"directory: \d+ templates"
        self.wait_log(line, count=len(re.findall(line, self.text())) + 1)

    def restart(self):
        assert self.stop() == 0, self.text()
        self.start()

    # ---- people ----

    def witness(self, host, **session):
        """impacket as whoever has tickets on host."""
        return Witness(host, self, **session)

    def machine(self, host=None, **session):
        """impacket as the computer account of pc1."""
        host = host or self.lab.pc1
        host.kinit_machine()
        return Witness(host, self, **session)

    def person(self, name="alice", **session):
        self.lab.pc1.kinit(name, self.lab.user_password)
        return Witness(self.lab.pc1, self, **session)

    # ---- what it did ----

    def row(self, number, columns="id, disp, sid, account, template, hresult, message, attrs"):
        found = [r for r in self.rows(columns) if r["id"] == number]
        return found[0] if found else None

    def count(self):
        """Rows of requests: what the CA makes for itself comes when it comes."""
        return len([r for r in self.rows("account") if r["account"] != "the CA"])

    def sid(self, account):
        """objectSid of an account, from the DC's database."""
        return self.lab.ldbsearch(f"(sAMAccountName={account})", "objectSid")[0]["objectSid"][0]

    def log_since(self, mark):
        return self.text()[mark:]

    def mark(self):
        return len(self.text())

    def memory(self):
        """PSS in KiB of each process, by (role, pid)."""
        out = {}
        for role in ("rpc135", "rpc", "auth", "ca", "ad", "db", "sign"):
            for pid in self.pids(role):
                with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
                    out[role, pid] = int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M)[1])
        return out


