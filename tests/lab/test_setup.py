# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""What certsrv setup does to a directory that has never seen a CA, and to one that has."""
import json

import pytest

from ca import PKS_DN, READ, template_ldif
from lab import BASE_DN, Lab

NAME = "Setup CA"
SAM = "/var/lib/samba/private/sam.ldb"
DC_TEMPLATE = f"CN=KerberosAuthentication,CN=Certificate Templates,{PKS_DN}"


@pytest.fixture(scope="module")
def lab():
    """A lab of its own: it begins empty."""
    with Lab("test-setup") as running:
        yield running


class Setup:
    def __init__(self, lab, build):
        self.lab, self.build = lab, build
        lab.ca1.run("openssl req -x509 -newkey rsa:2048 -nodes -keyout /run/ca.key -out /run/ca.pem "
                    f"-subj '/CN={NAME}' -days 3650 && "
                    "openssl x509 -in /run/ca.pem -outform DER -out /run/ca.der")
        self.der = lab.ca1.path("/run/ca.der").read_bytes()

    def __call__(self, *words, name=NAME, host="ca1.lab.example", check=True):
        self.lab.ca1.kinit("Administrator", self.lab.admin_password)
        out = self.lab.ca1.run(self.build / "tests/lab/adprobe", "setup", self.lab.dc1.fqdn, name, host,
                               "CA1$", "/run/ca.der", self.build / "prog/sysvol/sysvol", *words, check=check)
        return json.JSONDecoder().raw_decode(out.stdout)[0] if check else out

    def find(self, base, scope="base", filter="(objectClass=*)", *attributes):
        self.lab.pc1.kinit_machine()
        return self.lab.pc1.ldapsearch(base, scope, filter, *attributes)


@pytest.fixture(scope="module")
def setup(lab, build):
    return Setup(lab, build)


def directory(setup):
    """Everything setup could touch, as the DC has it."""
    return setup.lab.dc1.run(
        f"ldbsearch -H {SAM} -b {PKS_DN} --cross-ncs 2>/dev/null | grep -v '^#'; "
        f"ldbsearch -H {SAM} -b CN=Policies,CN=System,{BASE_DN} | grep -v '^#'; "
        f"ldbsearch -H {SAM} -b {BASE_DN} -s base gPLink; "
        "cd /var/lib/samba/sysvol && find . -type f | sort | xargs md5sum").stdout


def test_dry_run_changes_nothing(setup):
    before = directory(setup)
    report = setup("dry")
    assert report["changes"] > 20
    assert directory(setup) == before


def test_from_empty_and_again(setup):
    said = setup("dry")["steps"]
    did = setup()
    assert did["steps"] == said  # the dry run told the truth
    after = directory(setup)
    again = setup()
    assert again["changes"] == 0
    assert {step[0] for step in again["steps"]} == {"keep"}
    assert directory(setup) == after
    check = setup.lab.dc1.run("samba-tool dbcheck --cross-ncs").stdout
    assert "(0 errors)" in check


def test_what_clients_read(setup):
    """The list of targets/interop: what adsys and Samba's client look for."""
    [service] = setup.find(f"CN={NAME},CN=Enrollment Services,{PKS_DN}")
    assert service["dNSHostName"] == ["ca1.lab.example"]
    assert service["displayName"] == [NAME] and service["flags"] == ["10"]
    assert service["cACertificate"] == [setup.der]
    assert "cACertificateDN" in service
    assert set(service["certificateTemplates"]) == {"Workstation", "ComputerLogon",
                                                    "KerberosAuthentication", "WebServer", "User"}
    for rdn in (f"CN={NAME},CN=AIA", f"CN={NAME},CN=Certification Authorities", "CN=NTAuthCertificates"):
        [entry] = setup.find(f"{rdn},{PKS_DN}")
        assert entry["cACertificate"] == [setup.der]
    [agents] = setup.find(f"CN={NAME},CN=KRA,{PKS_DN}")  # none yet
    assert agents["userCertificate"] == [b"\0"]
    [cdp] = setup.find(f"CN={NAME},CN=ca1,CN=CDP,{PKS_DN}")
    assert "cRLDistributionPoint" in cdp["objectClass"]
    templates = setup.find(f"CN=Certificate Templates,{PKS_DN}", "one",
                           "(objectClass=pKICertificateTemplate)", "*", "nTSecurityDescriptor")
    for template in templates:
        for name in ("flags", "revision", "msPKI-Template-Schema-Version", "msPKI-Template-Minor-Revision",
                     "msPKI-Enrollment-Flag", "msPKI-Private-Key-Flag", "msPKI-Certificate-Name-Flag",
                     "msPKI-Minimal-Key-Size", "msPKI-RA-Signature", "msPKI-Cert-Template-OID",
                     "pKIDefaultCSPs", "pKIExtendedKeyUsage", "pKIKeyUsage", "pKIExpirationPeriod",
                     "pKIOverlapPeriod"):
            assert name in template, (template["cn"], name)
        assert int(template["msPKI-Template-Schema-Version"][0]) >= 2
    # no arc that a client with 32-bit arcs stumbles over, none used twice, each with its object
    oids = [t["msPKI-Cert-Template-OID"][0] for t in templates]
    assert len(set(oids)) == len(oids)
    assert all(int(arc) < 1 << 31 for oid in oids for arc in oid.split("."))
    objects = setup.find(f"CN=OID,{PKS_DN}", "one", "(flags=1)", "msPKI-Cert-Template-OID")
    assert {o["msPKI-Cert-Template-OID"][0] for o in objects} == set(oids)


def test_kdc_template(setup):
    [template] = setup.find(DC_TEMPLATE)
    assert "1.3.6.1.5.2.3.5" in template["pKIExtendedKeyUsage"]


def test_policy_holds_for_members(setup):
    out = setup.lab.pc1.run(f"kinit -k '{setup.lab.pc1.account}' && echo | "
                            f"{setup.build}/tests/lab/adprobe policy {setup.lab.dc1.fqdn} "
                            f"'{setup.lab.pc1.account}' {setup.build}/prog/sysvol/sysvol "
                            "Default-First-Site-Name computer").stdout
    got = json.loads(out)
    assert got["ae_policy"] == {"value": 7, "from": "gpo", "gpo": "Certificate Auto-Enrollment"}
    listed = setup.lab.dc1.run("samba-tool", "gpo", "list", setup.lab.pc1.account, "-U",
                               f"Administrator%{setup.lab.admin_password}").stdout
    assert "Certificate Auto-Enrollment" in listed
    [gpo] = setup.find(f"CN=Policies,CN=System,{BASE_DN}", "one",
                       "(displayName=Certificate Auto-Enrollment)")
    version = int(gpo["versionNumber"][0])
    assert version >> 16 and version & 0xffff
    folder = setup.lab.dc1.path(f"/var/lib/samba/sysvol/lab.example/Policies/{gpo['cn'][0]}")
    assert f"Version={version}" in (folder / "GPT.INI").read_text()
    assert (folder / "User/Registry.pol").read_bytes() == (folder / "Machine/Registry.pol").read_bytes()
    for names in ("gPCMachineExtensionNames", "gPCUserExtensionNames"):
        assert gpo[names][0].startswith("[{35378EAC-683F-11D2-A89A-00C04FBBCFA2}{")


def test_policy_files_belong_to_administrators(setup):
    [gpo] = setup.find(f"CN=Policies,CN=System,{BASE_DN}", "one",
                       "(displayName=Certificate Auto-Enrollment)", "cn")
    sddl = setup.lab.dc1.run("samba-tool", "ntacl", "get", "--as-sddl",
                             f"/var/lib/samba/sysvol/lab.example/Policies/{gpo['cn'][0]}"
                             "/Machine/Registry.pol").stdout
    assert ";;;PA)" not in sddl  # Group Policy Creator Owners
    assert "(A;;0x001200a9;;;AU)" in sddl


def test_changed_policy_is_put_right_and_rises(setup):
    [gpo] = setup.find(f"CN=Policies,CN=System,{BASE_DN}", "one",
                       "(displayName=Certificate Auto-Enrollment)")
    before = int(gpo["versionNumber"][0])
    folder = setup.lab.dc1.path(f"/var/lib/samba/sysvol/lab.example/Policies/{gpo['cn'][0]}")
    pol = folder / "Machine/Registry.pol"
    wanted = pol.read_bytes()
    at = wanted.index(b"\7\0\0\0]")
    pol.write_bytes(wanted[:at] + b"\1" + wanted[at + 1:])
    report = setup()
    assert report["changes"] == 4  # three files and versionNumber
    assert pol.read_bytes() == wanted
    [gpo] = setup.find(f"CN=Policies,CN=System,{BASE_DN}", "one",
                       "(displayName=Certificate Auto-Enrollment)")
    after = int(gpo["versionNumber"][0])
    assert (after >> 16, after & 0xffff) == ((before >> 16) + 1, (before & 0xffff) + 1)
    assert setup()["changes"] == 0


def test_somebodys_template_stays(setup):
    """An administrator's own Workstation is neither changed nor replaced."""
    dn = f"CN=Workstation,CN=Certificate Templates,{PKS_DN}"
    setup.lab.dc1.run("ldbdel", "-H", SAM, dn)
    setup.lab.dc1.run("ldbadd", "-H", SAM, input=template_ldif("Workstation", "1.2.840.1", READ))
    before = setup.find(dn)
    report = setup()
    [step] = [s for s in report["steps"] if s[1] == dn]
    assert step[0] == "leave"
    assert setup.find(dn) == before
    assert report["changes"] == 0


def test_somebodys_choice_of_templates_stays(setup):
    dn = f"CN={NAME},CN=Enrollment Services,{PKS_DN}"
    setup.lab.dc1.run("ldbmodify", "-H", SAM, input=(
        f"dn: {dn}\nchangetype: modify\nreplace: certificateTemplates\ncertificateTemplates: User\n"))
    assert setup()["changes"] == 0
    assert setup.find(dn)[0]["certificateTemplates"] == ["User"]


def test_another_hosts_ca_is_not_taken_over(setup):
    failed = setup(host="ca9.lab.example", check=False)
    assert failed.returncode != 0
    assert "is on ca1.lab.example already" in failed.stdout


def test_without_the_right_to_do_it(setup):
    setup.lab.ca1.kinit("alice", setup.lab.user_password)
    failed = setup.lab.ca1.run(setup.build / "tests/lab/adprobe", "setup", setup.lab.dc1.fqdn, "Other CA",
                               "ca1.lab.example", "CA1$", "/run/ca.der",
                               setup.build / "prog/sysvol/sysvol", check=False)
    assert failed.returncode != 0
    assert "AE_EDENIED" in failed.stdout
