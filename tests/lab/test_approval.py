# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""What waits for a person: approved or denied by the CA's administrator, fetched by its requester
alone, after restarts and with today's permissions.  And what is taken back: revoked, on hold."""
import json
import re

import pytest
from cryptography import x509

import wcce
from ca import PKS_DN
from wcce import ISSUED, PENDING, TEMPLATE_DENIED

DENIED_BY_ADMIN, BAD_STATUS, EMPTY = 0x80094014, 0x80094003, 0x80094004
REVOKED = 6
WAIT = "CertificateTemplate:Pending"


@pytest.fixture
def certsrv(ca, build):
    def run(*words, code=0, uid=None):
        words = [build / "prog/certsrv/certsrv", *[str(w) for w in words]]
        if uid:
            words = ["setpriv", f"--reuid={uid}", "--clear-groups", *words]
        out = ca.host.run(*words, check=False, env={"ASAN_OPTIONS": "detect_leaks=0"})
        assert out.returncode == code, (words, out.returncode, out.stdout, out.stderr)
        return out.stdout + out.stderr
    return run


def submit(ca, key=None, request=None):
    answer = ca.machine().one(("icpr", {"request": request or wcce.pkcs10(key or wcce.rsa_key()), "attributes": WAIT}))
    assert answer["disposition"] == PENDING, answer
    return answer["id"]


def fetch(witness, number):
    return witness.one(("icpr", {"id": number, "blob": ""}))


def audit(ca, number):
    out = ca.host.run("sqlite3", "-json", "file:/var/lib/certsrv/db/ca.sqlite?mode=ro",
                      f"select what, who from audit where request_id = {number} order by seq").stdout
    return [(r["what"], r["who"]) for r in json.loads(out or "[]")]


def crl(ca):
    return x509.load_der_x509_crl(ca.host.path(f"/var/lib/certsrv/crl/{ca.name}.crl").read_bytes())


def serial_of(answer):
    return wcce.certificate(answer["cert"]).serial_number


def test_approved_and_picked_up(ca, certsrv):
    key = wcce.rsa_key()
    request = wcce.pkcs10(key)
    number = submit(ca, request=request)
    rows = json.loads(certsrv("request", "list", "--state", "pending", "--json"))["requests"]
    assert number in [r["id"] for r in rows]
    assert "Taken Under Submission" in certsrv("request", "show", number)
    ca.restart()  # who asked is in the database, and not in a process
    assert "issued" in certsrv("request", "approve", number)
    got = fetch(ca.machine(), number)
    assert (got["disposition"], got["message"]) == (ISSUED, "Issued  Resubmitted by root")
    cert = wcce.certificate(got["cert"])
    assert cert.public_key().public_numbers() == key.public_key().public_numbers()
    assert wcce.sid_in(got["cert"]) == ca.sid("PC1$")
    assert sorted(wcce.certs_in(got["chain"])) == sorted([got["cert"], ca.der])
    # the request itself, sent again, is answered the same way
    again = ca.machine().one(("icpr", {"request": request, "attributes": WAIT}))
    assert (again["id"], again["cert"]) == (number, got["cert"])
    # and by the serial number, over DCOM
    serial = f"{cert.serial_number:034x}"
    by_serial = ca.machine().one("activate", ("query", {"interfaces": ["D2"]}), ("request2", {"serial": serial}))
    assert (by_serial["disposition"], by_serial["id"], by_serial["cert"]) == (ISSUED, number, got["cert"])
    # nobody else learns that it exists
    other = fetch(ca.person("bob"), number)
    assert (other["hresult"], other["cert"]) == (EMPTY, b"")
    assert [what for what, _ in audit(ca, number)] == ["request", "approved", "issued"]
    assert ("approved", "root") in [(what, who.split(" ")[0]) for what, who in audit(ca, number)]
    certsrv("request", "approve", number, code=8)


def test_denied(ca, certsrv):
    request = wcce.pkcs10(wcce.rsa_key())
    number = submit(ca, request=request)
    assert "denied" in certsrv("request", "deny", number)
    got = fetch(ca.machine(), number)
    assert (got["hresult"], got["cert"]) == (DENIED_BY_ADMIN, b""), got
    assert ca.row(number)["message"].startswith("Denied by root")
    assert ca.events(56)[-1]["request_id"] == str(number)
    out = json.loads(certsrv("request", "deny", number, "--json", code=8).split("certsrv:")[0])
    assert out["code"] == BAD_STATUS and "denied" in out["error"]
    # it may be asked for again, and waits again
    assert submit(ca, request=request) != number


def test_what_is_not_there(ca, certsrv):
    certsrv("request", "approve", 999999, code=3)
    certsrv("request", "deny", "nonsense", code=2)
    certsrv("revoke", 999999, code=3)
    certsrv("revoke", "ab" * 10, code=3)
    certsrv("revoke", code=2)
    certsrv("revoke", 1, "--reason", "whim", code=2)


def test_only_root_decides(ca, certsrv):
    number = submit(ca)
    assert "only root" in certsrv("request", "approve", number, code=8, uid=12345)
    assert ca.row(number)["disp"] == 9


USERS = {"manny": 23401, "audrey": 23402, "adam": 23403, "alice": 23404, "both": 23405}


@pytest.fixture
def local_roles(ca):
    """People of the CA's host: a certificate manager by name, one by a group, an auditor, an administrator."""
    conf, files = ca.host.path("/etc/certsrv/certsrv.conf"), [ca.host.path("/etc/passwd"), ca.host.path("/etc/group")]
    kept = conf.read_text(), [f.read_text() for f in files]
    with open(files[0], "a", encoding="ascii") as passwd, open(files[1], "a", encoding="ascii") as group:
        for name, uid in USERS.items():
            passwd.write(f"{name}:x:{uid}:{uid}::/:/bin/sh\n")
            group.write(f"{name}:x:{uid}:\n")
        group.write("managers:x:23499:alice\n")
    others = re.sub(r"(?m)^role-separation = .*\n", "", kept[0])  # a file of tests before may have set it
    conf.write_text(others + "\n[admin]\nlocal-manager = manny\nlocal-manager = @managers\nlocal-auditor = 23402\n"
                    "local-administrator = adam\nlocal-administrator = both\nlocal-manager = both\n"
                    "role-separation = yes\n")
    ca.restart()
    yield
    conf.write_text(kept[0])
    for file, text in zip(files, kept[1]):
        file.write_text(text)
    ca.restart()


def test_roles_on_the_host(ca, certsrv, build, local_roles):
    """Each its own, by uid or group; two of them none; nobody his own request; rows for those who cannot open the file."""
    def local(name, *words, code=0, groups=()):
        words = ["setpriv", f"--reuid={USERS[name]}", f"--regid={USERS[name]}",
                 f"--groups={','.join(map(str, groups))}" if groups else "--clear-groups",
                 build / "prog/certsrv/certsrv", *[str(w) for w in words]]
        out = ca.host.run(*words, check=False, env={"ASAN_OPTIONS": "detect_leaks=0"})
        assert out.returncode == code, (words, out.returncode, out.stdout, out.stderr)
        return out.stdout + out.stderr

    one, two, three = submit(ca), submit(ca), submit(ca)
    rows = json.loads(local("audrey", "request", "list", "--state", "pending", "--json"))["requests"]
    assert {one, two, three} <= {r["id"] for r in rows}
    assert "Taken Under Submission" in local("audrey", "request", "show", one)
    assert json.loads(local("audrey", "request", "list", "--sid", "S-1-5-21-1-2-3-4", "--json"))["requests"] == []
    for name, words in (("audrey", ("request", "approve", one)), ("adam", ("request", "deny", one)),
                        ("manny", ("crl", "publish")), ("audrey", ("crl", "publish")), ("adam", ("recover-key", one))):
        assert "another one" in local(name, *words, code=8), (name, words)
    assert "two roles" in local("both", "request", "list", code=8)
    assert "issued" in local("manny", "request", "approve", one)
    assert audit(ca, one)[1] == ("approved", "local manny")
    assert "denied" in local("alice", "request", "deny", two, groups=[23499])
    assert "a role for you" in local("alice", "request", "deny", three, code=6)  # without the group, nobody
    assert "CRL " in local("adam", "crl", "publish")
    local("audrey", "backup", "/run/none", code=4)
    # alice's own request, here and as root after she logged in as herself
    answer = ca.person("alice").one(("icpr", {"request": wcce.pkcs10(wcce.rsa_key()),
                                              "attributes": "CertificateTemplate:PendingPerson"}))
    assert answer["disposition"] == PENDING, answer
    assert "of his own" in local("alice", "request", "approve", answer["id"], code=8, groups=[23499])
    assert ca.row(answer["id"])["disp"] == 9
    assert "denied" in local("manny", "request", "deny", answer["id"])
    # a denied one is decided again when the administrator wants it, with the groups of the directory
    assert "administers" in local("manny", "request", "approve", answer["id"], code=8)
    assert "issued" in certsrv("request", "approve", answer["id"])
    assert fetch(ca.person("alice"), answer["id"])["disposition"] == ISSUED


def test_an_approval_counts_for_today_s_template(ca, certsrv):
    """The template became stricter while it waited: an approval does not overrule the directory."""
    dn = "CN=Pending,CN=Certificate Templates,CN=Public Key Services,CN=Services,CN=Configuration,DC=lab,DC=example"
    number = submit(ca)
    ca.modify(f"dn: {dn}\nchangetype: modify\nreplace: msPKI-Minimal-Key-Size\nmsPKI-Minimal-Key-Size: 4096\n\n")
    ca.wait_directory()
    try:
        assert "at least 4096 bits" in certsrv("request", "approve", number, code=8)
        assert ca.row(number)["disp"] == 9
    finally:
        ca.modify(f"dn: {dn}\nchangetype: modify\nreplace: msPKI-Minimal-Key-Size\nmsPKI-Minimal-Key-Size: 2048\n\n")
        ca.wait_directory()
    assert "issued" in certsrv("request", "approve", number)


def test_without_a_daemon(ca, certsrv):
    number = submit(ca)
    assert ca.stop() == 0
    try:
        assert "does not run" in certsrv("request", "approve", number, code=6)
    finally:
        ca.start()


def machine_cert(ca):
    answer = ca.machine().one(("icpr", {"request": wcce.pkcs10(wcce.rsa_key()),
                                        "attributes": "CertificateTemplate:Machine"}))
    assert answer["disposition"] == ISSUED, answer
    return answer


def wait_for_crl(ca, number, reason):
    """The next CRL has the certificate with this reason, None: does not have it."""
    for _ in range(100):
        entry = crl(ca).get_revoked_certificate_by_serial_number(number)
        found = None
        if entry is not None:
            extension = [e.value.reason.value for e in entry.extensions if e.oid.dotted_string == "2.5.29.21"]
            found = extension[0] if extension else "unspecified"
        if found == reason:
            return entry
        ca.host.run("sleep 0.1")
    raise AssertionError(f"{number:x} is on the CRL with {found}, not {reason}")


def test_revoked_with_a_reason(ca, certsrv):
    answer = machine_cert(ca)
    before = crl(ca).extensions.get_extension_for_oid(x509.ObjectIdentifier("2.5.29.20")).value.crl_number
    assert "revoked" in certsrv("revoke", answer["id"], "--reason", "key-compromise")
    wait_for_crl(ca, serial_of(answer), "keyCompromise")
    after = crl(ca).extensions.get_extension_for_oid(x509.ObjectIdentifier("2.5.29.20")).value.crl_number
    assert after > before
    got = fetch(ca.machine(), answer["id"])
    assert (got["disposition"], got["cert"]) == (REVOKED, b"")
    event = ca.events(25)[-1]
    assert event["request_id"] == str(answer["id"]) and event["reason"] == "1"
    # for good
    certsrv("revoke", answer["id"], code=8)
    certsrv("revoke", answer["id"], "--release", code=8)
    # OpenSSL, GnuTLS and NSS see the same
    path = f"/var/lib/certsrv/crl/{ca.name}.crl"
    (ca.host.path("/run/victim.pem")).write_text(wcce.pem(answer["cert"]))
    ca.host.run("openssl", "crl", "-inform", "DER", "-in", path, "-out", "/run/lab.crl")
    judged = ca.host.run("openssl", "verify", "-crl_check", "-CRLfile", "/run/lab.crl", "-CAfile", "/etc/certsrv/ca.pem",
                         "/run/victim.pem", check=False)
    assert "certificate revoked" in judged.stdout + judged.stderr
    listed = ca.host.run("certtool", "--inder", "--crl-info", "--infile", path).stdout.lower()
    assert f"{serial_of(answer):034x}" in listed
    ca.host.run("sh", "-c", "rm -rf /run/nss && mkdir /run/nss && certutil -N -d sql:/run/nss --empty-password && "
                "certutil -A -d sql:/run/nss -n ca -t CT,CT,CT -a -i /etc/certsrv/ca.pem")
    ca.host.run("crlutil", "-I", "-d", "sql:/run/nss", "-i", path)
    shown = re.sub(r"[:\s]", "", ca.host.run("crlutil", "-L", "-d", "sql:/run/nss", "-n", "ca").stdout.lower())
    assert f"{serial_of(answer):034x}" in shown
    bad = ca.host.run("sh", "-c", "certutil -A -d sql:/run/nss -n victim -t ,, -a -i /run/victim.pem && "
                      "certutil -V -d sql:/run/nss -n victim -u C", check=False)
    assert "revoked" in bad.stdout + bad.stderr


def test_on_hold_and_released(ca, certsrv):
    answer = machine_cert(ca)
    serial = f"{serial_of(answer):034x}"
    assert "revoked" in certsrv("revoke", serial, "--hold")
    wait_for_crl(ca, serial_of(answer), "certificateHold")
    assert "released" in certsrv("revoke", serial, "--release")
    wait_for_crl(ca, serial_of(answer), None)
    assert fetch(ca.machine(), answer["id"])["disposition"] == ISSUED
    # held once more, and then for good
    certsrv("revoke", serial, "--hold")
    assert "revoked" in certsrv("revoke", serial, "--reason", "superseded")
    wait_for_crl(ca, serial_of(answer), "superseded")
    assert [what for what, _ in audit(ca, answer["id"])][-4:] == ["revoked", "released", "revoked", "revoked"]


def test_the_template_s_permission_still_decides(ca, certsrv):
    """Nobody who may not enroll gets as far as waiting."""
    answer = ca.person("bob").one(("icpr", {"request": wcce.pkcs10(wcce.rsa_key()), "attributes": WAIT}))
    assert answer["disposition"] == TEMPLATE_DENIED


def test_the_crl_is_in_the_directory(ca, certsrv):
    """Once setup's object is there, every CRL goes into it, and clients read it over LDAP."""
    container = f"CN=CDP,{PKS_DN}"
    folder = f"CN={ca.host.name},{container}"
    dn = f"CN={ca.name},{folder}"
    answer = machine_cert(ca)
    ca.wait_log("could not be published in the directory")  # there is no such object yet
    assert ca.events(74)
    ca.ldb("ldbadd", input=f"dn: {container}\nobjectClass: container\n\n", check=False)
    ca.ldb("ldbadd", input=f"dn: {folder}\nobjectClass: container\n\n"
           f"dn: {dn}\nobjectClass: cRLDistributionPoint\ncertificateRevocationList:: AA==\n"
           f"nTSecurityDescriptor: O:DAG:DAD:(A;;RPLCLORC;;;AU)(A;;RPWP;;;{ca.sid('CA1$')})\n\n")
    try:
        certsrv("revoke", answer["id"], "--reason", "superseded")
        wait_for_crl(ca, serial_of(answer), "superseded")
        ca.wait_log(r"base CRL number \d+ is in the directory")
        found = ca.lab.ldbsearch("(objectClass=cRLDistributionPoint)", "certificateRevocationList", base=dn)
        der = found[0]["certificateRevocationList"][0]
        entry = x509.load_der_x509_crl(der).get_revoked_certificate_by_serial_number(serial_of(answer))
        assert entry is not None
    finally:
        ca.ldb("ldbdel", dn)
    shown = json.loads(certsrv("crl", "show", "--json"))
    mine = [e for e in shown["entries"] if int(e["serial"], 16) == serial_of(answer)]
    assert [e["reason"] for e in mine] == ["superseded"]
    assert "superseded" in certsrv("crl", "show")
