# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A user gets his certificates by himself: his ticket, his process, his home, and no root."""
import base64
import datetime
import hashlib
import stat

import pytest
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ca import FULL, READ, Ca, enroll_for
from client import QUIET, Client, User, failing

USERS, MACHINES = "LabUser", "LabMachine"


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    ca.setup({USERS: (READ + FULL + enroll_for("DU"),
                      # The subject from AD, as "certsrv setup" makes its User: DN and UPN.
                      {"flags": 0x20020, "msPKI-Certificate-Name-Flag": 0x82000000,
                       "ekus": ("1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4")}),
              MACHINES: (READ + FULL + enroll_for("DC"), {})})
    ca.trust()
    ca.start()
    yield ca
    ca.stop()


@pytest.fixture(scope="module")
def alice(lab, build, ca):
    """alice at pc1, where the administrator wants users to enroll."""
    Client(lab.pc1, build)
    lab.pc1.path("/etc/autoenroll/policy.conf").write_text("[user]\nae-policy = 7\n")
    return User(lab.pc1, build, "alice", lab.user_password, 870001)


def test_without_a_ticket(alice):
    done = alice.run("pulse", "--user", check=False)
    assert done.returncode == 7
    assert "your Kerberos ticket (kinit" in done.stderr


def test_she_gets_what_is_for_users(alice, ca, lab):
    alice.login()
    [result] = alice.json("pulse", "--user")["results"]
    assert (result["template"], result["outcome"]) == (USERS, "issued"), result

    here = alice.path(f"my/{USERS}/current/")
    for name, mode in ("key.pem", 0o600), ("cert.pem", 0o644):
        found = (here / name).stat()
        assert (stat.S_IMODE(found.st_mode), found.st_uid) == (mode, alice.uid)
    [stored] = alice.json("store", "list", "--user")
    assert stored["sid"] == lab.ldbsearch("(sAMAccountName=alice)", "objectSid")[0]["objectSid"][0]
    assert stored["upn"] == "alice@lab.example"
    assert stored["subject"].startswith("CN=alice,")
    mine = f"{alice.home}/.local/share/autoenroll"
    alice.sh("openssl", "verify", "-CAfile", f"{mine}/trust/roots.pem", f"{mine}/my/{USERS}/current/cert.pem")
    # The machine's store is another one.
    assert not alice.host.path(f"/var/lib/autoenroll/my/{USERS}").exists()


def test_a_quiet_run_of_hers(alice, ca):
    alice.path("loglevel").write_text("4\n")
    rows = len(ca.rows())
    alice.path("events.jsonl").unlink(missing_ok=True)
    report = alice.json("pulse", "--user")
    assert (report["context"], report["results"]) == ("user", [])
    events = alice.json("events", "--user", "--since", "2d", "--oldest-first")
    assert [(e["source"].rsplit("-", 1)[1], e["id"]) for e in events] == QUIET
    assert {e["params"][0] for e in events if e["params"]} == {"LAB\\alice"}
    assert len(ca.rows()) == rows


def test_her_own_deployment(alice):
    """deploy.conf of her own: targets and hooks are hers, and run in her session."""
    conf = f"{alice.home}/.config/autoenroll"
    hook = alice.host.path(f"{conf}/hook")
    alice.sh("install", "-d", "-m", "700", conf, f"{alice.home}/tls", f"{conf}/hooks.d")
    hook.write_text(f"#!/bin/sh\necho \"$AE_CONTEXT $AE_EVENT $AE_UPN $(id -u) $HOME\" >> {alice.home}/log\n")
    hook.chmod(0o755)
    text = f"[template {USERS}]\nbundle = {alice.home}/tls/me.pem\npost-hook = {conf}/hook\n"
    alice.host.path(f"{conf}/deploy.conf").write_text(text)
    alice.host.run(f"chown -R {alice.uid}:{alice.uid} {conf}")
    alice.host.run(f"chmod 700 {conf}/hook")
    assert alice.json("deploy", "check", "--user")["sections"] == 1
    [one] = alice.json("deploy", "--user")["deploy"]
    assert (one["template"], one["event"], one["outcome"]) == (USERS, "enrolled", "done"), one
    bundle = alice.host.path(f"{alice.home}/tls/me.pem")
    assert (stat.S_IMODE(bundle.stat().st_mode), bundle.stat().st_uid) == (0o600, alice.uid)
    alice.sh("openssl", "pkey", "-in", f"{alice.home}/tls/me.pem", "-noout", "-check")
    [told] = alice.json("events", "--user", "--since", "2d", "--provider", "Lifecycle-User", "--id", "1007")
    assert told["fields"]["target"] == f"{alice.home}/tls/me.pem" and told["params"][0] == "alice", told
    log = alice.host.path(f"{alice.home}/log")
    assert log.read_text() == f"user enrolled alice@lab.example {alice.uid} {alice.home}\n"
    # Right as it is; somebody else's hook is not run, and root's deployment knows nothing of hers.
    assert alice.json("deploy", "--user")["deploy"][0]["outcome"] == "unchanged"
    alice.host.run(f"chown daemon {conf}/hook")
    bundle.unlink()
    [one] = alice.json("deploy", "--user", code=4)["deploy"]
    assert "owned by another user" in str(one["items"]) and log.read_text().count("\n") == 1, one
    alice.host.run(f"rm {conf}/deploy.conf")


def published(days, template=None):
    """A certificate that ended days ago, of a template or of none."""
    key, end = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.utcnow() - datetime.timedelta(days=days)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"alice {days}")])
    cert = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(
        x509.random_serial_number()).not_valid_before(end - datetime.timedelta(days=90)).not_valid_after(end)
    if template is not None:
        value = core.SequenceOf([core.ObjectIdentifier(template), core.Integer(100), core.Integer(1)], spec=core.Any)
        cert = cert.add_extension(x509.UnrecognizedExtension(
            x509.ObjectIdentifier("1.3.6.1.4.1.311.21.7"), value.dump()), critical=False)
    return cert.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_the_directory_is_cleaned_up(alice, ca, lab):
    """Her own userCertificate, with the right that everybody has on himself: what nobody can use any more."""
    [dn] = [e["dn"][0] for e in lab.ldbsearch("(sAMAccountName=alice)", "dn")]
    old, fresh, foreign = published(2, ca.oid[USERS]), published(-30, ca.oid[USERS]), published(2)
    just_now = published(0, ca.oid[USERS])

    def shown():
        return set(lab.ldbsearch("(sAMAccountName=alice)", "userCertificate")[0].get("userCertificate", []))
    ca.ldb("ldbmodify", input=f"dn: {dn}\nchangetype: modify\nreplace: userCertificate\n" + "".join(
        f"userCertificate:: {base64.b64encode(v).decode()}\n" for v in (old, fresh, foreign, just_now)) + "\n")
    policy = lab.pc1.path("/etc/autoenroll/policy.conf")
    policy.write_text("[user]\nae-policy = 5\n")  # not the bit for it
    assert "unpublished" not in alice.json("pulse", "--user") and len(shown()) == 4
    policy.write_text("[user]\nae-policy = 7\n")
    assert "from the directory" in alice.run("pulse", "--user", "--dry-run").stdout and len(shown()) == 4
    alice.path("loglevel").write_text("4\n")
    report = alice.json("pulse", "--user")
    assert report["unpublished"] == [hashlib.sha1(old).hexdigest()], report
    assert shown() == {fresh, foreign, just_now}
    events = {(e["source"].rsplit("-", 1)[1], e["id"]): e for e in
              alice.json("events", "--user", "--since", "2d", "--provider", "CertEnroll", "--provider",
                         "Lifecycle-User")}
    assert ("CertEnroll", 33) in events
    assert events["User", 1010]["fields"]["thumbprint"] == report["unpublished"][0]
    # Not allowed: said, and no failure of the run.
    ca.ldb("ldbmodify", input=f"dn: {dn}\nchangetype: modify\nadd: userCertificate\n"
           f"userCertificate:: {base64.b64encode(old).decode()}\n\n")
    lab.samba_tool("dsacl", "set", f"--objectdn={dn}", "--action=deny", f"--trusteedn={dn}",
                   "--sddl=(OD;;WP;bf967a7f-0de6-11d0-a285-00aa003049e2;;PS)")
    report = alice.json("pulse", "--user")
    assert "userCertificate" in report["unpublish_error"] and old in shown(), report
    ca.ldb("ldbmodify", input=f"dn: {dn}\nchangetype: modify\ndelete: userCertificate\n\n")


def test_templates_of_the_other_kind(alice):
    plan = {i["template"]: i for i in alice.json("templates", "--user", "--explain", "--all")["plan"]}
    assert failing(plan[MACHINES])[0] == "context.machine-template-in-user"
    assert plan[USERS]["action"] == "keep"


def test_her_policy_is_the_user_half(alice):
    policy = alice.json("policy", "show", "--user")
    assert (policy["aepolicy"], policy["source"]) == (7, "local")
    done = alice.run("policy", "show", check=False)
    assert done.returncode == 4 and "--user" in done.stderr


def test_keys_as_she_may_use_them(alice):
    assert alice.json("key", "test", "--provider", "software", "--alg", "P256", "--user")["passed"] == 1
    assert alice.json("key", "providers", "--user", code=None)["providers"][0]["ready"]


def test_by_hand(alice):
    [result] = alice.json("enroll", "-T", USERS, "--user")["results"]
    assert result["outcome"] == "issued", result
    assert len(alice.json("store", "list", "--user", "--archived")) == 2


def test_her_ticket_may_be_where_no_role_can_reach(alice):
    """A collection in a directory, as some sessions have it: the roles work with a copy."""
    env = {"KRB5CCNAME": f"DIR:{alice.home}/tickets"}
    alice.sh("mkdir", "-p", f"{alice.home}/tickets")
    alice.logout()
    alice.sh("kinit", "alice", input=alice.password + "\n", env=env)
    assert alice.json("pulse", "--user", env=env)["results"] == []


def test_somebody_elses_home(alice, build, lab):
    """bob's session, started out of alice's environment, still ends at bob's."""
    bob = User(lab.pc1, build, "bob", lab.user_password, 870002)
    bob.login()
    [result] = bob.json("pulse", "--user", env={"HOME": alice.home,
                                                "XDG_RUNTIME_DIR": f"/run/user/{alice.uid}"})["results"]
    assert result["outcome"] == "issued"
    assert bob.path(f"my/{USERS}/current/cert.pem").exists()
