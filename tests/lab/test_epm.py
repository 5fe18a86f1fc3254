# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""The endpoint mapper of ca1 as other implementations ask it."""
import pytest

ICPR = "91ae6020-9e3c-11cf-8d7c-00aa00c091be"
MGMT = "afa8bd80-7d8a-11c9-bef4-08002b102989"
NOBODY = "ae0ec400-0001-0002-0102-030405060708"
PORT = 49500
ALL, BY_IF = 0, 1  # inquiry_type, C706 appendix O
VERS_ALL, VERS_COMPATIBLE, VERS_EXACT = 1, 2, 3


@pytest.mark.parametrize("auth", [False, True])
def test_where_is_the_ca(ca, auth):
    """ept_map, as impacket and Windows ask; adsys does it authenticated and sealed."""
    answer = ca.machine().one(("map", {"interface": ICPR, "auth": auth}))
    assert answer == {"binding": f"ncacn_ip_tcp:{ca.host.fqdn}[{PORT}]"}


@pytest.mark.parametrize("auth", [False, True])
def test_filtered_lookup(ca, auth):
    """ept_lookup as go-msrpc does it, which then dials the first tower."""
    answer = ca.machine().one(("lookup", {"interface": ICPR, "inquiry": BY_IF, "vers_option": VERS_EXACT,
                                          "auth": auth}))
    assert answer["status"] == 0 and answer["handle_closed"], answer
    assert answer["entries"], answer
    assert {uuid.lower() for uuid, _ in answer["entries"]} == {ICPR}
    assert all(f"[{PORT}]" in binding for _, binding in answer["entries"]), answer
    assert ca.host.address in answer["entries"][0][1], answer


@pytest.mark.parametrize("interface, version, option", [
    (NOBODY, "0.0", VERS_EXACT), (ICPR, "7.0", VERS_EXACT), (ICPR, "0.7", VERS_COMPATIBLE),
])
def test_lookup_of_what_is_not_there(ca, interface, version, option):
    answer = ca.machine().one(("lookup", {"interface": interface, "version": version, "inquiry": BY_IF,
                                          "vers_option": option}))
    assert answer["entries"] == [] and answer["handle_closed"], answer
    assert answer["status"] == 0x16C9A0D6  # ept_s_not_registered


def test_map_of_what_is_not_there(ca):
    answer = ca.machine().one(("map", {"interface": NOBODY}))
    assert "ept_s_not_registered" in answer["error"], answer


@pytest.mark.parametrize("count", [1, 2, 500])
def test_the_whole_list(ca, count):
    """Unfiltered, in portions of any size."""
    answer = ca.machine().one(("lookup", {"inquiry": ALL, "vers_option": VERS_ALL, "count": count}))
    assert answer["handle_closed"], answer
    uuids = {uuid.lower() for uuid, _ in answer["entries"]}
    assert ICPR in uuids, answer
    assert len(answer["entries"]) == len({tuple(e) for e in answer["entries"]})
    if count == 1:
        assert answer["calls"] >= len(answer["entries"])


@pytest.mark.parametrize("options", ["", ",krb5,sign", ",krb5,seal", ",spnego,sign", ",spnego,seal"])
def test_rpcclient_lists_our_endpoints(ca, options):
    pc1 = ca.lab.pc1
    pc1.kinit_machine()
    out = pc1.run("rpcclient", f"ncacn_ip_tcp:{ca.host.fqdn}[135{options}]", "-c", "epmlookup", "-N",
                  "--use-kerberos=" + ("required" if options else "off"), timeout=30).stdout
    assert ICPR in out.lower(), out
    assert f"{ca.host.address}[{PORT}" in out, out


def test_esc8_ntlm_is_refused(ca):
    answer = ca.witness(ca.lab.pc1, ntlm=("alice", ca.lab.user_password)).one(("map", {"auth": True}))
    assert "Authentication type not recognized" in answer["error"], answer
