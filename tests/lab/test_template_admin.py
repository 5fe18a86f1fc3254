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
    assert "no account" in certsrv("grant", "Machine", "PC1$@OTHER.EXAMPLE", "read", code=3)
    assert "nothing to change" in certsrv("revoke", "Machine", "PC1$@LAB.EXAMPLE", "enroll")
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


def test_esc4_a_pinned_template_keeps_its_meaning(ca, certsrv):
    """ESC4: what somebody makes of a pinned template in the directory does not count, and there is an alarm within
    seconds, over a restart as well; a pin that is not good lets nobody have the template; unpinned, the directory counts."""
    def status():
        done = ca.host.run(ca.build / "prog/certsrv/certsrv", "status", "--json", check=False)
        found = json.loads(done.stdout)
        assert done.returncode == (0 if found["well"] else 1), (done.returncode, found)
        return [a for a in found["alarms"] if a["what"] == "pin"]

    def wait_status(n):
        end = time.monotonic() + 20
        while len(status()) != n and time.monotonic() < end:
            time.sleep(0.2)
        assert len(status()) == n, (status(), ca.text())
        return status()

    def attack(change):
        ca.modify(f"dn: CN={NEW},{CONTAINER}\nchangetype: modify\n{change}\n")

    ca.lab.pc1.kinit_machine()
    certsrv("new", NEW, "--from", "Machine")
    certsrv("publish", NEW)
    ask(ca, "disposition", 3)
    flag = entry(ca, NEW)["msPKI-Certificate-Name-Flag"][0]
    assert "no template is pinned" in certsrv("pins")
    assert f"{NEW}: pinned" in certsrv("pin", NEW)
    pin = ca.host.path(f"/etc/certsrv/pins/{NEW}.ldif")
    assert pin.stat().st_mode & 0o777 == 0o600 and pin.parent.stat().st_mode & 0o777 == 0o700
    assert NEW in certsrv("pins") and not status()

    before = len(ca.events(5))
    attack("replace: msPKI-Certificate-Name-Flag\nmsPKI-Certificate-Name-Flag: 1\n-\n"
           "replace: pKIExtendedKeyUsage\npKIExtendedKeyUsage: 1.3.6.1.5.5.7.3.2\n")
    [alarm] = wait_status(1)
    assert NEW in alarm["text"] and f"msPKI-Certificate-Name-Flag 0x{int(flag) & 0xffffffff:08x} -> 0x00000001" in alarm["text"]
    assert "whenChanged 20" in alarm["text"] and alarm["since"]
    [event] = ca.events(5)[before:]
    assert event["source"] == "certsrvd" and event["level"] == "error" and alarm["text"].split(": ", 1)[1] in event["text"]
    assert "pKIExtendedKeyUsage -1.3.6.1.5.5.7.3.1" in certsrv("pins", code=1)
    issued = ask_once(ca, "ta")
    assert issued["disposition"] == 3, issued
    cert = x509.Certificate.load(ca.pem_to_der(issued["certificate"]))
    assert cert.subject.native["common_name"] == ca.lab.pc1.fqdn and "server_auth" in cert.extended_key_usage_value.native

    ca.restart()
    wait_status(1)
    assert ask_once(ca, "ta")["disposition"] == 3

    # a file that somebody broke: nobody gets the template
    good = pin.read_text()
    pin.write_text(good.replace("pKICertificateTemplate", "user"))
    end = time.monotonic() + 20
    while ask_once(ca, "ta")["disposition"] != 0x80094800 and time.monotonic() < end:
        time.sleep(0.3)
    assert "not good" in status()[0]["text"]
    pin.write_text(good)
    ask(ca, "disposition", 3)

    certsrv("unpin", NEW)
    ask(ca, "disposition", 0x80094001)  # what the directory says now: ESC1
    assert not status()
    certsrv("unpin", NEW, code=3)
