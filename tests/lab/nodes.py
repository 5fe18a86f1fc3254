# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Two certsrvd that serve one CA from one PostgreSQL: ca1 by a Unix socket, pc1 (as a second host of the CA)
by TCP with a password."""
import base64
import json
import os
import re
import shutil
import signal
import subprocess
import time

from ca import PKS_DN
from labca import LabCa
from pgserver import PASSWORD
from wcce import ISSUED, Witness

EC = "CertificateTemplate:MachineEc"
CDP_FOLDER = f"CN=ca1,CN=CDP,{PKS_DN}"
CDP_DN = f"CN=Lab CA,{CDP_FOLDER}"


class Node(LabCa):
    """The CA's second node: what ca1 has, with a byte of its own in serial numbers."""

    def __init__(self, first, host):
        super().__init__(first.lab, first.build)
        self.first, self.host, self.oid = first, host, first.oid
        self.log = host.path("/var") / "certsrvd.log"

    def join(self, server):
        for path in ("/etc/certsrv", "/var/lib/certsrv"):
            shutil.rmtree(self.host.path(path), ignore_errors=True)
            self.host.path(path).parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-a", self.first.host.path(path), self.host.path(path)], check=True)
        shutil.rmtree(self.host.path("/var/lib/certsrv/crl"))  # it gets them from the database
        self.host.run("install -d -m 755 /var/lib/certsrv/crl")
        shutil.copy(self.first.host.path("/etc/krb5.keytab"), self.host.path("/etc/certsrv/ca1.keytab"))
        self.password(self.host)
        self.configure("ca", serial_instance=2)
        self.configure("database", server=server.remote, password_file="/etc/certsrv/db.password")
        self.configure("http", address="0.0.0.0", requests_per_second="0")
        self.configure("directory", account=self.first.host.account, keytab="/etc/certsrv/ca1.keytab")

    @staticmethod
    def password(host):
        path = host.path("/etc/certsrv/db.password")
        path.write_text(PASSWORD + "\n")
        path.chmod(0o600)

    def everybody(self, number):
        """A signal to all processes of this node."""
        for role in ("rpc135", "rpc", "auth", "ca", "ad", "db", "sign", "http", "ocsp"):
            for pid in self.pids(role):
                os.kill(pid, number)
        self.process.send(number)
        if number == signal.SIGCONT:
            os.kill(self.process.popen.pid, number)  # who entered the host stands still with his child


class Pair:
    def __init__(self, ca, server):
        self.first, self.second, self.server = ca, Node(ca, ca.lab.pc1), server
        self.lab = ca.lab

    @property
    def both(self):
        return self.first, self.second

    def ask(self, node, request, timeout=60, **arguments):
        """impacket, as pc1, at that node; an answer, or None: busy, away, asleep."""
        where = f"ncacn_ip_tcp:{node.host.address}[49500]"
        try:
            answer = Witness(self.lab.pc1, self.first, binding=where).one(
                ("icpr", {"request": request, "attributes": EC, **arguments}), timeout=timeout)
        except (subprocess.TimeoutExpired, json.JSONDecodeError, AssertionError):
            return None
        return None if "error" in answer else answer

    def until_issued(self, request, n):
        """A client that goes on asking, one node after the other."""
        for i in range(40):
            answer = self.ask(self.both[(n + i) % 2], request, timeout=8)
            if answer is not None and answer.get("disposition") == ISSUED:
                return answer
            time.sleep(0.5)
        raise AssertionError("never issued")

    def make(self):
        """The CA moves from its file to the server, and its second node joins; what was moved."""
        ca = self.first
        assert ca.stop() == 0, ca.text()
        said = json.loads(self.certsrv(ca, "db", "copy", "--json", self.server.local).stdout)
        for dn in (f"CN=CDP,{PKS_DN}", CDP_FOLDER):
            ca.ldb("ldbadd", input=f"dn: {dn}\nobjectClass: container\n\n", check=False)
        ca.ldb("ldbadd", input=f"dn: {CDP_DN}\nobjectClass: cRLDistributionPoint\ncertificateRevocationList:: AA==\n"
               f"nTSecurityDescriptor: O:DAG:DAD:(A;;RPLCLORC;;;AU)(A;;RPWP;;;{ca.sid('CA1$')})\n\n")
        ca.configure("database", server=self.server.local)
        self.second.join(self.server)
        ca.start()
        self.second.start()
        ca.lab.pc1.kinit_machine()
        return said

    def end(self):
        self.second.stop()
        self.first.stop()
        self.server.stop()
        self.first.ldb("ldbdel", CDP_DN)

    def violations(self, requests, answers):
        """What is not as it must be after these were answered."""
        rows, bad = self.rows(), []
        for request, answer in zip(requests, answers):
            mine = [r["id"] for r in rows if r["csr"] == request.hex() and r["disp"] in (20, 21)]
            if mine != [answer["id"]]:
                bad.append(f"a request has the certificates {mine}, {answer['id']} was answered")
        serials = [r["serial"] for r in rows if r["serial"]]
        if len(serials) != len(set(serials)):
            bad.append("a serial number was given twice")
        kept = self.numbers_kept()
        if kept != sorted(set(kept)):
            bad.append(f"CRL numbers {kept}")
        done = self.certsrv(self.first, "audit", "verify", check=False)
        if "whole" not in done.stdout:
            bad.append(done.stdout + done.stderr)
        return bad

    def rows(self):
        return self.server.sql("select id, disp, encode(csr, 'hex') as csr, encode(serial, 'hex') as serial"
                               " from request order by id")

    def certsrv(self, node, *words, check=True):
        return node.host.run(node.build / "prog/certsrv/certsrv", *words, check=check,
                             env={"ASAN_OPTIONS": "detect_leaks=0"})

    def crl(self, node):
        return json.loads(self.certsrv(node, "crl", "show", "--json").stdout)

    def ocsp(self, node, serial):
        """What OpenSSL hears from that node, of a certificate of this serial number (hex), and believes."""
        pem = "/etc/certsrv/ca.pem"
        out = self.lab.pc1.run("openssl", "ocsp", "-issuer", pem, "-CAfile", pem, "-no_nonce", "-serial", f"0x{serial}",
                               "-url", f"http://{node.host.address}/ocsp", check=False)
        assert "Response verify OK" in out.stderr, out.stdout + out.stderr
        return out.stdout.split()[1]

    def wait_same_crl(self, above=0, seconds=20):
        end = time.monotonic() + seconds
        numbers = ()
        while time.monotonic() < end:
            try:
                numbers = tuple(int(self.crl(n)["number"]) for n in self.both)
                if numbers[0] == numbers[1] > above:
                    return numbers[0]
            except (AssertionError, KeyError, ValueError):
                pass
            time.sleep(0.3)
        raise AssertionError(f"CRLs {numbers} above {above}:\n{self.first.text()}\n{self.second.text()}")

    def in_directory(self):
        out = self.first.ldb("ldbsearch", "-b", CDP_DN, "-s", "base", "certificateRevocationList").stdout
        value = re.search(r"^certificateRevocationList:: (.+)$", out.replace("\n ", ""), re.M)
        return base64.b64decode(value[1])

    def numbers_kept(self):
        """Of every CRL that was published, in the order of the audit chain."""
        found = self.server.sql("select detail from audit where what = 'crl-kept' order by seq")
        return [int(re.search(r"(?:base|delta) (\d+) by", row["detail"])[1]) for row in found]
