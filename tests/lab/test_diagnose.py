# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""diagnose names the cause of each fault of lab/faults, first and alone; a healthy lab has none."""
import json
import pathlib
import re
import time

import pytest

from ca import PKS_DN
from diagnosed import World, fault, found
from healing import Healer, commands, is_gone

# All of them run in 'campaign faults'; these are of every stage.
SPREAD = [
    "join.not-joined", "join.secure-channel-broken", "dns.resolver-wrong", "dc.unreachable", "policy.aepolicy-absent",
    "policy.no-enroll-bit", "template.no-read-right", "template.no-enroll-right", "template.no-autoenroll-right",
    "template.rights-for-wrong-type", "template.missing", "template.ra-signature", "join.dnshostname-empty",
    "key.provider-missing", "key.no-reader", "ca.none-in-forest", "ca.template-not-published", "ca.no-enroll-right", "trust.root-missing",
    "net.epm-unreachable", "net.dynamic-ports-blocked", "token.group-not-in-ticket",
    "net.ca-service-stopped", "dns.alias", "auth.spn-duplicate", "deny.subject-email", "trust.ca-cert-revoked", "install.store-denied",
]


@pytest.fixture(scope="module")
def world(lab, build):
    it = World(lab, build)
    yield it
    it.close()


@pytest.mark.parametrize("who", ["--machine", "--user"])
def test_a_healthy_lab_has_no_finding(world, who):
    report = world.diagnose(who, code=0)
    assert (report["category"], found(report), report["harmless"], report["unknown"]) == ("ok", [], [], [])
    assert report["fine"] == report["checks"] > 50
    # One more than is needed is a question asked twice.
    measured = report["measured"]
    assert 20 <= measured["ldap"] <= 38 and 20 <= measured["rpc"] <= 40, measured
    ways = {w["way"]: w for w in report["ways"]}
    assert {name: w["result"] for name, w in ways.items()} == {"dcom": "answered", "integrity": "refused", "icpr": "answered"}
    assert ways["dcom"]["stages"][-1]["what"] == "ICertRequestD2::GetCAProperty" and ways["dcom"]["ms"] > 0
    assert {"Machine", "Person"} <= set(ways["dcom"]["said"]["templates"])
    assert ways["dcom"]["said"]["certificates"] == ways["dcom"]["said"]["crls"] == ["valid"]
    assert any("integrity" in s["what"] for s in ways["integrity"]["stages"])


def test_nothing_is_changed(world):
    def state():
        # Ticket caches and logs of the CA are others'.
        return world.lab.pc1.run("find /etc /var/lib/autoenroll /run/autoenroll -xdev -type f -path '*autoenroll*' "
                                 "-printf '%p %s %T@\n' 2>/dev/null | sort").stdout

    def scratch():
        return set(pathlib.Path("/tmp").glob("autoenroll-*"))

    rows, before, others = len(world.ca.rows()), state(), scratch()
    world.diagnose(code=0)
    assert (len(world.ca.rows()), state()) == (rows, before)
    # /tmp is the machine's: what another run has there is soon gone.
    left, end = scratch() - others, time.monotonic() + 60
    while left & scratch() and time.monotonic() < end:
        time.sleep(0.5)
    assert not left & scratch()


@pytest.mark.parametrize("name", SPREAD)
def test_fault(world, name):
    with world.broken(name):
        report = world.diagnose(*world.ask(name), code=1)
    assert found(report) == [name], (report["root"], report["also"], report["unknown"])
    for sentence in "cause", "expected", "fix", "who", "seen":
        assert report["root"].get(sentence), (sentence, report["root"])
        assert not re.search("<[a-z_]+>", report["root"][sentence]), (sentence, report["root"])


def test_the_printed_fix_heals(world):
    """Its commands alone, by whom they are for; all of them in 'campaign faults'."""
    healer, name = Healer(world), "template.no-enroll-right"
    with world.broken(name):
        root = world.diagnose(code=1)["root"]
        assert commands(root) and all(f"`{run}`" in root["fix"] for _, run in commands(root)), root
        assert healer.heal(commands(root), user=False), healer.log
        assert is_gone(world.diagnose(), name), healer.log


def test_an_intermediate_that_can_be_had_elsewhere(world):
    """By LDAP at the address that the CA's certificate names, where runs do not look."""
    it, where = world.services, f"CN=Elsewhere,{PKS_DN}"
    ca, middle, root = fault.chain_of("Lab CA", "Far Root", "Middle CA", aia="ldap:///" + where.replace(" ", "%20") +
                                      "?cACertificate?base?objectClass=certificationAuthority")
    lists = {"objectClass": "certificationAuthority", "authorityRevocationList": b"\0", "certificateRevocationList": b"\0"}
    try:
        it.set(it.ca(), cACertificate=ca)
        it.add(where, cACertificate=middle, **lists)
        it.add(f"CN=Far Root,CN=Certification Authorities,{PKS_DN}", cACertificate=root, **lists)
        report = world.diagnose(code=1)
    finally:
        it.mend()
    assert found(report) == ["trust.intermediate-missing"], (report["root"], report["also"])
    assert "it can be had at ldap:///CN=Elsewhere," in report["root"]["seen"], report["root"]


def test_two_causes_in_the_order_of_the_walk(world):
    with world.broken("net.epm-unreachable", "policy.aepolicy-absent"):
        report = world.diagnose(code=1)
    assert found(report) == ["policy.aepolicy-absent", "net.epm-unreachable"]


def test_in_french_nothing_is_english(world):
    """Whatever is said at length is said otherwise; names, commands and what others said stay."""
    def told(lang, *words):
        text = " ".join(world.pc1.run("diagnose", "--lang", lang, *words, check=False).stdout.split())
        for quoted in r"«[^»]*»", r"“[^”]*”", r"`[^`]*`", r"[a-z0-9]+\.[a-z0-9.-]+", r"\b\w*[A-Z_/$\\]\S*":
            text = re.sub(quoted, "_", text)
        words = text.split()
        return {four for four in zip(words, words[1:], words[2:], words[3:]) if all(re.fullmatch("[a-zà-ÿ']+[,;:.]?", w) for w in four)}

    with world.broken("template.no-enroll-right", "net.epm-unreachable"):
        english, french = told("en", "-v"), told("fr", "-v")
    assert len(english) > 20 and len(french) > 20
    assert english & french == set()


@pytest.fixture(scope="module")
def alice(world):
    person = world.alice
    person.login()
    return person


def test_a_user_looks_at_his_own_and_root_at_another_s(world, alice):
    """Samba's KDC gives a person no ticket for himself: which groups are in his is unknown, and said to be."""
    report = alice.json("diagnose", code=0)
    assert (report["category"], found(report), report["account"]) == ("ok", [], "alice@LAB.EXAMPLE"), report["unknown"]
    # Where her ticket is, the processes of her session know.
    with world.lab.pc1.start("setpriv", f"--reuid={alice.uid}", f"--regid={alice.uid}", "--clear-groups", "env",
                             f"KRB5CCNAME=FILE:/run/user/{alice.uid}/krb5cc", "sleep", "600"):
        report = world.diagnose("--user", "alice", code=0)
    assert (report["category"], found(report), report["account"]) == ("ok", [], "alice@LAB.EXAMPLE"), report["unknown"]
    assert [m["template"] for m in report["matrix"] if m["ours"]] == ["Person"]


def test_only_root_may_look_at_somebody_else(alice):
    done = alice.run("diagnose", "--user", "root", check=False)
    assert done.returncode != 0 and "only root" in done.stderr


def test_a_user_without_a_ticket(world, alice):
    alice.logout()
    try:
        report = alice.json("diagnose", code=1)
        by_ssh = alice.json("diagnose", code=1, env={"SSH_CONNECTION": "192.0.2.1 40000 192.0.2.2 22"})
        by_sudo = alice.json("diagnose", code=1, env={"SUDO_UID": "0", "SSH_CONNECTION": "192.0.2.1 40000 192.0.2.2 22"})
    finally:
        alice.login()
    assert found(report) == ["auth.no-tgt"], report["root"]
    assert found(by_ssh) == ["env.no-network-credentials"], by_ssh["root"]
    assert found(by_sudo) == ["env.runas-no-gpo"], by_sudo["root"]


def test_who_may_not_look_accuses_nobody(alice):
    report = alice.json("diagnose", "--machine", code=0)
    assert (report["category"], found(report)) == ("unknown", [])
    assert any("keytab" in u["because"] and "root could" in u["because"] for u in report["unknown"])


def test_the_ca_on_its_own_host(world):
    """It is healthy; it is stopped; it cannot start for one reason or another."""
    report = world.certsrv(code=0)
    assert (report["category"], found(report), report["harmless"], report["unknown"]) == ("ok", [], [], [])
    assert report["fine"] == report["checks"] > 50
    assert found(world.certsrv("--template", "Nowhere", code=1)) == ["ca.template-not-published"]
    with world.broken("net.ca-service-stopped"):
        assert found(world.certsrv(code=1)) == ["net.ca-service-stopped"]
        for host, inside, cause, seen in (
                ("ca1", "/var/lib/certsrv/private/ca.key", "ca.service-wont-start", "ca.key"),
                ("ca1", "/var/lib/certsrv/db", "ca.service-wont-start", "ca.sqlite"),
                ("ca1", "/etc/certsrv/ca.pem", "ca.service-wont-start", "ca.pem"),
                ("ca1", "/etc/certsrv/certsrv.conf", "ca.service-wont-start", "certsrv.conf"),
                ("ca1", "/etc/krb5.keytab", "join.not-joined", "krb5.keytab")):
            world.services.path(host, inside).rename(world.services.path(host, inside + ".away"))
            try:
                report = world.certsrv(code=1)
            finally:
                world.services.path(host, inside + ".away").rename(world.services.path(host, inside))
            assert found(report) == [cause] and seen in report["root"]["seen"], (report["root"], report["also"])
        with world.lab.ca1.start("/usr/bin/python3", "-m", "http.server", "49500"):
            for _ in range(50):
                report = world.certsrv(code=1)
                if found(report) != ["net.ca-service-stopped"]:
                    break
            assert found(report) == ["ca.service-wont-start"] and "49500" in report["root"]["seen"], report["root"]


def test_why_the_ca_denied(world):
    """The same denial on both sides, by the rule and by the code."""
    with world.broken("deny.policy-module-custom"):
        here = world.diagnose("--live", "-T", "Machine", code=1)
    assert found(here) == ["deny.policy-module-custom"], (here["root"], here["also"])
    there = world.certsrv("--requester", "LAB\\PC1$", code=1)
    assert found(there) == ["deny.policy-module-custom"] and "rules.key" in there["root"]["seen"]
    number = there["root"]["subject"]
    assert found(world.certsrv("--request", number, code=1)) == ["deny.policy-module-custom"]
    assert found(world.certsrv("--request", "1", code=0)) == []
    assert found(world.certsrv("--request", "999", code=3)) == []


def test_page_for_others(world):
    """One file, nothing from elsewhere, and what is foreign in it is text."""
    evil = "<script>alert(1)</script>"
    sssd = world.lab.pc1.path("/etc/sssd/sssd.conf")
    sssd.parent.mkdir()
    sssd.write_text(f"[domain/{evil}]\nid_provider = ad\n")
    try:
        with world.broken("policy.no-enroll-bit"):
            world.pc1.run("diagnose", "--html", "/var/page.html", "-T", evil, check=False)
    finally:
        sssd.unlink()
        sssd.parent.rmdir()
    page = world.lab.pc1.path("/var/page.html").read_text()
    assert "logs people of &lt;script&gt;alert(1)&lt;/script&gt; in (ad)" in page
    assert "policy.no-enroll-bit" in page and "<svg" in page and "</html>" in page
    assert "ICertRequestD2::GetCAProperty" in page and "49500 integrity" in page
    assert "<script" not in page and "http" not in page.replace("http-equiv", "")
    assert world.lab.pc1.path("/var/page.html").stat().st_mode & 0o777 == 0o600


def test_other_machines_by_ssh(world, lab):
    """Without the program there; without an agent; one that is away is said to be."""
    pc1, ca1 = lab.pc1, lab.ca1
    ca1.run("mkdir -p /etc/ssh /run/sshd; rm -f /etc/ssh/lab*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/lab_key")
    ca1.path("/etc/ssh/ssh_config").write_text(
        "Host *\n  IdentityFile /etc/ssh/lab_key\n  UserKnownHostsFile /etc/ssh/lab_known\n"
        "  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking accept-new\n  User root\n")
    pc1.run("mkdir -p /etc/ssh /run/sshd; rm -f /etc/ssh/lab*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/lab_host")
    pc1.path("/etc/ssh/lab_keys").write_text(ca1.path("/etc/ssh/lab_key.pub").read_text())
    pc1.path("/etc/ssh/lab_config").write_text(
        "HostKey /etc/ssh/lab_host\nAuthorizedKeysFile /etc/ssh/lab_keys\nStrictModes no\nUsePAM no\n"
        "PidFile none\nSetEnv ASAN_OPTIONS=detect_leaks=0\n")
    with pc1.start("/usr/sbin/sshd", "-D", "-e", "-f", "/etc/ssh/lab_config", log=pc1.path("/var/sshd.log")):
        for _ in range(50):
            if ca1.run("bash", "-c", "exec 3<>/dev/tcp/pc1.lab.example/22", check=False).returncode == 0:
                break
        done = ca1.run(world.pc1.program, "diagnose", "--host", "pc1.lab.example", "--host", "away.lab.example",
                       "--json", check=False, env={"ASAN_OPTIONS": "detect_leaks=0"})
    assert "never as a domain administrator" in " ".join(done.stderr.split())
    here, away = json.loads(done.stdout)
    assert (here["host"], here.get("category")) == ("pc1.lab.example", "ok"), (here, done.stderr)
    assert away["host"] == "away.lab.example" and away["error"]
    assert done.returncode == 6
    assert pc1.run("ls /tmp/tmp.*/autoenroll", check=False).stdout == ""
