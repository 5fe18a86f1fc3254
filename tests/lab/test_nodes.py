# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Two certsrvd serve one CA from one PostgreSQL: ca1 by a Unix socket, pc1 (as a second host of the CA) by
TCP with a password.  One DNS name, one service account, any node answers anything."""
import base64
import concurrent.futures
import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

import wcce
from ca import PKS_DN
from labca import LabCa
from pgserver import PASSWORD, PgServer
from wcce import ISSUED, PENDING, Witness

MACHINE, EC = "CertificateTemplate:Machine", "CertificateTemplate:MachineEc"


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

    def rows(self):
        return self.server.sql("select id, disp, encode(csr, 'hex') as csr, encode(serial, 'hex') as serial"
                               " from request order by id")

    def certsrv(self, node, *words, check=True):
        return node.host.run(node.build / "prog/certsrv/certsrv", *words, check=check,
                             env={"ASAN_OPTIONS": "detect_leaks=0"})

    def crl(self, node):
        return json.loads(self.certsrv(node, "crl", "show", "--json").stdout)

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


@pytest.fixture(scope="module")
def nodes(ca):
    server = PgServer(ca.host)
    server.make()
    assert ca.stop() == 0, ca.text()
    pair = Pair(ca, server)
    before = ca.rows("id, disp")
    # from the file to the server, and on from there
    said = json.loads(pair.certsrv(ca, "db", "copy", "--json", server.local).stdout)
    assert said["requests"] == len(before) and said["links"] > 0
    assert [(r["id"], r["disp"]) for r in pair.rows()] == [(r["id"], r["disp"]) for r in before]
    for dn in (f"CN=CDP,{PKS_DN}", CDP_FOLDER):
        ca.ldb("ldbadd", input=f"dn: {dn}\nobjectClass: container\n\n", check=False)
    ca.ldb("ldbadd", input=f"dn: {CDP_DN}\nobjectClass: cRLDistributionPoint\ncertificateRevocationList:: AA==\n"
           f"nTSecurityDescriptor: O:DAG:DAD:(A;;RPLCLORC;;;AU)(A;;RPWP;;;{ca.sid('CA1$')})\n\n")
    ca.configure("database", server=server.local)
    pair.second.join(server)
    ca.start()
    pair.second.start()
    ca.lab.pc1.kinit_machine()
    yield pair
    pair.second.stop()
    ca.stop()
    server.stop()
    ca.configure("database", server="")
    ca.ldb("ldbdel", CDP_DN)
    ca.start()


@pytest.fixture(autouse=True)
def ticket(nodes):
    nodes.lab.pc1.kinit_machine()


def test_any_node_answers(nodes):
    """By impacket at each; again at the other one: the same answer."""
    for node, other in (nodes.both, nodes.both[::-1]):
        request = wcce.pkcs10(wcce.ec_key())
        first = nodes.ask(node, request)
        assert first["disposition"] == ISSUED, first
        second = nodes.ask(other, request)
        assert (second["id"], second["cert"]) == (first["id"], first["cert"])
    request = wcce.pkcs10(wcce.rsa_key())
    waits = nodes.ask(nodes.first, request, attributes="CertificateTemplate:Pending")
    assert waits["disposition"] == PENDING
    nodes.certsrv(nodes.second, "request", "approve", waits["id"])
    got = nodes.ask(nodes.first, None, id=waits["id"], attributes="", blob="")
    assert got is not None and got["disposition"] == ISSUED
    bytes_used = {r["serial"][:2] for r in nodes.rows()[-3:]}
    assert bytes_used == {"01", "02"}


def test_our_client_at_both(nodes, build):
    """DCOM: a client activated at one node may go on at the other, so names lead to either."""
    pc1, hosts = nodes.lab.pc1, nodes.lab.pc1.path("/etc/hosts")
    plain = hosts.read_text()
    for i, node in enumerate(nodes.both):
        path = f"/run/nodes{i}.der"
        pc1.path(path).write_bytes(wcce.pkcs10(wcce.rsa_key()))
        hosts.write_text(f"{node.host.address} {nodes.first.host.fqdn}\n{plain}")
        try:
            for way in ("dcom", "icpr"):
                done = pc1.run(build / "tests/lab/ca_ask", nodes.first.host.fqdn, nodes.first.name, way, "request",
                               path, MACHINE, check=False)
                got = json.loads(done.stdout)
                assert got["rc"] == "AE_OK" and got["disposition"] == ISSUED, (node.host.name, way, got)
        finally:
            hosts.write_text(plain)


def test_one_crl_for_both(nodes):
    """Revoked at the node that did not make the last one; both have the next one, and so has the directory."""
    number = nodes.wait_same_crl()
    serial = [r["serial"] for r in nodes.rows() if r["disp"] == 20][-1]
    nodes.certsrv(nodes.second, "revoke", serial, "--reason", "superseded")
    newer = nodes.wait_same_crl(above=number)
    paths = [n.host.path("/var/lib/certsrv/crl") / "Lab CA.crl" for n in nodes.both]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    kept = nodes.numbers_kept()
    assert kept == sorted(set(kept)) and kept[-1] == newer
    end = time.monotonic() + 15
    while nodes.in_directory() != paths[0].read_bytes():
        assert time.monotonic() < end, nodes.first.text() + nodes.second.text()
        time.sleep(0.3)


def test_killed_and_stopped_in_a_burst(nodes):
    """One node is killed, the other one stopped and woken, while requests come in: one certificate for each,
    every serial number once, one audit chain, CRL numbers that only rise."""
    requests = [wcce.pkcs10(wcce.ec_key()) for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(nodes.until_issued, r, i) for i, r in enumerate(requests)]
        time.sleep(0.7)
        nodes.second.everybody(signal.SIGSTOP)
        nodes.certsrv(nodes.first, "crl", "publish", check=False)
        time.sleep(3.2)
        nodes.second.everybody(signal.SIGCONT)
        nodes.first.process.send(signal.SIGKILL)
        nodes.first.process.popen.wait(10)
        nodes.first.start()
        answers = [f.result(timeout=120) for f in asked]
    rows = nodes.rows()
    for request, answer in zip(requests, answers):
        mine = [r for r in rows if r["csr"] == request.hex() and r["disp"] in (8, 9, 20, 21)]
        assert [r["id"] for r in mine if r["disp"] == 20] == [answer["id"]], mine
    serials = [r["serial"] for r in rows if r["serial"]]
    assert len(serials) == len(set(serials))
    nodes.certsrv(nodes.second, "crl", "publish", "--wait", "20")
    kept = nodes.numbers_kept()
    assert kept == sorted(set(kept))
    nodes.wait_same_crl(above=kept[-1] - 1)
    assert "whole" in nodes.certsrv(nodes.first, "audit", "verify").stdout
