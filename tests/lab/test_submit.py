# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Requests carried by hand: files of other tools to the CA, and a request of ours by way of somebody
else's tool, with the key at home all the while."""
import json

import pytest

from ca import FULL, READ, Ca, enroll_for, make_csr
from client import Client

SERVER, WAITS = "LabServer", "LabServerWaits"


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    server = {"msPKI-Certificate-Name-Flag": 1, "msPKI-Enrollment-Flag": 0, "ekus": ("1.3.6.1.5.5.7.3.1",)}
    everybody = READ + FULL + enroll_for("DC", "AU")
    ca.setup({SERVER: (everybody, server), WAITS: (everybody, server | {"msPKI-Enrollment-Flag": 2})})
    ca.trust()
    ca.start()
    ca.config = f"{ca.host.fqdn}\\{ca.name}"
    yield ca
    ca.stop()


@pytest.fixture(scope="module")
def pc1(lab, build, ca):
    return Client(lab.pc1, build)


@pytest.mark.parametrize("transport", ["dcom", "icpr"])
def test_openssl_s_request_over_each_transport(pc1, ca, transport):
    csr = make_csr(pc1.host, "www", subject="/CN=www.lab.example")
    answer = pc1.json("submit", "--ca", ca.config, "-a", f"CertificateTemplate={SERVER}",
                      "--transport", transport, "--out", "/run/www.pem", csr)
    assert (answer["outcome"], answer["disposition"]) == ("issued", 3), answer
    assert [a["transport"] for a in answer["attempts"]] == [transport]
    text = pc1.host.run("openssl x509 -noout -subject -in /run/www.pem; openssl x509 -noout -pubkey -in /run/www.pem "
                        "| cmp - <(openssl pkey -in /run/www.key -pubout)").stdout
    assert "CN = www.lab.example" in text
    # The same file once more is the same request: the same certificate.
    again = pc1.json("submit", "--ca", ca.config, "-a", f"CertificateTemplate={SERVER}",
                     "--transport", transport, csr)
    assert (again["request_id"], again["certificate"]) == (answer["request_id"], answer["certificate"])


def test_der_is_as_good_as_pem_and_the_certificate_goes_to_standard_output(pc1, ca):
    csr = make_csr(pc1.host, "der", subject="/CN=der.lab.example")
    pc1.host.run(f"openssl req -in {csr} -outform DER -out /run/der.der")
    done = pc1.run("submit", "--ca", ca.config, "-a", f"CertificateTemplate={SERVER}", "/run/der.der")
    assert done.stdout.startswith("-----BEGIN CERTIFICATE-----")
    assert "issued, request id" in done.stderr


def test_pending_then_retrieved(pc1, ca):
    csr = make_csr(pc1.host, "later", subject="/CN=later.lab.example")
    answer = pc1.json("submit", "--ca", ca.config, "-a", f"CertificateTemplate={WAITS}", csr, code=9)
    number = str(answer["request_id"])
    assert pc1.json("retrieve", "--ca", ca.config, number, code=9)["outcome"] == "pending"
    ca.host.run(ca.build / "prog/certsrv/certsrv", "request", "approve", number,
                env={"ASAN_OPTIONS": "detect_leaks=0"})
    fetched = pc1.json("retrieve", "--ca", ca.config, "--out", "/run/later.pem", number)
    assert fetched["outcome"] == "issued"
    assert pc1.host.path("/run/later.pem").read_text() == fetched["certificate"]


def test_denied_says_why(pc1, ca):
    csr = make_csr(pc1.host, "no", subject="/CN=no.lab.example")
    answer = pc1.json("submit", "--ca", ca.config, "-a", "CertificateTemplate=NoSuch", csr, code=8)
    assert answer["outcome"] == "denied" and "0x80094800" in answer["hresult_text"], answer
    unknown = pc1.json("retrieve", "--ca", ca.config, "999999", code=3)
    assert "0x80094004" in unknown["error"], unknown


@pytest.mark.parametrize("words, code, say", [
    (["submit", "/run/www.csr"], 2, "--ca"),
    (["submit", "--ca", "nobackslash", "/run/www.csr"], 2, "--ca"),
    (["submit", "--ca", r"h\n", "-a", "no value", "/run/www.csr"], 2, "malformed option"),
    (["submit", "--ca", r"h\n", "--transport", "pipe", "/run/www.csr"], 2, "malformed option"),
    (["submit", "--ca", r"h\n", "/run/nothing.csr"], 3, "/run/nothing.csr"),
    (["submit", "--ca", r"h\n", "/etc/hostname"], None, "neither a DER nor a PEM"),
    (["retrieve", "--ca", r"h\n", "12x"], 2, "the id of a request"),
    (["retrieve", "--ca", r"h\n", "0"], 2, "the id of a request"),
    (["request", "new", "-T", "LabServer"], 2, "--out FILE"),
    (["request", "old", "-T", "LabServer"], 2, "request new"),
    (["install", "/etc/hostname"], None, "neither a certificate nor an answer"),
    (["enroll", "-T", "LabServer", "--on-behalf-of", r"LAB\alice"], 2, "--agent CERT"),
    (["enroll", "-T", "LabServer", "--on-behalf-of", "alice", "--agent", "x"], 2, r"DOMAIN\name"),
])
def test_what_makes_no_sense_is_refused(pc1, ca, words, code, say):
    make_csr(pc1.host, "www", subject="/CN=www.lab.example")
    done = pc1.run(*words, check=False)
    assert done.returncode == code or (code is None and done.returncode > 0), done
    assert say in done.stderr, done.stderr


def test_a_request_of_ours_by_way_of_a_user_s_hands(pc1, ca, lab):
    """request new at home, submit by somebody with a ticket, install at home."""
    [made] = pc1.json("request", "new", "-T", SERVER, "--subject", "CN=carried.lab.example",
                      "--dns", "carried.lab.example", "--out", "/run/carried.req")["results"]
    assert made["outcome"] == "made", made
    [key] = pc1.host.path(f"/var/lib/autoenroll/request/{SERVER}").glob("*/key.pem")
    private = key.read_bytes()
    # Another one for another name does not disturb the first, nor does a run by itself send either of them.
    pc1.json("request", "new", "-T", SERVER, "--subject", "CN=second.lab.example", "--out", "/run/second.req")
    pc1.json("pulse", "--wait", code=None)
    kept = list(pc1.host.path(f"/var/lib/autoenroll/request/{SERVER}").glob("*/key.pem"))
    assert len(kept) == 2 and key.read_bytes() == private
    assert "NEW CERTIFICATE REQUEST" in pc1.host.path("/run/carried.req").read_text()
    # Nor does an enrollment of the same template.
    pc1.json("enroll", "--ca", ca.config, "-T", SERVER, "--subject", "CN=third.lab.example")
    assert key.read_bytes() == private
    answer = pc1.json("submit", "--ca", ca.config, "--out", "/run/carried.pem", "/run/carried.req")
    assert answer["outcome"] == "issued", answer

    other = make_csr(pc1.host, "other", subject="/CN=other.lab.example")
    pc1.json("submit", "--ca", ca.config, "-a", f"CertificateTemplate={SERVER}", "--out", "/run/other.pem", other)
    refused = pc1.run("install", "/run/other.pem", check=False)
    assert refused.returncode == 3 and "no request that is kept here" in refused.stderr

    [installed] = pc1.json("install", "/run/carried.pem")["results"]
    assert installed["outcome"] == "issued", installed
    assert pc1.current(SERVER, "key.pem").read_bytes() == private
    assert pc1.current(SERVER, "cert.pem").read_text() == pc1.host.path("/run/carried.pem").read_text()
    [left] = pc1.host.path(f"/var/lib/autoenroll/request/{SERVER}").glob("*/key.pem")
    assert left.read_bytes() != private
    assert not key.exists()
    assert json.loads(pc1.current(SERVER, "meta.json").read_text())["template_oid"] == ca.oid[SERVER]


def test_a_key_that_is_there_already_and_a_name_for_people(pc1, ca):
    """request new and enroll for somebody's own key; its friendly name stays through a renewal."""
    host = pc1.host
    host.run("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out /run/own.pem 2>/dev/null;"
             "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out /run/small.pem 2>/dev/null;"
             "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out /run/other.pem")
    public = host.run("openssl", "pkey", "-in", "/run/own.pem", "-pubout").stdout
    names = ("--subject", "CN=own.lab.example", "--dns", "own.lab.example", "--key", "/run/own.pem")
    pc1.json("request", "new", "-T", SERVER, *names, "--friendly-name", "Our web server", "--out", "/run/own.req")
    pc1.json("submit", "--ca", ca.config, "--out", "/run/own.crt", "/run/own.req")
    assert pc1.json("install", "/run/own.crt")["results"][0]["outcome"] == "issued"

    def current():
        return [c for c in pc1.json("store", "list") if c["template"] == SERVER][0]
    assert host.run(f"openssl pkey -pubout -in /var/lib/autoenroll/my/{SERVER}/current/key.pem").stdout == public
    assert (current()["friendly_name"], current()["key_test"]) == ("Our web server", "passed")
    assert "Our web server" in pc1.run("store", "list").stdout
    assert pc1.json("enroll", "--ca", ca.config, "--renew", SERVER)["results"][0]["outcome"] == "issued"
    assert current()["friendly_name"] == "Our web server" and host.path("/run/own.pem").exists()
    assert host.run(f"openssl pkey -pubout -in /var/lib/autoenroll/my/{SERVER}/current/key.pem").stdout != public
    for key, says in ("small.pem", "the template"), ("other.pem", "the template"), ("own.req", "key to use"), \
            ("nothing.pem", "nothing.pem"):
        done = pc1.run("enroll", "-T", SERVER, *names[:4], "--key", f"/run/{key}", check=False)
        assert done.returncode != 0 and says in done.stdout + done.stderr, (key, done)
    assert pc1.run("enroll", "--renew", SERVER, "--key", "/run/own.pem", check=False).returncode == 2
