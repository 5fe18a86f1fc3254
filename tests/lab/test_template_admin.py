# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""certsrv template: what an administrator makes and changes in the directory is what the CA issues by.
The directory's own tools say what was written."""
import json
import re
import time

import pytest
from asn1crypto import x509

from ca import PKS_DN, icpr, make_csr

CONTAINER = f"CN=Certificate Templates,{PKS_DN}"
NEW = "Web90"


@pytest.fixture
def certsrv(ca):
    def run(*words, code=0):
        done = ca.host.run(ca.build / "prog/certsrv/certsrv", "template", *words, check=False,
                           env={"ASAN_OPTIONS": "detect_leaks=1"})
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout if code in (0, 1) else done.stderr
    ca.lab.kinit_admin(ca.host)
    yield run
    for cn in (NEW, "Copy"):
        if entry(ca, cn):
            run("unpublish", cn)
            run("delete", cn)


def entry(ca, cn, base=CONTAINER, attribute="cn"):
    text = ca.ldb("ldbsearch", "-b", base, f"({attribute}={cn})", "*").stdout.replace("\n ", "")
    found = {}
    for name, value in re.findall(r"^([\w-]+):+ (.*)$", text.split("# record 2")[0], re.M):
        found.setdefault(name, []).append(value)
    return found


def ask(ca, what, value):
    """Asks until the CA has read the change, at most twenty seconds."""
    end = time.monotonic() + 20
    while True:
        got = ask_once(ca, "ta")
        if got.get(what) == value or time.monotonic() > end:
            assert got.get(what) == value, (got, ca.text())
            return got
        time.sleep(0.3)


def ask_once(ca, name):
    return icpr(ca.lab.pc1, ca.host.fqdn, make_csr(ca.lab.pc1, name), "--attributes",
                f"CertificateTemplate:{NEW}", "--ca", ca.name)


def test_made_granted_published_changed_and_deleted(ca, certsrv):
    ca.lab.pc1.kinit_machine()
    certsrv("new", NEW, "--from", "Machine", "display-name=Web, ninety days", "validity=90d", "renewal=30d",
            "eku=server-auth", "san=dns")
    made = entry(ca, NEW)
    assert made["displayName"] == ["Web, ninety days"] and made["msPKI-Template-Schema-Version"] == ["2"]
    assert made["pKIExtendedKeyUsage"] == made["msPKI-Certificate-Application-Policy"] == ["1.3.6.1.5.5.7.3.1"]
    assert int(made["msPKI-Certificate-Name-Flag"][0]) & 0xffffffff == 0x18000000
    assert made["revision"] == ["100"] and made["msPKI-Template-Minor-Revision"] == ["0"]
    [oid] = made["msPKI-Cert-Template-OID"]
    named = entry(ca, oid, f"CN=OID,{PKS_DN}", "msPKI-Cert-Template-OID")
    assert named["displayName"] == ["Web, ninety days"] and named["flags"] == ["1"]
    certsrv("new", NEW, "--from", "Machine", code=2)  # there already

    certsrv("publish", NEW)
    first = ask(ca, "disposition", 3)
    cert = x509.Certificate.load(ca.pem_to_der(first["certificate"]))
    validity = cert["tbs_certificate"]["validity"]
    assert 89 <= (validity["not_after"].native - validity["not_before"].native).days <= 91
    assert cert.extended_key_usage_value.native == ["server_auth"]

    # without Enroll the same request is denied
    certsrv("revoke", NEW, "Domain Computers", "enroll", "autoenroll")
    shown = json.loads(certsrv("show", NEW, "--json"))
    assert not [a for a in shown["permissions"] if a["name"] == "Domain Computers" and "enroll" in a["rights"]]
    ask(ca, "disposition", 0x80094012)
    certsrv("grant", NEW, "Domain Computers", "enroll", "read")
    assert "enroll" in certsrv("show", NEW, "--acl")
    assert "nothing to change" in certsrv("grant", NEW, "Domain Computers", "enroll", "read")

    # with approval it waits
    certsrv("set", NEW, "approval=yes", "eku+=client-auth")
    changed = entry(ca, NEW)
    assert changed["msPKI-Template-Minor-Revision"] == ["1"]
    assert set(changed["pKIExtendedKeyUsage"]) == {"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"}
    assert changed["displayName"] == made["displayName"]
    ask(ca, "disposition", 5)
    assert "nothing to change" in certsrv("set", NEW, "approval=yes")
    certsrv("set", NEW, "approval=no", "--reenroll")
    assert entry(ca, NEW)["revision"] == ["101"]

    certsrv("delete", NEW, code=2)  # still offered
    certsrv("unpublish", NEW)
    certsrv("delete", NEW)
    assert not entry(ca, NEW) and not entry(ca, oid, f"CN=OID,{PKS_DN}", "msPKI-Cert-Template-OID")


def test_contradictions_and_unknown_names(ca, certsrv):
    assert "renewal" in certsrv("new", NEW, "--from", "Machine", "renewal=2y", code=2)
    assert "no setting" in certsrv("new", NEW, "--from", "Machine", "colour=red", code=2)
    assert "no name" in certsrv("new", "../etc", "--from", "Machine", code=2)
    assert "no template" in certsrv("new", NEW, "--from", "Nowhere", code=3)
    assert "no right" in certsrv("grant", "Machine", "Domain Users", "everything", code=2)
    assert "no account" in certsrv("grant", "Machine", "nobody-here", "read", code=3)
    assert not entry(ca, NEW)


def test_exported_and_imported(ca, certsrv, tmp_path):
    """LDIF that ldb's own tools read; imported it is the same template with an OID of this forest."""
    out = tmp_path / "copy.ldif"
    certsrv("export", "MachineEc", "--out", str(out))
    text = out.read_text()
    assert "nTSecurityDescriptor" not in text and "ECDSA_P256" in text.replace("\n ", "")
    out.write_text(text.replace("\n ", "").replace("CN=MachineEc", "CN=Copy").replace("cn: MachineEc", "cn: Copy")
                   .replace("msPKI-Cert-Template-OID: 1.3.6.1.4.1.311.21.8.1.2.3",
                            "msPKI-Cert-Template-OID: 1.3.6.1.4.1.311.21.8.9.9.9"))
    assert certsrv("diff", "MachineEc", str(out)) == ""
    certsrv("import", str(out))
    copy, old = entry(ca, "Copy"), entry(ca, "MachineEc")
    for name in ("flags", "msPKI-RA-Application-Policies", "pKIExpirationPeriod", "msPKI-Template-Schema-Version",
                 "msPKI-Certificate-Name-Flag", "pKIKeyUsage", "msPKI-Minimal-Key-Size"):
        assert copy[name] == old[name], name
    assert not copy["msPKI-Cert-Template-OID"][0].startswith("1.3.6.1.4.1.311.21.8.9.9.9")
    differ = certsrv("diff", "Machine", "Copy", code=1)
    assert "key-algorithm" in differ
    out.write_text("dn: CN=x\nobjectClass: user\ncn: x\n")
    assert "no certificate template" in certsrv("import", str(out), code=2)
    out.write_text("dn: CN=x\ncn:< file:///etc/passwd\n")
    assert "elsewhere" in certsrv("import", str(out), code=4)


def test_every_template_is_shown(ca, certsrv):
    listed = json.loads(certsrv("list", "--json"))["templates"]
    names = {s["name"] for s in json.loads(certsrv("settings", "--json"))["settings"]}
    assert len(listed) >= 20
    for template in listed:
        shown = json.loads(certsrv("show", template["cn"], "--json"))
        assert set(shown["settings"]) == names and shown["oid"] == template["oid"]
    web = json.loads(certsrv("show", "Web", "--json"))
    assert web["settings"]["subject"] == "supplied" and web["settings"]["eku"] == "server-auth"
    assert web["settings"]["approval"] == "no" and "ESC" not in (web["warning"] or "")
    assert "ESC1" in json.loads(certsrv("show", "WebClient", "--json"))["warning"]
