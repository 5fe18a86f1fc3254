# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""The room ad against a real Samba DC, as pc1 with its keytab."""
import json
import struct
import subprocess
import time

import pytest

from ca import ENROLL, PKS_DN, READ, template_ldif
from lab import BASE_DN, DOMAIN, REALM


class Probe:
    def __init__(self, host, program):
        self.host, self.program = host, program

    def __call__(self, *words, check=True, env=None, input=None):
        done = self.host.run(self.program, *words, check=False, env=env, input=input)
        out = json.loads(done.stdout)
        if check:
            assert done.returncode == 0, (out, done.stderr)
        return out

    def fails(self, *words, env=None):
        done = self.host.run(self.program, *words, check=False, env=env)
        assert done.returncode != 0
        return json.loads(done.stdout)


@pytest.fixture
def probe(lab, build):
    lab.pc1.kinit_machine()
    return Probe(lab.pc1, build / "tests/lab/adprobe")


@pytest.fixture
def ldif(lab):
    """Puts text into the DC's database, and takes those entries away after the test."""
    added = []

    def add(text):
        lab.dc1.run("ldbadd", "-H", "/var/lib/samba/private/sam.ldb", input=text)
        added.extend(line[4:] for line in text.splitlines() if line.startswith("dn: "))

    yield add
    for dn in reversed(added):
        lab.dc1.run("ldbdel", "-H", "/var/lib/samba/private/sam.ldb", dn, check=False)


def test_locates_the_dc(lab, probe):
    found = probe("locate", DOMAIN)
    assert found["host"] == lab.dc1.fqdn
    assert found["domain"] == DOMAIN and found["netbios_domain"] == "LAB"
    assert found["client_site"] == "Default-First-Site-Name"
    assert probe("locate", DOMAIN, found["client_site"]) == found
    # a site that is not ours any more does not lead astray
    assert probe("locate", DOMAIN, "Nowhere") == found


def test_no_such_domain(probe):
    assert probe.fails("locate", "nowhere.example")["error"] in ("AE_ENOTFOUND", "AE_EUNAVAIL")


def test_ping_of_another_domain_is_not_answered(lab, probe):
    assert probe.fails("ping", lab.dc1.fqdn, "other.example")["error"] == "AE_EPROTO"


def test_root_and_domain(lab, probe):
    root = probe("root", lab.dc1.fqdn)
    assert root["default"] == BASE_DN
    assert root["config"] == f"CN=Configuration,{BASE_DN}"
    sid = lab.dc1.run("net", "getdomainsid", check=False).stdout
    assert root["sid"] in sid or root["sid"].startswith("S-1-5-21-")
    assert (root["dns"], root["netbios"]) == (DOMAIN, "LAB")


def test_keytab_without_any_environment(lab, build):
    probe = Probe(lab.pc1, build / "tests/lab/adprobe")
    root = probe("root", lab.dc1.fqdn, env={"ADPROBE_KEYTAB": "/etc/krb5.keytab",
                                            "ADPROBE_PRINCIPAL": f"{lab.pc1.account}@{REALM}"})
    assert root["default"] == BASE_DN


def test_no_ticket_no_directory(lab, build):
    probe = Probe(lab.pc1, build / "tests/lab/adprobe")
    failed = probe.fails("root", lab.dc1.fqdn)
    assert failed["error"] == "AE_EAUTH"
    assert "credential" in failed["text"].lower()


def test_the_session_is_sealed(lab, probe, tmp_path):
    """Nothing of what is asked or answered is readable on the wire."""
    tmp_path.chmod(0o777)
    with lab.pc1.capture(tmp_path / "ldap.pcapng", "port 389"):
        probe("principal", lab.dc1.fqdn, lab.pc1.account)
    wire = (tmp_path / "ldap.pcapng").read_bytes()
    assert len(wire) > 2000
    assert b"GSSAPI" in wire  # the bind
    for secret in (b"userAccountControl", b"tokenGroups", b"CN=Computers"):
        assert secret not in wire


def test_principal(lab, probe):
    me = probe("principal", lab.dc1.fqdn, lab.pc1.account)
    [entry] = lab.pc1.ldapsearch(BASE_DN, "sub", f"(sAMAccountName={lab.pc1.account})",
                                 "primaryGroupID", "userPrincipalName")
    assert me["dns"] == lab.pc1.fqdn
    assert me["computer"] and me["user"]
    assert me["uac"] & 0x1000
    assert me["upn"] == entry["userPrincipalName"][0]
    assert (me["domain_dns"], me["domain_netbios"]) == (DOMAIN, "LAB")
    assert me["dns_owners"] == 0
    domain = me["sid"].rsplit("-", 1)[0]
    assert f"{domain}-{entry['primaryGroupID'][0]}" in me["groups"]


def test_nested_groups_count(lab, probe):
    lab.dc1.run("samba-tool group add ad-inner && samba-tool group add ad-outer && "
                "samba-tool group addmembers ad-outer ad-inner && "
                f"samba-tool group addmembers ad-inner '{lab.pc1.account}'")
    try:
        [outer] = lab.pc1.ldapsearch(BASE_DN, "sub", "(cn=ad-outer)", "objectSid")
        raw = outer["objectSid"][0]
        sid = "S-1-5-" + "-".join(str(n) for n in struct.unpack("<5I", raw[8:28]))
        assert sid in probe("principal", lab.dc1.fqdn, lab.pc1.account)["groups"]
    finally:
        lab.dc1.run("samba-tool group delete ad-inner && samba-tool group delete ad-outer")


def test_someone_with_my_dns_name_is_counted(lab, probe):
    lab.dc1.run("samba-tool computer create ad-twin")
    try:
        lab.dc1.run("ldbmodify", "-H", "/var/lib/samba/private/sam.ldb", input=(
            f"dn: CN=AD-TWIN,CN=Computers,{BASE_DN}\nchangetype: modify\n"
            f"replace: dNSHostName\ndNSHostName: {lab.pc1.fqdn}\n"))
        assert probe("principal", lab.dc1.fqdn, lab.pc1.account)["dns_owners"] == 1
    finally:
        # Not "samba-tool computer delete": that removes the DNS records of the name, pc1's.
        lab.dc1.run("ldbdel", "-H", "/var/lib/samba/private/sam.ldb", f"CN=AD-TWIN,CN=Computers,{BASE_DN}")
    assert lab.pc1.run("dig", "+short", lab.pc1.fqdn).stdout.strip() == lab.pc1.address


def test_unknown_account(lab, probe):
    assert probe.fails("principal", lab.dc1.fqdn, "NOBODY$")["error"] == "AE_ENOTFOUND"
    # a name is a value, not a piece of filter
    assert probe.fails("principal", lab.dc1.fqdn, "*")["error"] == "AE_ENOTFOUND"


def test_values_beyond_the_range_limit(lab, probe):
    found = probe("search", lab.dc1.fqdn, f"CN=Administrators,CN=Builtin,{BASE_DN}",
                  "(objectClass=group)", "member;range=0-0")
    [entry] = lab.pc1.ldapsearch(f"CN=Administrators,CN=Builtin,{BASE_DN}", "base",
                                 "(objectClass=*)", "member")
    assert sorted(bytes.fromhex(v).decode() for v in found[0]["member"]) == sorted(entry["member"])
    assert len(entry["member"]) > 1


def test_more_than_a_page(lab, probe):
    schema = f"CN=Schema,CN=Configuration,{BASE_DN}"
    found = probe("search", lab.dc1.fqdn, schema, "(objectClass=attributeSchema)", "cn")
    assert len(found) > 1000
    assert len({e["dn"] for e in found}) == len(found)


def test_template_is_what_ldap_says(lab, probe, ldif):
    ldif(template_ldif("AdReal", "1.3.6.1.4.1.311.21.8.1.2.3.4", f"{READ}(OA;;CR;{ENROLL};;DC)",
                       **{"msPKI-Certificate-Name-Flag": 0xA6000000}))
    [entry] = lab.pc1.ldapsearch(f"CN=Certificate Templates,{PKS_DN}", "one", "(cn=AdReal)", "*")
    [got] = [t for t in probe("pki", lab.dc1.fqdn)["templates"] if t["cn"] == "AdReal"]
    assert got["name_flag"] == 0xA6000000
    assert int(entry["msPKI-Certificate-Name-Flag"][0]) == 0xA6000000 - (1 << 32)
    assert sorted(got["ekus"]) == sorted(entry["pKIExtendedKeyUsage"])
    assert got["validity"] == 365 * 86400 and got["overlap"] == 42 * 86400
    assert got["dacl"]


def test_nonsense_is_left_out_and_named(lab, probe, ldif):
    good = template_ldif("AdGood", "1.3.6.1.4.1.311.21.8.1.2.3.5", READ)
    bad = template_ldif("AdBad", "1.3.6.1.4.1.311.21.8.1.2.3.6", READ).replace(
        "pKIExpirationPeriod:: AEA5hy7h/v8=", "pKIExpirationPeriod:: AAAAAAAAAAE=")
    ldif(good + bad)
    pki = probe("pki", lab.dc1.fqdn)
    assert "AdGood" in [t["cn"] for t in pki["templates"]]
    assert "AdBad" not in [t["cn"] for t in pki["templates"]]
    [refused] = [r for r in pki["refused"] if "AdBad" in r["dn"]]
    assert "pKIExpirationPeriod" in refused["why"]


def test_changes_are_seen_and_quiet_is_cheap(lab, build, ldif):
    lab.pc1.kinit_machine()
    command = lab.pc1.command(build / "tests/lab/adprobe", "changed", lab.dc1.fqdn)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        def ask():
            p.stdin.write("\n")
            p.stdin.flush()
            return p.stdout.readline().strip()

        sam = "/var/lib/samba/private/sam.ldb"
        dn = f"CN=AdWatch,CN=Certificate Templates,{PKS_DN}"
        assert ask() == "changed"  # the first time
        assert ask() == "same"
        ldif(template_ldif("AdWatch", "1.3.6.1.4.1.311.21.8.1.2.3.7", READ))
        assert ask() == "changed"
        assert ask() == "same"
        # something else in the domain: a commit, but not ours
        lab.dc1.run("samba-tool user edit alice --editor=true; "
                    f"printf 'dn: CN=alice,CN=Users,{BASE_DN}\\nchangetype: modify\\n"
                    f"replace: description\\ndescription: ad {time.time()}\\n' | ldbmodify -H {sam}")
        assert ask() == "same"
        # rights alone
        lab.dc1.run(f"printf 'dn: {dn}\\nchangetype: modify\\nreplace: nTSecurityDescriptor\\n"
                    f"nTSecurityDescriptor: O:DAG:DAD:{READ}(OA;;CR;{ENROLL};;DC)\\n' | "
                    f"ldbmodify -H {sam}")
        assert ask() == "changed"
        lab.dc1.run("ldbdel", "-H", sam, dn)
        assert ask() == "changed"  # a deletion
        assert ask() == "same"
        p.stdin.close()
        assert p.wait(10) == 0


@pytest.mark.parametrize("fault", ["drop", "refuse"])
def test_dc_away(lab, probe, fault):
    # the service ticket first, so that it is LDAP that fails
    probe("root", lab.dc1.fqdn)
    getattr(lab.dc1, fault)(389)
    try:
        started = time.monotonic()
        failed = probe.fails("root", lab.dc1.fqdn)
        assert failed["error"] in ("AE_EUNAVAIL", "AE_ETIMEDOUT")
        assert failed["text"].startswith(f"LDAP at {lab.dc1.fqdn}: bind")
        assert time.monotonic() - started < 20
        assert probe.fails("locate", DOMAIN)["error"] in ("AE_EUNAVAIL", "AE_ETIMEDOUT")
    finally:
        lab.dc1.heal()
