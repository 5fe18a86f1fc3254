# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""lib/gss with tickets of a real AD: what the PAC says, beside what AD says."""
import shutil
import time

import pytest

from lab import DOMAIN, REALM

WELL_KNOWN = {"S-1-1-0", "S-1-5-2", "S-1-5-11"}


@pytest.fixture
def keytabs(lab, tmp_path):
    """Both hosts' keytabs where one process sees them."""
    for host in (lab.pc1, lab.ca1):
        shutil.copy(host.path("/etc/krb5.keytab"), tmp_path / f"{host.name}.keytab")
    return tmp_path


def caller(lab, build, keytabs, mech, spn, check=True):
    done = lab.pc1.run(build / "tests/lab/gss_caller", mech, keytabs / "pc1.keytab", lab.pc1.principal,
                       keytabs / "ca1.keytab", spn, check=check)
    if done.returncode != 0:
        return done
    lines = [line.split(" ") for line in done.stdout.splitlines()]
    out = {words[0]: words[1] for words in lines if words[0] != "sid"}
    out["sids"] = {words[1]: set(words[2:]) for words in lines if words[0] == "sid"}
    return out


@pytest.mark.parametrize("mech", ["krb5", "spnego"])
def test_caller_is_who_ad_says(lab, build, keytabs, mech):
    c = caller(lab, build, keytabs, mech, f"host/{lab.ca1.fqdn}")
    assert c["principal"] == lab.pc1.principal
    assert c["account"] == lab.pc1.account
    assert (c["realm"], c["dns_domain"]) == (REALM, DOMAIN)
    assert c["enctype"] == "18"
    assert c["delegated"] == "0"
    assert int(c["uac"], 16) & 0x80  # a workstation
    assert abs(int(c["auth_time"]) - time.time()) < 600

    # Samba's own view, computed by the DC on the same object.
    dn = lab.ldbsearch(f"(sAMAccountName={lab.pc1.account})", "dn")[0]["dn"][0]
    me = lab.dc1.run("ldbsearch", "-H", "/var/lib/samba/private/sam.ldb", "-b", dn, "-s", "base",
                     "objectSid", "tokenGroups").stdout
    values = {k: {line.split(": ")[1] for line in me.splitlines() if line.startswith(k + ": ")}
              for k in ("objectSid", "tokenGroups")}
    assert {c["user"]} == values["objectSid"]
    assert c["sids"][c["user"]] == {"user"}
    # Groups of BUILTIN are each server's own: no KDC puts them into a ticket.
    groups = {s for s in values["tokenGroups"] if not s.startswith("S-1-5-32-")}
    assert groups <= set(c["sids"])
    assert any("primary" in c["sids"][s] for s in groups)
    # and beyond that only what is meant to be there
    rest = set(c["sids"]) - groups - {c["user"]} - WELL_KNOWN
    assert all(s.startswith("S-1-18-") for s in rest), rest
    assert all(c["sids"][s] == {"well-known"} for s in WELL_KNOWN)


def test_names_of_the_account(lab, build, keytabs):
    """AD takes RPCSS for an alias of host, which the keytab does not know: the key is what counts."""
    for service in ("RPCSS", "rpc", "RestrictedKrbHost"):
        assert caller(lab, build, keytabs, "spnego", f"{service}/{lab.ca1.fqdn}")["account"] == lab.pc1.account


def test_spn_other_hosts_ticket(lab, build, keytabs):
    done = caller(lab, build, keytabs, "krb5", f"host/{lab.dc1.fqdn}", check=False)
    assert done.returncode == 1
    assert "AE_EAUTH" in done.stderr
