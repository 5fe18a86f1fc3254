# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""802.1X: a member logs in to the network with the certificate it got by itself, at a RADIUS server
whose own certificate came the same way.  FreeRADIUS on dc1, eapol_test (wpa_supplicant) on pc1."""
import re

import pytest

from ca import FULL, PKS_DN, READ, Ca, enroll_for
from client import Client

TEMPLATE = "LabNetwork"
MY = f"/var/lib/autoenroll/my/{TEMPLATE}/current"
ROOTS = "/var/lib/autoenroll/trust/roots.pem"
RADDB = "/etc/raddb"
SECRET = "lab-radius"

RADIUSD = f"""
prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = {RADDB}
run_dir = /run/radiusd
logdir = /run/radiusd
name = radiusd
pidfile = /run/radiusd/radiusd.pid
max_request_time = 30
cleanup_delay = 5
max_requests = 64
log {{
	destination = stdout
}}
security {{
	reject_delay = 0
	status_server = no
}}
client lab {{
	ipaddr = 192.0.2.0/24
	secret = {SECRET}
}}
modules {{
	eap {{
		default_eap_type = tls
		timer_expire = 60
		max_sessions = 64
		tls-config lab {{
			certificate_file = {RADDB}/certs/server.pem
			private_key_file = {RADDB}/certs/server.key
			ca_file = {ROOTS}
			tls_min_version = "1.2"
			tls_max_version = "1.2"
		}}
		tls {{
			tls = lab
		}}
	}}
}}
server lab {{
	listen {{
		type = auth
		ipaddr = *
		port = 1812
	}}
	authorize {{
		eap
	}}
	authenticate {{
		eap
	}}
}}
"""


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    ca.setup({TEMPLATE: (READ + FULL + enroll_for("DC", "DD"), {})})
    der = "".join(ca.host.path("/etc/certsrv/ca.pem").read_text().split("-----")[2].split())
    for container in ("Certification Authorities", "AIA"):
        dn = f"CN={ca.name},CN={container},{PKS_DN}"
        ca.ldb("ldbdel", dn, check=False)
        ca.ldb("ldbadd", input=f"dn: {dn}\nobjectClass: certificationAuthority\ncACertificate:: {der}\n"
                               "authorityRevocationList:: AA==\ncertificateRevocationList:: AA==\n\n")
    ca.start()
    yield ca
    ca.stop()


@pytest.fixture(scope="module")
def radius(lab, build, ca):
    """The server: its certificate is deployed where it wants it, and it starts."""
    server = Client(lab.dc1, build)
    server.local_policy(7)
    server.host.run(f"rm -rf {RADDB}; mkdir -p {RADDB}/certs /run/radiusd")
    server.host.path(f"{RADDB}/radiusd.conf").write_text(RADIUSD)
    server.host.path("/etc/autoenroll/deploy.conf").write_text(
        f"[template {TEMPLATE}]\nfullchain = {RADDB}/certs/server.pem\nkey = {RADDB}/certs/server.key\n")
    report = server.json("pulse", "--wait")
    assert [d["outcome"] for d in report["deploy"]] == ["done"], report
    log = server.host.path("/var") / "radiusd.log"
    with server.host.start("/usr/sbin/freeradius", "-d", RADDB, "-n", "radiusd", "-f", "-X", log=log):
        server.host.run("for i in $(seq 300); do grep -q 'Ready to process requests' /var/radiusd.log && exit 0; "
                        "sleep 0.1; done; tail -30 /var/radiusd.log; exit 1", timeout=40)
        yield server


@pytest.fixture(scope="module")
def pc1(lab, build, ca):
    client = Client(lab.pc1, build)
    client.local_policy(7)
    [result] = client.json("pulse", "--wait")["results"]
    assert result["outcome"] == "issued", result
    return client


def login(client, server, cert=f"{MY}/fullchain.pem", key=f"{MY}/key.pem", roots=ROOTS, domain="dc1.lab.example"):
    """Whether the network lets it in, and what eapol_test said."""
    client.host.path("/run/eap.conf").write_text(
        'network={\n\tkey_mgmt=WPA-EAP\n\teap=TLS\n'
        f'\tidentity="host/{client.host.fqdn}"\n\tca_cert="{roots}"\n\tclient_cert="{cert}"\n'
        f'\tprivate_key="{key}"\n\tdomain_suffix_match="{domain}"\n}}\n')
    done = client.host.run("eapol_test", "-c", "/run/eap.conf", "-a", server.host.address, "-s", SECRET, "-t", "20",
                           check=False, timeout=60)
    return done.returncode == 0 and re.search(r"^SUCCESS$", done.stdout, re.M) is not None, done.stdout


def test_the_member_is_let_in(pc1, radius):
    ok, said = login(pc1, radius)
    assert ok, said[-3000:]
    assert "CTRL-EVENT-EAP-SUCCESS" in said


def test_a_certificate_of_somebody_else_is_not(pc1, radius):
    pc1.host.run("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=pc1.lab.example "
                 "-keyout /run/own.key -out /run/own.pem")
    ok, said = login(pc1, radius, "/run/own.pem", "/run/own.key")
    assert not ok and "FAILURE" in said


def test_the_member_does_not_talk_to_another_server(pc1, radius):
    """The roots that the directory named decide, and the name that the connection asks for."""
    pc1.host.run("test -e /run/own.pem || openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x "
                 "-keyout /run/own.key -out /run/own.pem")
    assert not login(pc1, radius, roots="/run/own.pem")[0]
    assert not login(pc1, radius, domain="radius.evil.example")[0]


def test_a_renewed_certificate_serves_at_once(pc1, radius):
    [result] = pc1.json("enroll", "-T", TEMPLATE)["results"]
    assert result["outcome"] == "issued" and result["number"] == 2
    ok, said = login(pc1, radius)
    assert ok, said[-3000:]
