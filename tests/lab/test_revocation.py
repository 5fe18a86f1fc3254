# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""What the world learns of a revocation: base and delta CRLs, in files, in the directory and over HTTP; OCSP;
figures.  Judged by OpenSSL, GnuTLS and NSS, from another host."""
import base64
import errno
import json
import os
import re
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

import wcce
from ca import PKS_DN
from test_approval import certsrv, crl, machine_cert, serial_of  # noqa: F401

NUMBER, DELTA_OF, FRESHEST = "2.5.29.20", "2.5.29.27", "2.5.29.46"
NEXT_PUBLISH = "1.3.6.1.4.1.311.21.4"
GET = """
import base64, http.client, json, sys
host, port, method, path, body, headers = json.loads(sys.stdin.read())
c = http.client.HTTPConnection(host, port, timeout=20)
c.request(method, path, base64.b64decode(body) if body else None, headers)
r = c.getresponse()
print(json.dumps([r.status, {k.lower(): v for k, v in r.getheaders()}, base64.b64encode(r.read()).decode()]))
"""
SLOW = """
import socket, sys, time
c = socket.create_connection((sys.argv[1], 80))
begun = time.monotonic()
c.settimeout(0.5)
c.send(b"GET /crl/Lab%20CA.crl HTTP/1.1\\r\\nHost: x\\r\\n")
try:
    while time.monotonic() - begun < 30:
        c.send(b"X")
        try:
            if c.recv(1) == b"":
                break
        except socket.timeout:
            pass
except OSError:
    pass
print(time.monotonic() - begun)
"""


@pytest.fixture(scope="module")
def web(ca):
    """The CA with delta CRLs, HTTP, OCSP and figures."""
    name = ca.host.fqdn
    url = f"http://{name}/crl/Lab%20CA"
    conf = ca.host.path("/etc/certsrv/certsrv.conf")
    before = conf.read_text()
    ca.configure("ca", crl_delta_period="1d", cdp=f"{url}.crl", delta_cdp=f"{url}+.crl", ocsp=f"http://{name}/ocsp",
                 aia=f"http://{name}/aia/Lab%20CA.crt")
    ca.configure("http", address="0.0.0.0", requests_per_second="0")
    ca.configure("metrics", port="9464", file="/run/certsrv.prom")
    ca.ldb("ldbdel", f"CN={ca.name},CN=ca1,CN=CDP,{PKS_DN}", check=False)
    ca.restart()
    ca.wait_log("new certificate for OCSP")
    ca.wait_log(r"base CRL number \d+ was published")
    ca.slow = ca.lab.pc1.start("/usr/bin/python3", "-c", SLOW, ca.host.fqdn, log=ca.lab.pc1.path("/run/slow.log"))
    yield ca
    conf.write_text(before)
    ca.restart()


def fetch(ca, path, method="GET", body=b"", headers=None, port=80, host=None):
    wanted = [ca.host.fqdn, port, method, path, base64.b64encode(body).decode(), headers or {}]
    if host is not None:
        wanted[0] = "127.0.0.1"
    out = (host or ca.lab.pc1).run("/usr/bin/python3", "-c", GET, input=json.dumps(wanted)).stdout
    status, got, data = json.loads(out)
    return status, got, base64.b64decode(data)


def extension(lst, oid):
    return lst.extensions.get_extension_for_oid(x509.ObjectIdentifier(oid)).value


def has(lst, oid):
    return oid in [e.oid.dotted_string for e in lst.extensions]


def delta(ca):
    return x509.load_der_x509_crl(ca.host.path(f"/var/lib/certsrv/crl/{ca.name}+.crl").read_bytes())


def reason_in(lst, serial):
    entry = lst.get_revoked_certificate_by_serial_number(serial)
    if entry is None:
        return None
    found = [e.value.reason.value for e in entry.extensions if e.oid.dotted_string == "2.5.29.21"]
    return found[0] if found else "unspecified"


def wait_delta(ca, serial, reason):
    for _ in range(150):
        if reason_in(delta(ca), serial) == reason:
            return delta(ca)
        time.sleep(0.1)
    raise AssertionError(f"the delta CRL says {reason_in(delta(ca), serial)}, not {reason}")


def with_issuer(ca, answer):
    pc1 = ca.lab.pc1
    pc1.path("/run/ee.pem").write_text(wcce.pem(answer["cert"]))
    pc1.path("/run/ca.pem").write_text(ca.host.path("/etc/certsrv/ca.pem").read_text())
    return pc1


def test_deltas_over_a_hold(web, certsrv):  # noqa: F811
    ca = web
    base = crl(ca)
    held, gone = machine_cert(ca), machine_cert(ca)
    certsrv("revoke", f"{serial_of(held):034x}", "--hold")
    wait_delta(ca, serial_of(held), "certificateHold")
    certsrv("revoke", gone["id"], "--reason", "superseded")
    d = wait_delta(ca, serial_of(gone), "superseded")
    # the base stays as it was, the delta refers to it, and their numbers rise together
    assert crl(ca).fingerprint(hashes.SHA256()) == base.fingerprint(hashes.SHA256())
    number = extension(base, NUMBER).crl_number
    assert extension(d, DELTA_OF).crl_number == number < extension(d, NUMBER).crl_number
    assert d.extensions.get_extension_for_oid(x509.ObjectIdentifier(DELTA_OF)).critical
    assert has(base, FRESHEST) and not has(d, FRESHEST) and has(d, NEXT_PUBLISH)
    assert extension(base, FRESHEST)[0].full_name[0].value.endswith("/crl/Lab%20CA+.crl")
    assert d.next_update < base.next_update
    # OpenSSL puts the two together
    pc1 = with_issuer(ca, gone)
    ca.host.run("sh", "-c", "cd /var/lib/certsrv/crl && for f in 'Lab CA' 'Lab CA+'; do "
                "openssl crl -inform DER -in \"$f.crl\"; done > /run/both.pem")
    pc1.path("/run/both.pem").write_text(ca.host.path("/run/both.pem").read_text())
    judged = pc1.run("openssl", "verify", "-crl_check", "-extended_crl", "-use_deltas", "-CRLfile", "/run/both.pem",
                     "-CAfile", "/run/ca.pem", "/run/ee.pem", check=False)
    assert "certificate revoked" in judged.stdout + judged.stderr
    # released: the delta takes it off the list, the next base has forgotten it
    certsrv("revoke", f"{serial_of(held):034x}", "--release")
    wait_delta(ca, serial_of(held), "removeFromCRL")
    certsrv("crl", "publish")
    for _ in range(100):
        if extension(crl(ca), NUMBER).crl_number > number and extension(delta(ca), DELTA_OF).crl_number > number:
            break
        time.sleep(0.1)
    assert reason_in(crl(ca), serial_of(held)) is None and reason_in(crl(ca), serial_of(gone)) == "superseded"
    assert len(delta(ca)) == 0
    good = with_issuer(ca, held)
    judged = good.run("openssl", "verify", "-CAfile", "/run/ca.pem", "/run/ee.pem")
    assert judged.stdout.strip().endswith("OK")
    # GnuTLS reads both
    for name in ("Lab CA", "Lab CA+"):
        ca.host.run("certtool", "--inder", "--crl-info", "--infile", f"/var/lib/certsrv/crl/{name}.crl")


def test_both_are_in_the_directory(web, certsrv):  # noqa: F811
    """An object as setup makes it takes base and delta; one that is not there is told of."""
    ca = web
    assert ca.events(74) and ca.events(75)
    folder = f"CN={ca.host.name},CN=CDP,{PKS_DN}"
    dn = f"CN={ca.name},{folder}"
    ca.ldb("ldbadd", input=f"dn: CN=CDP,{PKS_DN}\nobjectClass: container\n\n", check=False)
    ca.ldb("ldbadd", input=f"dn: {folder}\nobjectClass: container\n\n", check=False)
    ca.ldb("ldbadd", input=f"dn: {dn}\nobjectClass: cRLDistributionPoint\ncertificateRevocationList:: AA==\n"
           f"nTSecurityDescriptor: O:DAG:DAD:(A;;RPLCLORC;;;AU)(A;;RPWP;;;{ca.sid('CA1$')})\n\n")
    try:
        certsrv("crl", "publish")
        ca.wait_log(r"base CRL number \d+ is in the directory")
        ca.wait_log(r"delta CRL number \d+ is in the directory")
        found = ca.lab.ldbsearch("(objectClass=cRLDistributionPoint)", "certificateRevocationList", "deltaRevocationList",
                                 base=dn)[0]
    finally:
        ca.ldb("ldbdel", dn)
        ca.ldb("ldbdel", folder)
    assert found["certificateRevocationList"][0] == ca.host.path(f"/var/lib/certsrv/crl/{ca.name}.crl").read_bytes()
    assert has(x509.load_der_x509_crl(found["deltaRevocationList"][0]), DELTA_OF)
    assert ca.events(72) and ca.events(73)


def test_files_over_http(web):
    ca = web
    status, headers, body = fetch(ca, "/crl/Lab%20CA.crl")
    assert status == 200 and headers["content-type"] == "application/pkix-crl"
    assert body == ca.host.path(f"/var/lib/certsrv/crl/{ca.name}.crl").read_bytes()
    assert fetch(ca, "/crl/Lab%20CA.crl", headers={"If-None-Match": headers["etag"]})[0] == 304
    status, headers, body = fetch(ca, "/crl/Lab%20CA+.crl", "HEAD")
    assert status == 200 and int(headers["content-length"]) > 100 and body == b""
    status, headers, body = fetch(ca, "/aia/Lab%20CA.crt")
    assert status == 200 and headers["content-type"] == "application/pkix-cert" and body == ca.der
    for path in ("/", "/crl/", "/crl/..%2f..%2f..%2f..%2fetc%2fpasswd.crl", "/crl/%2e%2e/db/ca.sqlite", "/crl/.hidden.crl",
                 "/crl/events.jsonl", "/metrics", "/aia/Other.crt"):
        assert fetch(ca, path)[0] == 404, path
    assert fetch(ca, "/crl/Lab%20CA.crl", "PUT", b"x")[0] == 405
    # what is issued names these places
    issued = wcce.certificate(machine_cert(ca)["cert"])
    aia = [(a.access_method.dotted_string[-1], a.access_location.value) for a in extension(issued, "1.3.6.1.5.5.7.1.1")]
    assert ("1", f"http://{ca.host.fqdn}/ocsp") in aia and ("2", f"http://{ca.host.fqdn}/aia/Lab%20CA.crt") in aia


def ask_openssl(pc1, ca, *words):
    out = pc1.run("openssl", "ocsp", "-issuer", "/run/ca.pem", "-CAfile", "/run/ca.pem", "-url",
                  f"http://{ca.host.fqdn}/ocsp", *words, check=False)
    return out.stdout + out.stderr


def test_ocsp_says_good_revoked_unknown(web, certsrv):  # noqa: F811
    ca = web
    answer = machine_cert(ca)
    pc1 = with_issuer(ca, answer)
    for words in ((), ("-no_nonce",), ("-sha256",), ("-no_nonce", "-sha256")):
        out = ask_openssl(pc1, ca, *words, "-cert", "/run/ee.pem")
        assert "Response verify OK" in out and "/run/ee.pem: good" in out, out
    # asked again without a nonce, it is the same response
    der = ocsp.OCSPRequestBuilder().add_certificate(
        wcce.certificate(answer["cert"]), x509.load_der_x509_certificate(ca.der), hashes.SHA1()
    ).build().public_bytes(Encoding.DER)
    posted = fetch(ca, "/ocsp", "POST", der, {"Content-Type": "application/ocsp-request"})
    got = fetch(ca, "/ocsp/" + base64.b64encode(der).decode().replace("/", "%2F").replace("+", "%2B"))
    assert posted[0] == got[0] == 200 and posted[2] == got[2]
    assert posted[1]["content-type"] == "application/ocsp-response" and "max-age=" in got[1]["cache-control"]
    signer = ocsp.load_der_ocsp_response(got[2]).certificates[0]
    assert [e.dotted_string for e in extension(signer, "2.5.29.37")] == ["1.3.6.1.5.5.7.3.9"]
    assert has(signer, "1.3.6.1.5.5.7.48.1.5")
    # GnuTLS asks, with a nonce
    out = pc1.run("ocsptool", f"--ask=http://{ca.host.fqdn}/ocsp", "--load-cert", "/run/ee.pem", "--load-issuer",
                  "/run/ca.pem", "--load-trust", "/run/ca.pem", "--nonce", check=False)
    assert "Certificate Status: good" in out.stdout and "Verifying OCSP Response: Success" in out.stdout, out
    # revoked: at once, whatever was kept
    certsrv("revoke", answer["id"], "--reason", "key-compromise")
    out = ask_openssl(pc1, ca, "-no_nonce", "-cert", "/run/ee.pem")
    assert "/run/ee.pem: revoked" in out and "Reason: keyCompromise" in out, out
    single = ocsp.load_der_ocsp_response(fetch(ca, "/ocsp", "POST", der)[2])
    assert single.certificate_status == ocsp.OCSPCertStatus.REVOKED
    # NSS believes it, too
    pc1.run("sh", "-c", "rm -rf /run/nss && mkdir /run/nss && certutil -N -d sql:/run/nss --empty-password && "
            "certutil -A -d sql:/run/nss -n ca -t CT,CT,CT -a -i /run/ca.pem && "
            "certutil -A -d sql:/run/nss -n ee -t ,, -a -i /run/ee.pem")
    out = pc1.run("ocspclnt", "-S", "ee", "-d", "sql:/run/nss", "-l", f"http://{ca.host.fqdn}/ocsp", "-t", "ca", check=False)
    assert "revoked" in (out.stdout + out.stderr).lower(), out
    # never issued; and several at once
    out = ask_openssl(pc1, ca, "-serial", "0x01020304", "-cert", "/run/ee.pem", "-serial", hex(serial_of(answer) + 1))
    assert "0x01020304: unknown" in out and "/run/ee.pem: revoked" in out and "Response verify OK" in out, out


def test_ocsp_of_others_and_of_nobody(web):
    ca = web
    pc1 = ca.lab.pc1
    pc1.run("sh", "-c", "cd /run && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout o.key "
            "-out other.pem -subj /CN=Other -days 2")
    out = pc1.run("openssl", "ocsp", "-issuer", "/run/other.pem", "-serial", "1", "-url", f"http://{ca.host.fqdn}/ocsp",
                  check=False)
    assert "unauthorized" in out.stdout + out.stderr
    # what is no request has an answer, and what is too large has none
    status, _, body = fetch(ca, "/ocsp", "POST", b"\x30\x03\x02\x01")
    assert status == 200 and body == bytes.fromhex("30030a0101")
    assert fetch(ca, "/ocsp/AAAA")[2] == bytes.fromhex("30030a0101")
    assert fetch(ca, "/ocsp/%00%00")[0] == 200
    assert fetch(ca, "/ocsp", "POST", b"x" * 9000)[0] == 413
    assert fetch(ca, "/elsewhere", "POST", b"x")[0] == 404


def test_a_crowd_of_one_address_is_bounded(web):
    ca = web
    closed = ca.lab.pc1.run("/usr/bin/python3", "-c", f"""
import socket
held = [socket.create_connection(("{ca.host.fqdn}", 80)) for _ in range(60)]
closed = 0
for c in held:
    c.settimeout(0.05)
    try:
        closed += c.recv(1) == b""
    except ConnectionError:
        closed += 1
    except socket.timeout:
        pass
print(closed)
""").stdout
    assert 60 - 32 <= int(closed) < 60
    assert fetch(ca, "/crl/Lab%20CA.crl", host=ca.host)[0] == 200


def test_slow_clients_are_cut_off(web):
    """Slowloris: a byte now and then, since the first of these tests, did not keep the connection."""
    assert web.slow.popen.wait(20) == 0
    assert 8 < float(web.lab.pc1.path("/run/slow.log").read_text().split()[-1]) < 20


def figures(ca):
    text = fetch(ca, "/metrics", port=9464, host=ca.host)[2].decode()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line[0] != "#"}


def test_golden_every_signature_is_counted(web):
    """Signatures as the signers count them, beside rows: a key that signs for somebody else shows."""
    def counted(least=0.0):  # processes tell their figures now and then
        end = time.monotonic() + 12
        while (now := figures(web)["certsrvd_signatures_total"]) < least and time.monotonic() < end:
            time.sleep(1)
        return now

    time.sleep(5.5)  # what was signed before is told by then
    before, rows = counted(1), len(web.rows())
    number = extension(crl(web), NUMBER).crl_number
    got = web.machine().run(*[("icpr", {"request": wcce.pkcs10(wcce.ec_key()), "attributes": "CertificateTemplate:MachineEc"})
                              for _ in range(3)])
    assert [a["disposition"] for a in got] == [wcce.ISSUED] * 3, got
    assert len(web.rows()) - rows == 3 and extension(crl(web), NUMBER).crl_number == number
    assert counted(before + 3) - before == 3


def test_figures(web):
    ca = web
    machine_cert(ca)
    status, headers, body = fetch(ca, "/metrics", port=9464, host=ca.host)
    text = body.decode()
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4")
    value = {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line[0] != "#"}
    assert value['certsrvd_requests_total{template="Machine",disposition="issued"}'] >= 1
    assert value['certsrvd_crl_number{key="0",kind="base"}'] == extension(crl(ca), NUMBER).crl_number
    assert value['certsrvd_crl_late{key="0",kind="delta"}'] == 0
    assert value['certsrvd_ocsp_certificates_total{status="revoked"}'] >= 1
    assert value["certsrvd_request_seconds_count"] >= value['certsrvd_request_seconds_bucket{le="0.002"}']
    assert value["certsrvd_signers_ready"] >= 1 and value["certsrvd_signatures_total"] > 3
    assert value["certsrvd_queued_bytes{to=\"db\"}"] == 0
    # one HELP and one TYPE before each name's samples
    names = re.findall(r"^# TYPE (\S+)", text, re.M)
    assert len(names) == len(set(names)) and {n.split("{")[0] for n in value} <= {
        m for n in names for m in (n, n + "_bucket", n + "_sum", n + "_count")}
    # not from elsewhere, and nothing else there
    assert fetch(ca, "/", port=9464, host=ca.host)[0] == 404
    with pytest.raises(Exception):
        fetch(ca, "/metrics", port=9464)
    for _ in range(200):
        if ca.host.path("/run/certsrv.prom").exists():
            break
        time.sleep(0.1)
    assert "certsrvd_requests_total" in ca.host.path("/run/certsrv.prom").read_text()


def test_http_has_no_keys_and_goes_nowhere(web):
    """The process that the world talks to: a user of its own, no way to connect, nothing to read but CRLs."""
    ca = web
    for role in ("http", "ocsp"):
        (pid,) = ca.pids(role)
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            status = f.read()
        uid = re.search(r"^Uid:\t(\d+)", status, re.M)[1]
        assert uid not in [re.search(r"^Uid:\t(\d+)", open(f"/proc/{p}/status", encoding="ascii").read(), re.M)[1]
                           for other in ("sign", "db", "ca", "rpc") for p in ca.pids(other)]
        assert "Seccomp:\t2" in status and "NoNewPrivs:\t1" in status


@pytest.mark.parametrize("role", ["http", "ocsp"])
def test_http_cannot_connect_open_or_exec(web, build, role):
    """From inside, as one who has broken in would: no connection, no program, and no file but the CRLs."""
    def call(number, *text):
        (pid,) = web.pids(role)
        return subprocess.run([build / "tests/tools/inject", str(pid), str(number), *text], capture_output=True, text=True,
                              timeout=60, check=True).stdout.strip()

    opens, socket, connect, execve = 2, 41, 42, 59
    for path in ("/etc/passwd", "/etc/certsrv/ca.pem", "/etc/krb5.keytab", "/var/lib/certsrv/db/ca.sqlite"):
        assert call(opens, path) in (str(-errno.EACCES), str(-errno.EPERM)), path
    own = call(opens, "/var/lib/certsrv/crl")
    assert (int(own) >= 0) == (role == "http"), own
    assert call(socket) in (str(-errno.EACCES), str(-errno.EPERM))
    for number in (connect, execve):
        before = web.text().count("forbidden system call")
        assert call(number) == "killed"
        web.wait_log("forbidden system call", count=before + 1)
        end = time.monotonic() + 10
        while not web.pids(role) and time.monotonic() < end:
            time.sleep(0.1)
    assert web.pids(role)


def test_a_signer_that_dies_takes_its_key_along(web):
    ca = web
    answer = machine_cert(ca)
    pc1 = with_issuer(ca, answer)
    known = len(re.findall("new certificate for OCSP", ca.text()))
    os.kill(ca.pids("sign")[0], 9)
    ca.wait_log("new certificate for OCSP", count=known + 1, seconds=20)
    out = ask_openssl(pc1, ca, "-cert", "/run/ee.pem")
    assert "Response verify OK" in out and "/run/ee.pem: good" in out, out


def test_f19_numbers_rise_over_a_restore(web, certsrv):  # noqa: F811
    """A database from before: what was published counts."""
    ca = web
    number = extension(delta(ca), NUMBER).crl_number
    assert ca.stop() == 0
    assert ca.events(38)[-1]["ca"] == ca.name and ca.events(93)  # nobody put the lab's CA into NTAuth
    ca.host.run("sqlite3", "/var/lib/certsrv/db/ca.sqlite", "update crl_number set number = 1")
    ca.start()
    ca.wait_log("the database was put back to an older state")
    assert ca.stop() == 0
    certsrv("restore", "acknowledge")
    ca.start()
    for _ in range(100):
        if extension(delta(ca), NUMBER).crl_number > number:
            break
        time.sleep(0.1)
    assert extension(crl(ca), NUMBER).crl_number > number
