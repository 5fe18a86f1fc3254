# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Group policy as pc1 sees it: the choice compared with samba-tool's, the files over SMB."""
import json
import struct
import subprocess

import pytest

from gpo import SITE, Domain, aepolicy, instruction, wide
from lab import BASE_DN, Lab

APPLYING = {"applies", "empty", "no-registry", "file-missing", "file-bad"}


@pytest.fixture(scope="module")
def lab():
    """A lab of its own: these tests rearrange the domain."""
    with Lab("test-policy") as running:
        yield running


@pytest.fixture(scope="module")
def domain(lab, build):
    d = Domain(lab, build)
    dc = lab.dc1
    dc.run(f"samba-tool ou create OU=Outer,{BASE_DN} && "
           f"samba-tool ou create OU=Inner,OU=Outer,{BASE_DN} && "
           f"samba-tool computer move {lab.pc1.account} OU=Inner,OU=Outer,{BASE_DN}")
    return d


def applying(settings):
    return {g["name"] for g in settings["gpos"] if g["verdict"] in APPLYING}


def sambas(domain):
    out = domain.tool("gpo", "list", domain.lab.pc1.account)
    return {line.strip().rsplit(" ", 1)[0] for line in out.splitlines() if "{" in line}


def test_nothing_configured(domain):
    got = domain.settings()
    assert got["ae_policy"] == {"value": 0, "from": "default", "gpo": None}
    assert got["text"] == "not configured"
    assert applying(got) == sambas(domain) == {"Default Domain Policy"}


def test_nearest_wins(domain):
    domain.gpo("Outer one", aepolicy(1))
    domain.gpo("Inner six", aepolicy(6))
    domain.link("Outer one", f"OU=Outer,{BASE_DN}")
    got = domain.settings()
    assert got["ae_policy"] == {"value": 1, "from": "gpo", "gpo": "Outer one"}
    assert got["text"] == "enroll"
    domain.link("Inner six", f"OU=Inner,OU=Outer,{BASE_DN}")
    got = domain.settings()
    assert got["ae_policy"] == {"value": 6, "from": "gpo", "gpo": "Inner six"}
    assert applying(got) == sambas(domain)


def test_enforced_wins_over_nearest(domain):
    domain.gpo("Domain seven", aepolicy(7))
    domain.link("Domain seven", BASE_DN, "--enforce")
    got = domain.settings()
    assert got["ae_policy"]["gpo"] == "Domain seven"
    assert applying(got) == sambas(domain)


def test_blocked_inheritance(domain):
    domain.tool("gpo", "setinheritance", f"OU=Inner,OU=Outer,{BASE_DN}", "block")
    got = domain.settings()
    assert applying(got) == sambas(domain) == {"Inner six", "Domain seven"}
    assert [g["verdict"] for g in got["gpos"]].count("blocked") == 2
    domain.tool("gpo", "setinheritance", f"OU=Inner,OU=Outer,{BASE_DN}", "inherit")


def test_disabled_link(domain):
    domain.tool("gpo", "dellink", BASE_DN, domain.ids["Domain seven"])
    domain.link("Domain seven", BASE_DN, "--disable")
    got = domain.settings()
    assert "Domain seven" not in applying(got)
    assert applying(got) == sambas(domain)
    assert got["ae_policy"]["gpo"] == "Inner six"


def test_disabled_half(domain):
    domain.modify(domain.ids["Inner six"], "replace: flags\nflags: 2\n")
    got = domain.settings()
    assert [g["verdict"] for g in got["gpos"] if g["name"] == "Inner six"] == ["half-disabled"]
    assert got["ae_policy"]["gpo"] == "Outer one"
    domain.modify(domain.ids["Inner six"], "replace: flags\nflags: 0\n")


@pytest.mark.parametrize("ace,verdict", [
    ("(OD;;CR;edacfd8f-ffb3-11d1-b41d-00a0c968f939;;{})", "no-apply"),
    ("(D;;RP;;;{})", "unreadable"),
])
def test_security_filtering(domain, ace, verdict):
    """One right is taken from pc1 alone.  samba-tool looks at reading only."""
    dn = f"CN={domain.ids['Inner six']},CN=Policies,CN=System,{BASE_DN}"
    me = domain.lab.dc1.run("wbinfo", "-n", domain.lab.pc1.account).stdout.split()[0]

    sam = "/var/lib/samba/private/sam.ldb"
    was = domain.lab.dc1.run("samba-tool", "dsacl", "get", f"--objectdn={dn}", "-H", sam).stdout
    domain.lab.dc1.run("samba-tool", "dsacl", "set", f"--objectdn={dn}", f"--sddl={ace.format(me)}",
                       "-H", sam)
    try:
        got = domain.settings()
        here = [g for g in got["gpos"] if domain.ids["Inner six"] in g["dn"]]
        assert [g["verdict"] for g in here] == [verdict]
        assert got["ae_policy"]["gpo"] == "Outer one"
        if verdict == "unreadable":
            assert applying(got) == sambas(domain)
        else:
            assert applying(got) | {"Inner six"} == sambas(domain)
    finally:
        sddl = was[was.index("O:"):].strip()
        domain.modify(domain.ids["Inner six"],
                      f"replace: nTSecurityDescriptor\nnTSecurityDescriptor: {sddl}\n")
    assert domain.settings()["ae_policy"]["gpo"] == "Inner six"


def test_deletion_by_a_nearer_policy(domain):
    domain.write("Inner six", b"PReg\1\0\0\0" + instruction("**Del.AEPolicy", 1, wide(" \0")))
    got = domain.settings()
    assert got["ae_policy"]["from"] == "default"
    domain.write("Inner six", aepolicy(0x8000))
    got = domain.settings()
    assert got["text"] == "disabled"
    domain.write("Inner six", aepolicy(6))


def test_broken_file_is_passed_over_and_said(domain):
    domain.write("Inner six", aepolicy(6)[:-3])
    got = domain.settings()
    [gpo] = [g for g in got["gpos"] if g["name"] == "Inner six"]
    assert gpo["verdict"] == "file-bad" and "Registry.pol" in gpo["detail"]
    assert got["ae_policy"]["gpo"] == "Outer one"
    domain.write("Inner six", aepolicy(6))


def test_local_layer_is_shown_as_such(domain):
    domain.lab.pc1.path("/etc/policy-test.conf").write_text("[computer]\nae-policy = 3\n")
    got = domain.settings(local="/etc/policy-test.conf")
    assert got["ae_policy"] == {"value": 3, "from": "local", "gpo": None}


def test_nothing_is_read_twice(domain, lab, build):
    """After the first round SYSVOL may go away: the versions have not changed."""
    lab.pc1.kinit_machine()
    command = lab.pc1.command(build / "tests/lab/adprobe", "policy", lab.dc1.fqdn, lab.pc1.account,
                              build / "prog/sysvol/sysvol", SITE, "computer")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        def ask():
            p.stdin.write("\n")
            p.stdin.flush()
            text = ""
            while True:
                text += p.stdout.readline()
                try:
                    return json.loads(text)
                except json.JSONDecodeError:
                    assert text

        first = ask()
        assert first["ae_policy"]["gpo"] == "Inner six"
        lab.dc1.refuse(445)
        try:
            assert ask() == first
            domain.write("Inner six", aepolicy(7))
            failed = ask()  # now it has to be read, and cannot be
            assert failed["error"] != "AE_OK" and failed["text"].startswith("SYSVOL: ")
        finally:
            lab.dc1.heal()
        assert ask()["ae_policy"]["value"] == 7
        p.stdin.close()
        assert p.wait(10) == 0


def test_helper_that_is_not_there_or_lies(domain):
    failed = domain.settings(helper="/nonexistent/sysvol")
    assert failed["text"].startswith("SYSVOL: sysvol helper /nonexistent/sysvol")
    for program in ("/bin/true", "/bin/cat", "/bin/false"):
        failed = domain.settings(helper=program)
        assert failed["error"] in ("AE_EPROTO", "AE_EUNAVAIL"), program
        assert failed["text"].startswith("SYSVOL: ")


def request(op, *paths, server="dc1.lab.example", domain="lab.example"):
    def text(s):
        return struct.pack("<I", len(s)) + s.encode()
    body = struct.pack("<I", op) + text(server) + text(domain) + text("") + \
        struct.pack("<I", len(paths)) + b"".join(text(p) + (text("x") if op == 2 else b"") for p in paths)
    return b"ASQ1" + struct.pack("<I", len(body)) + body


def run_helper(lab, build, frame, *options):
    lab.pc1.path("/run/request").write_bytes(frame)
    lab.pc1.run(f"{build}/prog/sysvol/sysvol {' '.join(options)} < /run/request > /run/reply", check=False)
    return lab.pc1.path("/run/reply").read_bytes()


def statuses(reply):
    assert reply[:4] == b"ASR1"
    [count] = struct.unpack_from("<I", reply, 8)
    at, found = 12, []
    for _ in range(count):
        status, _, length = struct.unpack_from("<III", reply, at)
        found.append(status)
        at += 12 + length
    return found


def test_helper_stays_below_policies(lab, build):
    lab.pc1.kinit_machine()
    ident = "{31B2F340-016D-11D2-945F-00C04FB984F9}"
    reply = run_helper(lab, build, request(1, f"{ident}\\GPT.INI", f"{ident}\\none", f"{ident}\\..\\x",
                                           "..\\scripts\\x", f"{ident}/GPT.INI"))
    assert statuses(reply) == [0, 1, 5, 5, 5]
    for where in ({"server": "dc1.lab.example/sysvol"}, {"domain": "lab.example/../x"}, {"domain": ""}):
        assert statuses(run_helper(lab, build, request(1, f"{ident}\\GPT.INI", **where))) == [5]


def test_helper_writes_only_when_told_and_allowed(lab, build):
    lab.pc1.kinit_machine()
    ident = "{31B2F340-016D-11D2-945F-00C04FB984F9}"
    assert run_helper(lab, build, request(2, f"{ident}\\GPT.INI")) == b""
    assert statuses(run_helper(lab, build, request(2, f"{ident}\\GPT.INI"), "--write")) == [2]
    folder = lab.dc1.path(f"/var/lib/samba/sysvol/lab.example/Policies/{ident}")
    assert "Version" in (folder / "GPT.INI").read_text()


def test_helper_uses_kerberos_or_nothing(lab, build):
    lab.pc1.kdestroy()
    ident = "{31B2F340-016D-11D2-945F-00C04FB984F9}"
    [status] = statuses(run_helper(lab, build, request(1, f"{ident}\\GPT.INI")))
    assert status not in (0, 1)
