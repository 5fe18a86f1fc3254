# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""The policy of a computer and of its users, as an administrator sees it: "policy show"."""

import pytest

from client import Client, User
from gpo import SITE, Domain, aepolicy, dword, instruction, registry_pol, text, wide
from lab import BASE_DN, Lab

OU = f"OU=Desks,{BASE_DN}"
PEOPLE = f"OU=People,{BASE_DN}"
SYSTEM = "Software\\Policies\\Microsoft\\Windows\\System"
SERVERS = "Software\\Policies\\Microsoft\\Cryptography\\PolicyServers"


@pytest.fixture(scope="module")
def lab():
    """A lab of its own: these tests rearrange the domain."""
    with Lab("test-policy-show") as running:
        yield running


@pytest.fixture(scope="module")
def domain(lab, build):
    """pc1 in OU Desks, alice in OU People; each has a policy of its own."""
    d = Domain(lab, build)
    lab.dc1.run(f"samba-tool ou create {OU} && samba-tool ou create {PEOPLE} && "
                f"samba-tool computer move {lab.pc1.account} {OU} && samba-tool user move alice {PEOPLE}")
    d.gpo("Desks", aepolicy(7))
    d.gpo("People", aepolicy(7), "User")
    d.link("Desks", OU)
    d.link("People", PEOPLE)
    return d


@pytest.fixture(scope="module")
def pc1(lab, build, domain):
    return Client(lab.pc1, build)


@pytest.fixture(scope="module")
def alice(lab, build, pc1):
    user = User(lab.pc1, build, "alice", lab.user_password, 870001)
    user.login()
    return user


def the(policy, name):
    """What became of each link to that GPO."""
    return [g["verdict"] for g in policy["gpos"] if g["name"] == name]


@pytest.mark.parametrize("value,words,bits", [
    (None, "not configured", []),
    (1, "enroll", ["enroll"]),
    (6, "renew and clean up, fetch pending", ["manage", "pending"]),
    (7, "enroll, renew and clean up, fetch pending", ["enroll", "manage", "pending"]),
    (0x8000, "disabled", ["disabled"]),
])
def test_every_value_of_the_article_in_both_halves(domain, pc1, alice, value, words, bits):
    content = registry_pol(instruction("**Del.AEPolicy", 1, wide(" \0"))) if value is None else aepolicy(value)
    domain.write("Desks", content)
    domain.write("People", content, "User")
    for policy, gpo in ((pc1.json("policy", "show"), "Desks"), (alice.json("policy", "show", "--user"), "People")):
        assert (policy["aepolicy"], policy["text"]) == (value or 0, words)
        assert [b["name"] for b in policy["bits"] if b["set"]] == bits
        assert (policy["source"], policy.get("gpo")) == (("default", None) if value is None else ("gpo", gpo))
        assert policy["fresh"] and policy["dc"] == "dc1.lab.example"


def test_each_half_is_its_own(domain, pc1, alice):
    domain.write("Desks", aepolicy(1))
    domain.write("People", aepolicy(6), "User")
    assert pc1.json("policy", "show")["aepolicy"] == 1
    assert alice.json("policy", "show", "--user")["aepolicy"] == 6
    # A GPO that has only the other half is passed over, and says so.
    domain.link("Desks", PEOPLE)
    assert the(alice.json("policy", "show", "--user"), "Desks") == ["no-registry"]
    domain.tool("gpo", "dellink", PEOPLE, domain.ids["Desks"])


def test_settings_come_from_where_they_are_said_to(domain, pc1):
    domain.gpo("Site", registry_pol(dword("OfflineExpirationPercent", 25), text("OfflineExpirationStoreNames", "MY;Web"),
                                    dword("AEPolicy", 6)))
    domain.modify_dn(f"CN={SITE},CN=Sites,CN=Configuration,{BASE_DN}",
                     "replace: gPLink\ngPLink: [LDAP://"
                     f"CN={domain.ids['Site']},CN=Policies,CN=System,{BASE_DN};0]\n")
    policy = pc1.json("policy", "show")
    assert (policy["aepolicy"], policy["gpo"]) == (1, "Desks")  # the nearer one
    assert (policy["expiry_percent"], policy["expiry_percent_gpo"]) == (25, "Site")
    assert (policy["expiry_stores"], policy["expiry_stores_gpo"]) == (["MY", "Web"], "Site")
    [site] = [g for g in policy["gpos"] if g["name"] == "Site"]
    assert (site["verdict"], site["scope_kind"], site["winner"]) == ("applies", "site", False)


def test_enforced_beats_blocked_and_reads_like_gpresult(domain, pc1):
    domain.gpo("Forced", aepolicy(7))
    domain.gpo("Plain", aepolicy(6))
    domain.link("Forced", BASE_DN, "--enforce")
    domain.link("Plain", BASE_DN)
    domain.tool("gpo", "setinheritance", OU, "block")
    try:
        out = pc1.run("policy", "show", "-v").stdout
    finally:
        domain.tool("gpo", "setinheritance", OU, "inherit")
        domain.tool("gpo", "dellink", BASE_DN, domain.ids["Forced"])
    assert "AEPolicy        0x7: enroll, renew and clean up, fetch pending  (GPO Forced)" in out
    applied, passed_over = out.split("Group policy objects that were passed over")
    applied = applied.split("Applied group policy objects, the strongest first")[1]
    assert [line.strip() for line in applied.splitlines() if line.startswith("    ") and line[4] != " "] == \
        ["Forced  <- AEPolicy", "Desks"]
    assert f"linked to domain {BASE_DN}, enforced" in applied
    assert "    Plain\n" in passed_over and "    Site\n" in passed_over
    assert "inheritance is blocked nearer to the object and the link is not enforced" in passed_over


def test_who_is_denied_does_not_get_it(domain, alice, lab):
    dn = f"CN={domain.ids['People']},CN=Policies,CN=System,{BASE_DN}"
    sid = lab.dc1.run("wbinfo", "-n", "alice").stdout.split()[0]
    sam = "/var/lib/samba/private/sam.ldb"
    was = lab.dc1.run("samba-tool", "dsacl", "get", f"--objectdn={dn}", "-H", sam).stdout
    lab.dc1.run("samba-tool", "dsacl", "set", f"--objectdn={dn}", "-H", sam,
                f"--sddl=(OD;;CR;edacfd8f-ffb3-11d1-b41d-00a0c968f939;;{sid})")
    try:
        policy = alice.json("policy", "show", "--user")
    finally:
        domain.modify(domain.ids["People"], "replace: nTSecurityDescriptor\n"
                      f"nTSecurityDescriptor: {was[was.index('O:'):].strip()}\n")
    assert the(policy, "People") == ["no-apply"]
    assert policy["text"] == "not configured"


def test_a_wmi_filter_is_said_to_be_taken_as_true(domain, pc1):
    filter = "[lab.example;{F0E1D2C3-0000-1111-2222-333344445555};0]"
    domain.modify(domain.ids["Desks"], f"replace: gPCWQLFilter\ngPCWQLFilter: {filter}\n")
    assert f"its WMI filter {filter} is not evaluated: taken as true" in pc1.run("policy", "show", "-v").stdout
    assert the(pc1.json("policy", "show"), "Desks") == ["applies"]
    domain.modify(domain.ids["Desks"], "delete: gPCWQLFilter\n")


def test_loopback(domain, pc1, alice):
    """Who sits at pc1 gets what pc1's place says: after his own policy, or instead of it."""
    domain.write("People", registry_pol(dword("AEPolicy", 6), dword("OfflineExpirationPercent", 30)), "User")
    domain.gpo("Kiosk", registry_pol(dword("AEPolicy", 7), dword("UserPolicyMode", 1, SYSTEM)))
    domain.write("Kiosk", aepolicy(1), "User")
    domain.link("Kiosk", OU)
    # A computer's policy counts once it was applied there, as on Windows.
    assert alice.json("policy", "show", "--user")["aepolicy"] == 6
    pc1.run("pulse")
    policy = alice.json("policy", "show", "--user")
    assert (policy["loopback"], policy["loopback_gpo"]) == ("merge", "Kiosk")
    assert (policy["aepolicy"], policy["gpo"]) == (1, "Kiosk")
    assert (policy["expiry_percent"], policy["expiry_percent_gpo"]) == (30, "People")
    assert [g["name"] for g in policy["gpos"] if g["loopback"] and g["verdict"] == "applies"] == ["Kiosk"]

    domain.write("Kiosk", registry_pol(dword("AEPolicy", 7), dword("UserPolicyMode", 2, SYSTEM)))
    pc1.run("pulse")
    policy = alice.json("policy", "show", "--user")
    assert (policy["loopback"], policy["aepolicy"]) == ("replace", 1)
    assert policy["expiry_percent"] == 10
    assert the(policy, "People") == []
    assert "of the computer by loopback" in alice.run("policy", "show", "--user", "-v").stdout

    domain.tool("gpo", "dellink", OU, domain.ids["Kiosk"])
    pc1.run("pulse")
    assert alice.json("policy", "show", "--user")["loopback"] == "off"


def test_a_list_of_policy_servers(domain, pc1, lab):
    def entry(name, url, ident, flags=0x14, cost=1):
        key = f"{SERVERS}\\{name}"
        return [text("URL", url, key), text("PolicyID", ident, key), dword("Flags", flags, key),
                dword("AuthFlags", 2, key), dword("Cost", cost, key)]

    def policy(*entries):
        domain.write("Desks", registry_pol(instruction("**DeleteKeys", 1, wide("old\0"), SERVERS),
                                           dword("AEPolicy", 7), *[i for e in entries for i in e]))
        report = pc1.json("pulse", "--dry-run")
        return report["policy"], {r["check"] for r in report["policy_reasons"]}

    raw = lab.ldbsearch("(objectClass=domain)", "objectGUID")[0]["objectGUID"][0]
    forest = "{" + raw.upper() + "}"
    got, checks = policy(entry("old", "https://old/x", forest), entry("a", "LDAP:", forest))
    assert [(s["url"], s["verdict"]) for s in got["policy_servers"]] == [("LDAP:", "used"), ("https://old/x", "web")]
    assert "policy.enabled" in checks
    for entries, check in ((entry("a", "https://cep/x", forest), "policy.policyserver-override"),
                           (entry("a", "LDAP:", forest, flags=4), "policy.policyserver-autoenroll-flag-off"),
                           (entry("a", "LDAP:", "{" + "1" * 8 + forest[9:]), "policy.policyid-mismatch")):
        got, checks = policy(entries)
        assert got["policy_servers_check"]["check"] == check
        assert checks == {check}
    domain.write("Desks", aepolicy(1))


def test_log_level_of_a_gpo(domain, pc1):
    """3 is the default, and all the same something that a policy may say."""
    def level(said):
        domain.write("Desks", registry_pol(dword("AEPolicy", 1), *said))
        pc1.run("pulse")
        answer = pc1.json("log", "level")
        return answer["log_level"], answer["source"]
    key = "Software\\Microsoft\\Cryptography\\AutoEnrollment"
    assert level([dword("LogLevel", 4, key), dword("MaxPendingRequestDays", 9, key)]) == (4, "policy")
    policy = pc1.json("policy", "show")
    assert (policy["max_pending_days"], policy["max_pending_days_gpo"]) == (9, "Desks")
    assert level([dword("LogLevel", 3, key)]) == (3, "policy")
    assert level([]) == (3, "default")


def test_the_local_layer(pc1, alice):
    path = pc1.host.path("/etc/autoenroll/policy.conf")
    path.write_text("# why\n[computer]\nlog-level = 4\n")
    pc1.run("policy", "set", "AEPolicy=0x7", "OfflineExpirationStoreNames=MY;Web")
    assert path.read_text() == "# why\n[computer]\nlog-level = 4\nae-policy = 0x7\nstore = MY\nstore = Web\n"
    policy = pc1.json("policy", "show")
    assert (policy["aepolicy"], policy["source"]) == (7, "local")
    assert "(from the local layer, policy.conf)" in pc1.run("policy", "show").stdout
    # It is in force at once, and taken back the same way.
    pc1.run("policy", "set", "LogLevel=5")
    assert pc1.json("log", "level")["log_level"] == 5
    pc1.run("policy", "set", "AEPolicy=default", "OfflineExpirationStoreNames=default", "LogLevel=default")
    assert path.read_text() == "# why\n[computer]\n"
    # Nothing that a run would refuse is written.
    for wrong in ("AEPolicy=x", "AEPolicy=0x10000", "LogLevel=6", "Cost=1", "AEPolicy"):
        assert pc1.run("policy", "set", wrong, check=False).returncode == 2, wrong
    assert path.read_text() == "# why\n[computer]\n"


def test_a_users_own_layer_is_under_the_administrators(pc1, alice):
    alice.run("policy", "set", "--user", "AEPolicy=0x1")
    policy = alice.json("policy", "show", "--user")
    assert (policy["aepolicy"], policy["source"]) == (1, "user")
    pc1.run("policy", "set", "--user", "AEPolicy=0x8000")
    policy = alice.json("policy", "show", "--user")
    assert (policy["text"], policy["source"]) == ("disabled", "local")
    pc1.run("policy", "set", "--user", "AEPolicy=default")
    alice.run("policy", "set", "--user", "AEPolicy=default")
    assert alice.json("policy", "show", "--user")["source"] == "gpo"
    done = alice.run("policy", "set", "AEPolicy=0x7", check=False)
    assert done.returncode == 4 and "--user" in done.stderr


def test_what_was_started_by_sudo_is_recognised(alice):
    assert "logon" not in alice.json("policy", "show", "--user")
    logon = alice.json("policy", "show", "--user", env={"SUDO_USER": "bob"})["logon"]
    assert logon["runas"] and logon["check"] == "env.runas-no-gpo"
    assert "out of a session of bob" in logon["text"]
    out = alice.run("policy", "show", "--user", env={"SUDO_USER": "bob"}).stdout
    assert "env.runas-no-gpo: started by sudo" in out
    assert "Windows applies no group policy to such a process" in out


def test_without_a_domain_controller(domain, pc1, alice, lab):
    """What was read last holds, and says how old it is; what comes next replaces it."""
    domain.write("Desks", aepolicy(7))
    domain.write("People", aepolicy(7), "User")
    pc1.run("pulse")
    alice.run("pulse", "--user")
    lab.dc1.refuse(389)
    try:
        for policy in (pc1.json("policy", "show"), alice.json("policy", "show", "--user")):
            assert (policy["fresh"], policy["aepolicy"], policy["source"]) == (False, 7, "gpo")
            assert policy["age"] >= 0 and policy["not_fresh_because"]
        out = pc1.run("policy", "show").stdout
        assert "Policy of this computer, as dc1.lab.example gave it at " in out
        assert "nothing newer: " in out
        # A local layer set meanwhile holds all the same.
        pc1.run("policy", "set", "AEPolicy=0x6")
        assert pc1.json("policy", "show")["aepolicy"] == 6
        pc1.run("policy", "set", "AEPolicy=default")
    finally:
        lab.dc1.heal()
    domain.write("Desks", aepolicy(1))
    policy = pc1.json("policy", "show")
    assert policy["fresh"] and policy["aepolicy"] == 1


def test_without_sysvol(domain, pc1, lab):
    """The directory answers, the files cannot be read: a run goes on with the last good policy."""
    pc1.run("pulse")
    domain.write("Desks", aepolicy(6))
    lab.dc1.refuse(445)
    try:
        report = pc1.json("pulse")
    finally:
        lab.dc1.heal()
    assert not report["policy"]["fresh"] and report["policy"]["aepolicy"] == 1
    assert "SYSVOL" in report["policy"]["not_fresh_because"]
    assert report["policy"]["not_fresh_check"] == "policy.sysvol-unreadable"
    assert pc1.json("pulse")["policy"]["aepolicy"] == 6
    # Who never had one does not guess.
    pc1.host.run("rm -f /var/lib/autoenroll/policy.last /var/lib/autoenroll/policy.cache")
    lab.dc1.refuse(445)
    try:
        done = pc1.run("pulse", check=False)
    finally:
        lab.dc1.heal()
    assert done.returncode != 0 and "SYSVOL" in done.stderr
