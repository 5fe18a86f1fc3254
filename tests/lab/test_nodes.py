# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Two certsrvd serve one CA from one PostgreSQL.  One DNS name, one service account, any node answers
anything."""
import concurrent.futures
import json
import signal
import time

import pytest

import wcce
from nodes import Pair
from pgserver import PgServer
from test_archival import archive, archiving, enveloped, exchange, msblob  # noqa: F401
from wcce import ISSUED, PENDING

MACHINE = "CertificateTemplate:Machine"


@pytest.fixture(scope="module")
def nodes(ca, archive):  # noqa: F811
    server = PgServer(ca.host)
    server.make()
    pair = Pair(ca, server)
    before = ca.rows("id, disp")
    said = pair.make()
    assert said["requests"] == len(before) and said["links"] > 0
    assert [(r["id"], r["disp"]) for r in pair.rows()][:len(before)] == [(r["id"], r["disp"]) for r in before]
    yield pair
    pair.end()
    ca.configure("database", server="")
    # Its own database knows nothing of the CRLs that the nodes made: a step back, as it sees it.
    ca.host.run(ca.build / "prog/certsrv/certsrv", "restore", "acknowledge", "--offline",
                env={"ASAN_OPTIONS": "detect_leaks=0"})
    ca.start()


@pytest.fixture(autouse=True)
def ticket(nodes):
    nodes.lab.pc1.kinit_machine()


def test_any_node_answers(nodes):
    """By impacket at each; again at the other one: the same answer."""
    ids = []
    for node, other in (nodes.both, nodes.both[::-1]):
        request = wcce.pkcs10(wcce.ec_key())
        first = nodes.ask(node, request)
        assert first["disposition"] == ISSUED, first
        second = nodes.ask(other, request)
        assert (second["id"], second["cert"]) == (first["id"], first["cert"])
        ids.append(first["id"])
    request = wcce.pkcs10(wcce.rsa_key())
    waits = nodes.ask(nodes.first, request, attributes="CertificateTemplate:Pending")
    assert waits["disposition"] == PENDING
    nodes.certsrv(nodes.second, "request", "approve", waits["id"])
    got = nodes.ask(nodes.first, None, id=waits["id"], attributes="", blob="")
    assert got is not None and got["disposition"] == ISSUED
    # The nodes' own certificates stand between them.
    assert {r["serial"][:2] for r in nodes.rows() if r["id"] in ids} == {"01", "02"}


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


def test_f24_one_crl_for_both(nodes):
    """Revoked at the node that did not make the last one; both have the next one, and so has the directory."""
    number = nodes.wait_same_crl()
    *_, other, serial = [r["serial"] for r in nodes.rows() if r["disp"] == 20]
    assert nodes.ocsp(nodes.second, other) == "good"
    # at the first one; the second one's answers of before are void when it has the CRL
    nodes.certsrv(nodes.first, "revoke", other, "--reason", "superseded")
    number = nodes.wait_same_crl(above=number)
    assert nodes.ocsp(nodes.second, other) == "revoked"
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


def test_a_key_is_archived_at_any_node(nodes):
    """Encrypted to the exchange certificate of one node and sent to the other, and to itself after a restart, when
    its own key is gone from its memory."""
    first, second = nodes.both
    second.wait_log("a new exchange certificate")
    to = exchange(first)
    kept = nodes.server.sql("select encode(serial, 'hex') as serial, encode(sealed, 'hex') as sealed from exchange_key")
    assert f"{wcce.certificate(to).serial_number:034x}" in [row["serial"] for row in kept] and len(kept) >= 2
    ids = []
    for node in (second, first):
        if node is first:
            assert first.stop() == 0
            first.start()
        key = wcce.rsa_key()
        envelope = enveloped(first, msblob(first, key), to)
        answer = nodes.ask(node, archiving(key, envelope), attributes="CertificateTemplate:Archived")
        assert answer["disposition"] == ISSUED, (answer, node.text())
        ids.append(answer["id"])
    stored = nodes.server.sql("select request_id from archived_key order by request_id")
    assert [row["request_id"] for row in stored][-2:] == ids
    # who has the database alone cannot make the CA open anything with a key of his own
    nodes.server.sql("update exchange_key set sealed = decode('01', 'hex') || sealed")
    refused = nodes.ask(second, archiving(key, envelope), attributes="CertificateTemplate:Archived\nx:y")
    assert refused is None or refused["disposition"] != ISSUED


def test_f7_the_server_is_put_back(nodes):
    """A backup while both work, in one file. What a standby without the last commits looks like stops both
    nodes at the first of them that knows better. The backup comes back, over rows that are kept, and nothing
    is given out twice."""
    first, second = nodes.both
    certsrv = nodes.certsrv
    first.host.run("rm -rf /srv/pg.tar && mkdir -p /srv")
    before = nodes.ask(second, wcce.pkcs10(wcce.ec_key()))
    made = json.loads(certsrv(first, "backup", "/srv/pg.tar", "--json").stdout)
    assert made["path"] == "/srv/pg.tar" and "server" in made and made["last_request_id"] >= before["id"]
    names = first.host.run("tar", "tf", "/srv/pg.tar").stdout.split()
    assert names[0] == "manifest.json" and "files/var/lib/certsrv/db/ca.sqlite" in names
    assert not [n for n in names if "password" in n or n.endswith(".key")]
    assert "rows of PostgreSQL" in certsrv(first, "backup", "verify", "/srv/pg.tar", "--sha256", made["sha256"]).stdout
    later = nodes.ask(first, wcce.pkcs10(wcce.ec_key()))
    assert later["id"] > before["id"]

    nodes.server.sql("delete from audit where seq = (select max(seq) from audit)")
    refused = nodes.ask(first, wcce.pkcs10(wcce.ec_key()))
    assert refused is None or refused["disposition"] != ISSUED
    first.wait_log("the database went back")
    refused = nodes.ask(second, wcce.pkcs10(wcce.ec_key()))
    assert refused is None or refused["disposition"] != ISSUED
    second.wait_log("found by node 1")

    assert first.stop() == 0
    assert "nodes are connected" in certsrv(first, "restore", "/srv/pg.tar", "--replace", check=False).stderr
    assert second.stop() == 0
    assert "--replace" in certsrv(first, "restore", "/srv/pg.tar", check=False).stderr
    said = json.loads(certsrv(first, "restore", "/srv/pg.tar", "--replace", "--json").stdout)
    assert said["acknowledge"] and said["last_request_id"] == made["last_request_id"]
    kept = nodes.server.sql(f"select max(id) as id from {said['schema']}.request")
    assert kept[0]["id"] == later["id"] and nodes.rows()[-1]["id"] == made["last_request_id"]
    for node in nodes.both:
        # each has an anchor of its own, which knows what it gave: the second one nothing that is not there
        done = json.loads(certsrv(node, "restore", "acknowledge", "--json").stdout)
        assert done["acknowledged"] or node is second
    for node in nodes.both:
        node.start()
    for node in nodes.both:
        new = nodes.ask(node, wcce.pkcs10(wcce.ec_key()))
        assert new["disposition"] == ISSUED and new["id"] > later["id"]
    assert "whole" in certsrv(first, "audit", "verify").stdout


def test_f24_killed_and_stopped_in_a_burst(nodes):
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
    assert nodes.violations(requests, answers) == []
    nodes.certsrv(nodes.second, "crl", "publish", "--wait", "20")
    kept = nodes.numbers_kept()
    assert kept == sorted(set(kept))
    nodes.wait_same_crl(above=kept[-1] - 1)
