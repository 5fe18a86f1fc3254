# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A CA on ca1 with a few objects in the directory, put there straight on the DC's database: these
tests are about certsrvd alone."""
import base64
import json
import pathlib
import re
import time

from lab import BASE_DN

CONFIG_DN = f"CN=Configuration,{BASE_DN}"
PKS_DN = f"CN=Public Key Services,CN=Services,{CONFIG_DN}"
UID_BASE = 860000  # numeric users, so that nothing is left in the machine's passwd
ENROLL = "0e10c968-78fb-11d2-90d4-00c04f79dc55"
AUTOENROLL = "a05b8cc2-17bc-4802-a710-e7c15ab866a2"
ONE_YEAR = "AEA5hy7h/v8="
SIX_WEEKS = "AICmCv/e//8="

READ = "(A;;RPLCLORC;;;AU)"
FULL = "(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;DA)"


def enroll_for(*sids):
    return "".join(f"(OA;;CR;{right};;{sid})" for sid in sids for right in (ENROLL, AUTOENROLL))


def line(name, value):
    """One value of an entry; bytes in base64, numbers as the directory's signed 32 bits."""
    if isinstance(value, bytes):
        return f"{name}:: {base64.b64encode(value).decode()}"
    return f"{name}: {value - (1 << 32) if isinstance(value, int) and value >= 1 << 31 else value}"


def template_ldif(cn, oid, sddl, **over):
    """over: attributes with other values; a list for several, None for none."""
    usages = ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"]
    values = {
        "objectClass": ["top", "pKICertificateTemplate"], "cn": cn, "displayName": cn,
        "flags": 0x20040, "revision": 100, "msPKI-Template-Schema-Version": 2,
        "msPKI-Template-Minor-Revision": 1, "pKIDefaultKeySpec": 1, "pKIMaxIssuingDepth": 0,
        "msPKI-RA-Signature": 0, "msPKI-Enrollment-Flag": 0x20, "msPKI-Private-Key-Flag": 0,
        "msPKI-Certificate-Name-Flag": 0x18000000, "msPKI-Minimal-Key-Size": 2048,
        "pKIKeyUsage": b"\xa0\x00", "pKIExpirationPeriod": base64.b64decode(ONE_YEAR),
        "pKIOverlapPeriod": base64.b64decode(SIX_WEEKS), "pKICriticalExtensions": "2.5.29.15",
        "msPKI-Cert-Template-OID": oid, "pKIExtendedKeyUsage": usages,
        "nTSecurityDescriptor": f"O:DAG:DAD:{sddl}",
    } | over
    if "ekus" in values:
        values["pKIExtendedKeyUsage"] = list(values.pop("ekus"))
    values.setdefault("msPKI-Certificate-Application-Policy", values["pKIExtendedKeyUsage"])
    lines = [f"dn: CN={cn},CN=Certificate Templates,{PKS_DN}"]
    for name, value in values.items():
        for one in value if isinstance(value, list) else [] if value is None else [value]:
            lines.append(line(name, one))
    return "\n".join(lines) + "\n\n"


def service_ldif(name, dns, pem, templates):
    der = "".join(pem.split("-----")[2].split())
    return "\n".join([
        f"dn: CN={name},CN=Enrollment Services,{PKS_DN}", "objectClass: top",
        "objectClass: pKIEnrollmentService", f"cn: {name}", f"displayName: {name}", "flags: 10",
        f"dNSHostName: {dns}", f"cACertificate:: {der}", f"cACertificateDN: CN={name}",
        *[f"certificateTemplates: {t}" for t in templates],
        f"nTSecurityDescriptor: O:DAG:DAD:{READ}{FULL}{enroll_for('AU')}"]) + "\n\n"


class Ca:
    """certsrvd on ca1."""

    name = "Lab CA"

    def __init__(self, lab, build, key="rsa2048"):
        self.lab = lab
        self.host = lab.ca1
        self.build = build
        self.program = build / "prog/certsrvd/certsrvd"
        self.log = pathlib.Path(self.host.path("/var")) / "certsrvd.log"
        self.process = None
        self.key = key
        self.options = ()  # of certsrv-local
        self.oid = {}  # of the templates

    def setup(self, templates):
        self.host.run("rm -rf /etc/certsrv /var/lib/certsrv")
        self.host.run(self.build / "prog/certsrvd/certsrv-local", *self.options, self.name, self.host.fqdn, self.key,
                      UID_BASE)
        self.install()
        conf = self.host.path("/etc/certsrv/certsrv.conf")
        # one machine asks for all of them here, and for servers' names; test_limits.py has bounds of its own, and so has
        # test_requests.py for names
        conf.write_text(conf.read_text().replace("[ca]\n", "[ca]\nany-host-names = *\n", 1) +
                        "\n[listen]\nrequests-per-minute = 0\nmax-connections-per-account = 60000\n")
        pem = self.host.path("/etc/certsrv/ca.pem").read_text()
        self.ldb("ldbdel", f"CN={self.name},CN=Enrollment Services,{PKS_DN}", check=False)
        self.forget_templates()
        ldif = service_ldif(self.name, self.host.fqdn, pem, templates)
        for i, (cn, text) in enumerate(templates.items()):
            sddl, over = text
            self.oid[cn] = f"1.3.6.1.4.1.311.21.8.1.2.3.{i + 1}"
            ldif += template_ldif(cn, self.oid[cn], sddl, **over)
        self.ldb("ldbadd", input=ldif)

    def install(self):
        """The certificate of a CA that is no root, before the directory hears of it."""

    def trust(self):
        """The directory names the CA's certificate as a root and as an intermediate."""
        der = "".join(self.host.path("/etc/certsrv/ca.pem").read_text().split("-----")[2].split())
        for container in ("Certification Authorities", "AIA"):
            dn = f"CN={self.name},CN={container},{PKS_DN}"
            self.ldb("ldbdel", dn, check=False)
            self.ldb("ldbadd", input=f"dn: {dn}\nobjectClass: certificationAuthority\ncACertificate:: {der}\n"
                                     "authorityRevocationList:: AA==\ncertificateRevocationList:: AA==\n\n")

    def forget_templates(self):
        """A file of tests begins without those of the files before: their OIDs are the same."""
        found = self.ldb("ldbsearch", "-b", f"CN=Certificate Templates,{PKS_DN}", "-s", "one", "dn").stdout
        for dn in re.findall(r"^dn: (.+)$", found.replace("\n ", ""), re.M):
            self.ldb("ldbdel", dn)

    def ldb(self, tool, *words, input=None, check=True):
        return self.lab.dc1.run(tool, "-H", "/var/lib/samba/private/sam.ldb", *words, input=input,
                                check=check)

    def start(self, *options, directory=True):
        """directory: wait until it has read the templates as well."""
        self.log.write_bytes(b"")
        self.process = self.host.start(self.program, "-f", *options, log=self.log,
                                       env={"ASAN_OPTIONS": "detect_leaks=0"})
        self.wait_log("ready: CA")
        if directory:
            self.wait_log("directory: [1-9][0-9]* templates")

    def stop(self):
        if self.process is not None:
            code = self.process.stop()
            self.process = None
            return code

    def text(self):
        return self.log.read_text(errors="replace")

    def wait_log(self, pattern, seconds=15, count=1, since=0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if len(re.findall(pattern, self.text()[since:])) >= count:
                return
            if self.process.popen.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"no {pattern!r} x {count} in the log of certsrvd:\n{self.text()}")

    def pids(self, role):
        """Pids (as the machine counts) of one role of this CA, in the order of their index."""
        found = []
        for p in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (p / "cmdline").read_bytes().split(b"\0")
                parent = int(re.search(r"PPid:\s+(\d+)", (p / "status").read_text())[1])
            except (OSError, TypeError):
                continue
            if parent == self.process.pid and b"--role" in words \
                    and words[words.index(b"--role") + 1] == role.encode():
                found.append((int(words[words.index(b"--index") + 1]), int(p.name)))
        return [pid for _, pid in sorted(found)]

    def events(self, number=None):
        path = self.host.path("/var/lib/certsrv/events.jsonl")
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [e for e in lines if number is None or e.get("event") == str(number)]

    def rows(self, columns="id, disp"):
        """Rows of the database, read beside the running server."""
        out = self.host.run("sqlite3", "-json", "file:/var/lib/certsrv/db/ca.sqlite?mode=ro",
                            f"select {columns} from request order by id").stdout
        return json.loads(out or "[]")


def make_csr(host, name, key="rsa:2048", subject="/CN=ignored"):
    """A key and a request in /run of the host; returns the request's path there."""
    kind = ["-newkey", key] if key.startswith("rsa") else \
        ["-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{key}"]
    host.run("openssl", "req", "-new", "-nodes", "-sha256", *kind, "-subj", subject,
             "-keyout", f"/run/{name}.key", "-out", f"/run/{name}.csr")
    return f"/run/{name}.csr"


def icpr(host, server, csr, *options, timeout=60):
    """One call, or several; the last answer.  kvno fetches the ticket, because Samba's KDC refuses
    impacket's own TGS request (its authenticator has no checksum)."""
    if "--anonymous" not in options:
        host.run("kvno", "-q", f"host/{server.partition(':')[0]}")
    script = pathlib.Path(__file__).with_name("icpr.py")
    out = host.run("/usr/bin/python3", script, server, csr, *options, check=False,
                   timeout=timeout).stdout
    return json.loads(out.splitlines()[-1])


def dcom(host, server, method, ca, *options, timeout=60):
    """One DCOM call; the answer."""
    host.run("kvno", "-q", f"host/{server}")
    script = pathlib.Path(__file__).with_name("dcom.py")
    out = host.run("/usr/bin/python3", script, server, method, ca, *options, check=False,
                   timeout=timeout).stdout
    return json.loads(out.splitlines()[-1])
