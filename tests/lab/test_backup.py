# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A CA that is copied while it works, put back, rolled back, carried away: nothing is given out twice, no old
CRL is published, no revocation is undone, and it says so."""
import json
import shutil
import subprocess

import pytest
from cryptography import x509

import wcce
from ca import PKS_DN
from test_approval import certsrv, crl, machine_cert, serial_of  # noqa: F401
from wcce import ISSUED

STATE = "/var/lib/certsrv"
SUSPENDED = 0x80094006
REQUEST = {"attributes": "CertificateTemplate:Machine"}


@pytest.fixture(scope="module")
def cdp(ca):
    """The object that the CRL goes into, as certsrv setup makes it."""
    folder = f"CN={ca.host.name},CN=CDP,{PKS_DN}"
    ca.ldb("ldbadd", input=f"dn: CN=CDP,{PKS_DN}\nobjectClass: container\n\n", check=False)
    ca.ldb("ldbadd", input=f"dn: {folder}\nobjectClass: container\n\n", check=False)
    ca.ldb("ldbdel", f"CN={ca.name},{folder}", check=False)
    account = ca.sid("CA1$")
    ca.ldb("ldbadd", input=f"dn: CN={ca.name},{folder}\nobjectClass: cRLDistributionPoint\n"
                           "certificateRevocationList:: AA==\n"
                           f"nTSecurityDescriptor: O:DAG:DAD:(A;;RPLCLORC;;;AU)(A;;RPWPLCLORC;;;{account})\n\n")
    ca.restart()
    ca.wait_log("is in the directory")
    yield
    ca.ldb("ldbdel", f"CN={ca.name},{folder}", check=False)
    ca.ldb("ldbdel", folder, check=False)


@pytest.fixture
def copies(ca):
    """Directories of the CA's host as they are now; and back to that."""
    made = []

    class Copies:
        def take(self, *paths):
            for path in paths:
                inside = ca.host.path(path)
                made.append((inside, inside.with_name(inside.name + ".copy")))
                subprocess.run(["cp", "-a", *map(str, made[-1])], check=True)

        def put_back(self):
            for inside, copy in made:
                shutil.rmtree(inside)
                subprocess.run(["cp", "-a", str(copy), str(inside)], check=True)

    yield Copies()
    for _, copy in made:
        shutil.rmtree(copy, ignore_errors=True)


def ask(ca):
    return ca.machine().one(("icpr", {"request": wcce.pkcs10(wcce.rsa_key()), **REQUEST}))


def serials(ca):
    out = ca.host.run("sqlite3", f"file:{STATE}/db/ca.sqlite?mode=ro", "select hex(serial) from serial").stdout
    return set(out.split())


def number(lst):
    return lst.extensions.get_extension_for_oid(x509.ObjectIdentifier("2.5.29.20")).value.crl_number


def in_directory(ca):
    found = ca.lab.ldbsearch(f"(&(objectClass=cRLDistributionPoint)(cn={ca.name}))", "certificateRevocationList",
                             base=f"CN=CDP,{PKS_DN}")
    value = found[0]["certificateRevocationList"][0]
    return x509.load_der_x509_crl(value if isinstance(value, bytes) else value.encode("latin-1"))


def refused(ca):
    answer = ask(ca)
    assert answer.get("hresult", answer.get("error")) in (SUSPENDED, f"0x{SUSPENDED:08x}") or \
        f"{SUSPENDED:08x}" in json.dumps(answer, default=str) or str(SUSPENDED) in json.dumps(answer, default=str), answer
    assert answer.get("disposition") != ISSUED


def goes_on(ca, certsrv, *options):  # noqa: F811
    """Acknowledged; what was said."""
    assert ca.stop() == 0
    said = json.loads(certsrv("restore", "acknowledge", "--json", *options))
    assert said["acknowledged"]
    ca.start()
    return said


def test_backup_while_it_works(ca, cdp, certsrv, copies):  # noqa: F811
    """Taken during a burst, read back whole; put back, and nothing is given out twice."""
    ca.host.run("rm -rf /srv/backup && mkdir -p /srv/backup")
    burst = [wcce.pkcs10(wcce.ec_key()) for _ in range(30)]
    witness = ca.machine()
    before = ask(ca)["id"]
    ca.lab.pc1.run("kvno", "-q", f"host/{ca.host.fqdn}")
    running = ca.host.start(ca.build / "prog/certsrv/certsrv", "backup", "/srv/backup", "--json", "--with-key",
                            log=ca.host.path("/run/backup.log"), env={"ASAN_OPTIONS": "detect_leaks=0"})
    answers = witness.run(*[("icpr", {"request": r, "attributes": "CertificateTemplate:MachineEc"}) for r in burst])
    assert all(a["disposition"] == ISSUED for a in answers)
    assert running.popen.wait(30) == 0, ca.host.path("/run/backup.log").read_text()
    text = ca.host.path("/run/backup.log").read_text()
    made = json.loads(text[text.index("{"):])
    assert before <= made["last_request_id"] <= answers[-1]["id"]
    assert made["generation"] > 0 and made["with_key"] and made["ca"] == ca.name
    assert [e["text"] for e in ca.events(3) if e.get("source") == "certsrvd"][-1].endswith(f"makes backup {made['generation']}")
    path = made["path"]
    kinds = {f["kind"] for f in made["files"]}
    assert {"database", "config", "certificate", "security", "key"} <= kinds
    assert json.loads(certsrv("backup", "verify", path, "--sha256", made["sha256"], "--json"))["generation"] == made["generation"]
    # a revocation, and certificates, that the backup does not know
    gone, later = machine_cert(ca), ask(ca)
    certsrv("revoke", gone["id"], "--reason", "superseded")
    certsrv("crl", "publish")
    seen, numbers = serials(ca), number(crl(ca))
    # not onto a CA that runs, not onto one that is there
    assert "certsrvd runs" in certsrv("restore", path, code=6)
    assert ca.stop() == 0
    assert "--replace" in certsrv("restore", path, code=8)
    assert not json.loads(certsrv("restore", path, "--replace", "--dry-run", "--json"))["changed"]
    said = json.loads(certsrv("restore", path, "--replace", "--json"))
    assert said["acknowledge"] and ca.host.path(said["aside"] + "/db/ca.sqlite").exists()
    ca.start()
    refused(ca)
    ca.wait_log("nothing is issued|Nothing is issued")
    assert [e for e in ca.events(1) if e.get("source") == "certsrvd"]
    assert number(crl(ca)) == numbers  # no CRL of the older state
    assert "behind what was given out" in certsrv("revoke", before, code=6)
    ack = goes_on(ca, certsrv)
    assert ack["next_id"] > later["id"] and ack["revocations"] == 1
    new = ask(ca)
    assert new["disposition"] == ISSUED and new["id"] >= ack["next_id"]
    fresh = serials(ca) - seen
    assert f"{serial_of(new):034X}" in {s.zfill(34) for s in fresh}
    # what was revoked stays so, under a number that was never used
    certsrv("crl", "publish")
    assert number(crl(ca)) > numbers and crl(ca).get_revoked_certificate_by_serial_number(serial_of(gone)) is not None
    told = json.loads(certsrv("audit", "verify", "--json"))
    assert told["whole"] and told["gaps"][-1]["who"] == "uid 0" and "restored" in told["gaps"][-1]["detail"]


def test_a_backup_that_was_changed(ca, certsrv):  # noqa: F811
    ca.host.run("rm -rf /srv/b1 /srv/b2")
    certsrv("backup", "/srv/b1")
    certsrv("backup", "verify", "/srv/b1")
    base = ca.host.path("/srv/b1")
    assert not list(base.glob("files/**/*.key"))  # it is not encrypted, so it is not there
    db = base / "files/var/lib/certsrv/db/ca.sqlite"
    whole = db.read_bytes()
    db.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    assert "is not what the manifest says" in certsrv("backup", "verify", "/srv/b1", code=10)
    db.write_bytes(whole)
    extra = base / "files/etc/certsrv/policy.xml"
    extra.write_text("x")
    assert "does not know" in certsrv("backup", "verify", "/srv/b1", code=10)
    extra.unlink()
    # another one's hash, with a manifest that was made to fit
    manifest = base / "manifest.json"
    text = manifest.read_text()
    manifest.write_text(text.replace('"audit_links": ', '"audit_links": 1'))
    assert "manifest tells of" in certsrv("backup", "verify", "/srv/b1", code=10)
    manifest.write_text(text.replace('/etc/certsrv/ca.pem', '/etc/../../ca.pem'))
    certsrv("backup", "verify", "/srv/b1", code=4)
    manifest.write_text(text)
    assert "SHA-256 is" in certsrv("backup", "verify", "/srv/b1", "--sha256", "0" * 64, code=10)
    # of another CA
    other = base / "files/etc/certsrv/ca.pem"
    mine = ca.host.path("/etc/certsrv/ca.pem")
    kept = mine.read_text()
    ca.host.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=Other",
                "-addext", "basicConstraints=critical,CA:TRUE", "-out", "/etc/certsrv/ca.pem")
    try:
        assert ca.stop() == 0
        assert "another CA" in certsrv("restore", "/srv/b1", "--replace", code=10)
    finally:
        mine.write_text(kept)
        assert other.exists()
        ca.start()


def test_a_backup_in_one_file(ca, certsrv):  # noqa: F811
    """GNU tar reads what we write and writes what we read; what is no backup is not unpacked."""
    ca.host.run("rm -rf /srv/ca.tar /srv/plain /srv/again.tar /srv/evil.tar && mkdir -p /srv/plain")
    made = json.loads(certsrv("backup", "/srv/ca.tar", "--with-key", "--json"))
    assert made["path"] == "/srv/ca.tar" and not ca.host.path("/srv/ca.tar.part").exists()
    ca.host.run("tar", "xf", "/srv/ca.tar", "-C", "/srv/plain")
    assert json.loads(certsrv("backup", "verify", "/srv/plain", "--json"))["sha256"] == made["sha256"]
    for form in ("ustar", "gnu", "pax"):
        ca.host.run(f"cd /srv/plain && tar --format={form} -cf /srv/again.tar manifest.json $(find files -type f)")
        assert json.loads(certsrv("backup", "verify", "/srv/again.tar", "--json"))["sha256"] == made["sha256"]
    assert "is there already" in certsrv("backup", "/srv/ca.tar", code=2)
    whole = ca.host.path("/srv/ca.tar").read_bytes()
    for bad, why, code in ((whole[:-1500], "ends too early", 4), (whole[:9] + b"x" + whole[10:], "no tar archive", 4)):
        ca.host.path("/srv/again.tar").write_bytes(bad)
        assert why in certsrv("backup", "verify", "/srv/again.tar", code=code)
    ca.host.run("cd /srv/plain && tar -cf /srv/evil.tar manifest.json --transform 's,^files,files/../../..,' files/etc/certsrv/ca.pem")
    assert "of no backup" in certsrv("backup", "verify", "/srv/evil.tar", code=4)
    ca.host.run("cd /srv/plain && ln -s /etc/passwd files/link && tar -cf /srv/evil.tar manifest.json files/link")
    assert "no regular file" in certsrv("backup", "verify", "/srv/evil.tar", code=4)
    assert not list(ca.host.path("/var/tmp").glob("certsrv-backup-*"))


def test_rolled_back_by_copy(ca, cdp, certsrv, copies):  # noqa: F811
    """The database's directory, copied back: the anchor is outside of it."""
    assert ca.stop() == 0
    copies.take(f"{STATE}/db")
    ca.start()
    used = [ask(ca)["id"] for _ in range(2)]
    assert ca.stop() == 0
    copies.put_back()
    ca.start()
    ca.wait_log("audit chain ends at entry")
    refused(ca)
    assert "but was at" in certsrv("audit", "verify", code=1)
    assert goes_on(ca, certsrv)["next_id"] > max(used)
    assert ask(ca)["id"] > max(used)
    assert ca.stop() == 0
    assert not json.loads(certsrv("restore", "acknowledge", "--json"))["acknowledged"]  # once is enough
    # the anchor lost is no way around
    ca.host.path(f"{STATE}/anchor/ca.anchor").unlink()
    ca.start()
    ca.wait_log("its anchor .* is not there")
    refused(ca)
    goes_on(ca, certsrv)
    assert ask(ca)["disposition"] == ISSUED


def test_rolled_back_with_its_machine(ca, cdp, certsrv, copies):  # noqa: F811
    """All of the CA's files, as a snapshot of its machine has them: the directory knows of a later CRL."""
    assert ca.stop() == 0
    copies.take(STATE, "/etc/certsrv")
    ca.start()
    gone = machine_cert(ca)
    certsrv("revoke", gone["id"])
    for _ in range(100):
        if in_directory(ca).get_revoked_certificate_by_serial_number(serial_of(gone)) is not None:
            break
        ca.wait_log("is in the directory")
    published = in_directory(ca)
    assert ca.stop() == 0
    copies.put_back()
    ca.start()
    ca.wait_log("is published in the directory")
    refused(ca)
    assert number(in_directory(ca)) == number(published)
    said = goes_on(ca, certsrv)
    assert said["revocations"] >= 1 and said["next_id"] > gone["id"]
    assert ask(ca)["id"] > gone["id"]
    certsrv("crl", "publish")
    assert crl(ca).get_revoked_certificate_by_serial_number(serial_of(gone)) is not None
    assert number(crl(ca)) > number(published)
