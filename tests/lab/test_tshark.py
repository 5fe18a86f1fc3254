# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Wireshark's dissectors watch an enrollment over ICertPassage and one over DCOM.  They have the
CA host's keytab, so that they look into what is sealed."""
import re
import subprocess

import pytest

import wcce
from wcce import ISSUED

INTERFACES = {"EPM", "OXID", "ISystemActivator", "IRemUnknown2", "IRemUnknown"}


@pytest.fixture(scope="module")
def recorded(ca, tmp_path_factory):
    """The capture file of two enrollments, and the options that decrypt it."""
    place = tmp_path_factory.mktemp("tshark")
    file = place / "enrollment.pcapng"
    place.chmod(0o777)
    pc1 = ca.lab.pc1
    pc1.kdestroy()
    attributes = {"attributes": "CertificateTemplate:Machine"}
    with pc1.capture(file, f"tcp and host {ca.host.address}"):
        over_icpr = ca.machine().one(("icpr", {"request": wcce.pkcs10(wcce.rsa_key()), **attributes}))
        over_dcom = ca.machine().run("activate", "resolve", ("query", {}),
                                     ("request2", {"request": wcce.pkcs10(wcce.rsa_key()), **attributes}),
                                     "ping_sets", ("release", {"interface": "D2", "refs": 5}))
    assert over_icpr.get("disposition") == ISSUED, over_icpr
    assert over_dcom[3].get("disposition") == ISSUED, over_dcom
    keytab = place / "ca1.keytab"
    keytab.write_bytes(ca.host.path("/etc/krb5.keytab").read_bytes())
    return file, ["-o", "kerberos.decrypt:TRUE", "-o", f"kerberos.file:{keytab}",
                  "-d", "tcp.port==49500,dcerpc", "-d", "tcp.port==135,dcerpc"]


def tshark(recorded, *words):
    file, options = recorded
    done = subprocess.run(["tshark", "-n", "-r", str(file), *options, *words], text=True, capture_output=True,
                          timeout=120, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_is_something_to_look_at(recorded):
    frames = tshark(recorded, "-Y", "dcerpc", "-T", "fields", "-e", "dcerpc.pkt_type").split()
    kinds = {k for line in frames for k in line.split(",")}
    assert {"0", "2", "11", "12", "14", "15"} <= kinds, kinds
    assert "13" not in kinds and "3" not in kinds  # neither nak nor fault
    assert len(frames) > 20


def test_no_packet_is_malformed(recorded):
    assert tshark(recorded, "-Y", "_ws.malformed || _ws.short || dcerpc.fragment.error") == ""


def test_the_tickets_are_decrypted(recorded):
    text = tshark(recorded, "-Y", "kerberos", "-V")
    assert re.search(r"authenticator_vno|authenticator\b", text)
    assert "enc_authorizationData" in text or "PA-PAC" in text or "AD-Win2k-PAC" in text or "authorization-data" in text, \
        text[:2000]


def test_sealed_calls_are_decrypted(recorded):
    """Stubs that impacket and we sealed, in the clear.  Not all: Wireshark follows one security
    context of a connection, impacket makes one for each interface."""
    text = tshark(recorded, "-Y", "dcerpc.pkt_type == 0 || dcerpc.pkt_type == 2", "-V")
    assert "Decrypted stub data" in text


def test_what_the_interfaces_are(recorded):
    """Endpoint mapper, activation, resolver and IRemUnknown are told apart and dissected."""
    columns = tshark(recorded, "-Y", "dcerpc.pkt_type == 0 || dcerpc.pkt_type == 2", "-T", "fields", "-e",
                     "_ws.col.Protocol", "-e", "_ws.col.Info")
    protocols = {line.split("\t")[0] for line in columns.splitlines()}
    assert {"EPM", "ISystemActivator"} <= protocols, protocols
    assert protocols & {"IOXIDResolver", "OXID"}, protocols
    assert protocols & {"IRemUnknown", "IRemUnknown2"}, protocols
    assert "Map request" in columns and "Map response" in columns
    assert "RemoteCreateInstance request" in columns and "RemoteCreateInstance response" in columns
    assert "RemQueryInterface response" in columns
