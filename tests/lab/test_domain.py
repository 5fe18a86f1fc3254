# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""The domain itself: what every other test here takes for granted."""
import re

import pytest

from lab import BASE_DN, DOMAIN, REALM, CommandFailed

MEMBERS = ["ca1", "pc1"]


def test_srv_records_lead_to_the_dc(lab):
    for service, port in [("_ldap._tcp", 389), ("_kerberos._tcp", 88), ("_kerberos._udp", 88),
                          ("_ldap._tcp.dc._msdcs", 389), ("_gc._tcp", 3268),
                          ("_ldap._tcp.Default-First-Site-Name._sites.dc._msdcs", 389)]:
        answer = lab.pc1.run("dig", "+short", "SRV", f"{service}.{DOMAIN}").stdout.split()
        assert answer[2:] == [str(port), f"{lab.dc1.fqdn}."], service


@pytest.mark.parametrize("name", ["dc1", "ca1", "pc1"])
def test_names_resolve_both_ways(lab, name):
    host = lab.hosts[name]
    other = lab.pc1 if name != "pc1" else lab.ca1
    assert other.run("dig", "+short", host.fqdn).stdout.strip() == host.address
    assert other.run("dig", "+short", "-x", host.address).stdout.strip() == host.fqdn + "."
    assert host.run("hostname", "-f").stdout.strip() == host.fqdn


@pytest.mark.parametrize("name", ["dc1", "ca1", "pc1"])
def test_a_host_logs_in_with_its_keytab(lab, name):
    host = lab.hosts[name]
    host.kinit_machine()
    assert f"krbtgt/{REALM}@{REALM}" in host.run("klist").stdout


@pytest.mark.parametrize("service", ["host", "RPCSS", "rpc", "cifs", "RestrictedKrbHost"])
def test_pc1_gets_a_ticket_that_ca1_can_read(lab, service):
    lab.pc1.kinit_machine()
    principal = f"{service}/{lab.ca1.fqdn}"
    kvno = lab.pc1.run("kvno", principal).stdout
    keytab = lab.ca1.run("klist", "-k").stdout
    number = re.search(r"kvno = (\d+)", kvno).group(1)
    assert re.search(rf"^ +{number} {re.escape(principal)}@{REALM}$", keytab, re.M)


def test_pc1_reads_the_directory_as_itself(lab):
    lab.pc1.kinit_machine()
    [entry] = lab.pc1.ldapsearch(BASE_DN, "sub", f"(sAMAccountName={lab.pc1.account})",
                                 "dNSHostName", "userPrincipalName", "servicePrincipalName")
    assert entry["dNSHostName"] == [lab.pc1.fqdn]
    assert entry["userPrincipalName"] == [lab.pc1.principal]
    assert f"RPCSS/{lab.pc1.fqdn}" in entry["servicePrincipalName"]


def test_the_directory_wants_a_login(lab):
    done = lab.pc1.run("ldapsearch", "-x", "-H", f"ldap://{lab.dc1.fqdn}", "-b", BASE_DN,
                       "(cn=pc1)", check=False)
    assert done.returncode != 0
    assert "Operations error" in done.stderr + done.stdout


def test_the_root_dse_names_the_configuration(lab):
    out = lab.pc1.run("ldapsearch", "-x", "-LLL", "-H", f"ldap://{lab.dc1.fqdn}", "-b", "",
                      "-s", "base", "configurationNamingContext").stdout
    assert f"configurationNamingContext: CN=Configuration,{BASE_DN}" in out


@pytest.mark.parametrize("name", MEMBERS)
def test_members_are_domain_computers(lab, name):
    host = lab.hosts[name]
    host.kinit_machine()
    [entry] = host.ldapsearch(BASE_DN, "sub", f"(sAMAccountName={host.account})",
                              "primaryGroupID", "distinguishedName")
    assert entry["primaryGroupID"] == ["515"]
    [tokens] = host.ldapsearch(entry["distinguishedName"][0], "base", "(objectClass=*)",
                               "tokenGroups")
    rids = {int.from_bytes(sid[-4:], "little") for sid in tokens["tokenGroups"]}
    assert 515 in rids


def test_sysvol_is_readable_as_a_machine(lab):
    lab.pc1.kinit_machine()
    listing = lab.pc1.run("smbclient", f"//{lab.dc1.fqdn}/sysvol", "--use-kerberos=required",
                          "-c", f"cd {DOMAIN}\\Policies; ls").stdout
    # The Default Domain Policy has this name in every domain.
    assert "{31B2F340-016D-11D2-945F-00C04FB984F9}" in listing


def test_sysvol_is_not_writable_as_a_machine(lab, tmp_path):
    (tmp_path / "x").write_text("x")
    lab.pc1.kinit_machine()
    done = lab.pc1.run("smbclient", f"//{lab.dc1.fqdn}/sysvol", "--use-kerberos=required",
                       "-c", f"cd {DOMAIN}\\Policies; put {tmp_path}/x x", check=False)
    assert "NT_STATUS_ACCESS_DENIED" in done.stdout + done.stderr


@pytest.mark.parametrize("user", ["alice", "bob"])
def test_people_log_in(lab, user):
    lab.pc1.kinit(user, lab.user_password)
    assert f"{user}@{REALM}" in lab.pc1.run("klist").stdout


def test_a_wrong_password_is_refused(lab):
    with pytest.raises(CommandFailed, match="Preauthentication failed|Password incorrect"):
        lab.pc1.kinit("alice", "not-the-password")


def test_the_admin_may_write(lab):
    lab.kinit_admin(lab.ca1)
    change = (f"dn: CN=Computers,{BASE_DN}\nchangetype: modify\n"
              "replace: description\ndescription: written from ca1\n")
    lab.ca1.run("ldapmodify", "-Q", "-Y", "GSSAPI", "-H", f"ldap://{lab.dc1.fqdn}", input=change)
    [entry] = lab.ldbsearch("(cn=Computers)", "description")
    assert entry["description"] == ["written from ca1"]


def test_the_endpoint_mapper_answers(lab):
    out = lab.pc1.run("rpcclient", f"ncacn_ip_tcp:{lab.dc1.fqdn}[135]", "-U%",
                      "-c", "epmlookup").stdout
    assert "ncacn_ip_tcp" in out
