# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""From the store to where services want it: what a run writes, whom it tells, and what it refuses."""
import re
import shutil
import ssl
import stat

import pytest

from ca import FULL, PKS_DN, READ, Ca, enroll_for
from client import Client

WEB, OTHER = "LabWeb", "LabOther"
TLS = "/etc/tls"
HOOK = "/etc/tls/hook"
LOG = "/etc/tls/log"
MY = f"/var/lib/autoenroll/my/{WEB}"


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    ca.setup({WEB: (READ + FULL + enroll_for("DC"), {}), OTHER: (READ + FULL + enroll_for("DC"), {})})
    der = "".join(ca.host.path("/etc/certsrv/ca.pem").read_text().split("-----")[2].split())
    for container in ("Certification Authorities", "AIA"):
        dn = f"CN={ca.name},CN={container},{PKS_DN}"
        ca.ldb("ldbdel", dn, check=False)
        ca.ldb("ldbadd", input=f"dn: {dn}\nobjectClass: certificationAuthority\ncACertificate:: {der}\n"
                               "authorityRevocationList:: AA==\ncertificateRevocationList:: AA==\n\n")
    ca.start()
    yield ca
    ca.stop()


class Member(Client):
    def configure(self, text):
        self.host.path("/etc/autoenroll/deploy.conf").write_text(text)

    def hook(self, body, name=HOOK, mode=0o755):
        path = self.host.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(mode)

    def told(self):
        """What the hooks wrote since the last call."""
        path = self.host.path(LOG)
        text = path.read_text() if path.exists() else ""
        path.unlink(missing_ok=True)
        return text

    def deploy(self, *words, code=0):
        return {one["template"]: one for one in self.json("deploy", *words, code=code)["deploy"]}


def outcomes(one):
    return [(i["what"], i["outcome"]) for i in one["items"]]


@pytest.fixture(scope="module")
def pc1(lab, build, ca):
    client = Member(lab.pc1, build)
    client.local_policy(7)
    client.host.run(f"rm -rf {TLS}; mkdir {TLS} {TLS}/db; echo secret > {TLS}/password; chmod 600 {TLS}/password;"
                    "mkdir -p /etc/NetworkManager/system-connections")
    return client


def test_a_run_enrolls_and_deploys(pc1):
    pc1.hook(f'echo "$AE_STAGE $AE_EVENT $AE_TEMPLATE $AE_DNS $AE_VERSION old=$AE_OLD_CERT $*" >> {LOG}; '
             'echo done')
    pc1.configure(f"[template {WEB}]\nfullchain = {TLS}/web.pem\nkey = {TLS}/web.key\nbundle = {TLS}/all.pem\n"
                  f"pkcs12 = {TLS}/web.p12\npkcs12-password-file = {TLS}/password\nnss = {TLS}/db\n"
                  f"owner = nobody\nmode = 0440\npre-hook = {HOOK}\npost-hook = {HOOK} with words\n"
                  f"nm-connection = /etc/NetworkManager/system-connections/corp.nmconnection\n"
                  f"[template *]\ncert = {TLS}/%T.crt\n")
    report = pc1.json("pulse", "--wait")
    assert {r["template"]: r["outcome"] for r in report["results"]} == {WEB: "issued", OTHER: "issued"}
    web, other = sorted(report["deploy"], key=lambda one: one["template"] != WEB)
    assert (web["event"], web["outcome"], web["number"]) == ("enrolled", "done", 1)
    assert outcomes(other) == [("cert", "done")]
    assert {o for _, o in outcomes(web)} == {"done"}
    assert [i["text"] for i in web["items"] if i["what"] == "post-hook"] == ["done"]
    fqdn = pc1.host.fqdn
    assert pc1.told() == (f"pre enrolled {WEB} {fqdn} 1 old= \npost enrolled {WEB} {fqdn} 1 old= with words\n")


def test_what_was_written_is_good(pc1):
    for name in "web.pem", "web.key", "all.pem", "web.p12":
        st = pc1.host.path(f"{TLS}/{name}").stat()
        assert stat.S_IMODE(st.st_mode) == 0o440 and st.st_uid != 0, name
    # A TLS stack takes certificate and key as a pair.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pc1.host.path(f"{TLS}/web.pem"), pc1.host.path(f"{TLS}/web.key"))
    context.load_cert_chain(pc1.host.path(f"{TLS}/all.pem"))
    # OpenSSL, GnuTLS and NSS read the PKCS#12 and the database.
    key = pc1.host.run(f"openssl pkcs12 -in {TLS}/web.p12 -passin pass:secret -nodes -nocerts | openssl pkey").stdout
    assert key == pc1.host.run(f"openssl pkey -in {MY}/current/key.pem").stdout
    assert pc1.host.run("certtool", "--p12-info", "--infile", f"{TLS}/web.p12", "--inder",
                        "--password", "secret", check=False).returncode == 0
    nss = pc1.host.run("certutil", "-L", "-d", f"sql:{TLS}/db", "-n", WEB, "-a").stdout
    cert = pc1.host.run(f"openssl x509 -in {MY}/current/cert.pem").stdout
    assert nss.replace("\r", "").strip() == cert.strip()
    assert WEB in pc1.host.run("certutil", "-K", "-d", f"sql:{TLS}/db").stdout
    assert pc1.host.run("ls -A /run/autoenroll | grep nss", check=False).stdout == ""
    nm = pc1.host.path("/etc/NetworkManager/system-connections/corp.nmconnection")
    assert stat.S_IMODE(nm.stat().st_mode) == 0o600
    assert f"identity=host/{pc1.host.fqdn}\n" in nm.read_text()
    assert f"private-key={MY}/current/key.pem\n" in nm.read_text()


def test_networkmanager_reads_its_connection(pc1):
    """nmcli, which parses a connection as the daemon does, without one: it takes it and says the same."""
    if shutil.which("nmcli") is None:
        pytest.skip("no nmcli here: network-manager")
    ours = pc1.host.path("/etc/NetworkManager/system-connections/corp.nmconnection").read_text()
    done = pc1.host.run("nmcli", "--offline", "connection", "modify", "connection.autoconnect-priority", "7", input=ours)
    theirs = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert theirs["autoconnect-priority"] == "7"
    for line in ours.splitlines():
        name, equals, value = line.partition("=")
        assert not equals or theirs.get(name) == value, (line, done.stdout)


def test_what_is_right_is_not_touched(pc1):
    before = {f: pc1.host.path(f"{TLS}/{f}").stat().st_ino for f in ("web.pem", "web.key", "web.p12")}
    one = pc1.deploy()[WEB]
    assert (one["event"], one["outcome"]) == ("applied", "unchanged")
    assert pc1.told() == ""
    report = pc1.json("pulse", "--wait")
    assert {one["outcome"] for one in report["deploy"]} == {"unchanged"} and pc1.told() == ""
    assert before == {f: pc1.host.path(f"{TLS}/{f}").stat().st_ino for f in before}


def test_what_went_astray_is_put_right(pc1):
    nm = pc1.host.path("/etc/NetworkManager/system-connections/corp.nmconnection")
    nm.write_text(nm.read_text().replace("id=corp", "id=Office").replace("eap=tls;", "eap=peap;"))
    pc1.host.path(f"{TLS}/web.key").unlink()
    pc1.host.path(f"{TLS}/web.pem").chmod(0o666)
    dry = pc1.deploy("--dry-run", "-T", WEB)[WEB]
    assert [w for w, o in outcomes(dry) if o == "would-change"] == [
        "fullchain", "key", "nm-connection", "pre-hook", "post-hook"]
    assert not pc1.host.path(f"{TLS}/web.key").exists() and pc1.told() == ""
    one = pc1.deploy("-T", WEB)[WEB]
    assert {w for w, o in outcomes(one) if o == "done"} == {
        "fullchain", "key", "nm-connection", "pre-hook", "post-hook"}
    assert "applied" in pc1.told()
    assert "id=Office" in nm.read_text() and "eap=tls;" in nm.read_text()


def test_a_new_certificate_is_a_renewal(pc1):
    pc1.hook(f'openssl x509 -in "$AE_OLD_CERT" -noout -serial >> {LOG}; echo "$AE_EVENT" >> {LOG}')
    old = pc1.host.run(f"openssl x509 -in {MY}/1/cert.pem -noout -serial").stdout
    report = pc1.json("enroll", "-T", WEB)
    [one] = [d for d in report["deploy"] if d["template"] == WEB]
    assert (one["event"], one["outcome"]) == ("renewed", "done"), one
    assert pc1.told() == (old + "renewed\n") * 2  # both stages
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pc1.host.path(f"{TLS}/web.pem"), pc1.host.path(f"{TLS}/web.key"))


def test_issued_but_not_deployed(pc1):
    """The installation stands, exit 4 tells, and the next run makes good."""
    pc1.hook("echo no luck; exit 3")
    report = pc1.json("enroll", "-T", WEB, code=4)
    assert report["results"][0]["outcome"] == "issued"
    [one] = [d for d in report["deploy"] if d["template"] == WEB]
    assert outcomes(one) == [("pre-hook", "failed"), ("cert", "done")]  # the other section goes on
    assert "exit 3" in one["items"][0]["text"] and "no luck" in one["items"][0]["text"]
    assert pc1.host.path(f"{MY}/current").readlink().name == "3"
    pc1.hook(f'echo "$AE_STAGE $AE_EVENT" >> {LOG}')
    report = pc1.json("pulse", "--wait")
    assert pc1.told() == "pre renewed\npost renewed\n"
    assert {one["outcome"] for one in report["deploy"]} <= {"done", "unchanged"}


def test_a_hook_does_not_wait_for_its_own_run(pc1):
    pc1.configure(f"[template {WEB}]\npost-hook = {HOOK}\n")
    pc1.hook(f"for words in 'pulse --wait' pulse 'enroll -T {OTHER}'; do {pc1.program} $words >>{LOG} 2>&1;"
             f" echo \"exit $?\" >>{LOG}; done")
    report = pc1.json("enroll", "-T", WEB)
    assert [d["outcome"] for d in report["deploy"] if d["template"] == WEB] == ["done"], report
    told = pc1.told()
    # No daemon runs here: without --wait, too, it would be the hook that did the run.
    assert (told.count("by a hook of the run"), told.count("exit 2\n")) == (3, 3), told


def test_a_hook_that_hangs_is_killed_with_all_it_started(pc1):
    pc1.configure(f"[template {WEB}]\npost-hook = {HOOK}\nhook-timeout = 1s\ncert = {TLS}/slow.pem\n")
    pc1.hook(f"sleep 300 & echo $! > {TLS}/pid; wait")
    one = pc1.deploy(code=4)[WEB]
    assert one["items"][-1]["outcome"] == "failed" and "killed" in one["items"][-1]["text"]
    pid = pc1.host.path(f"{TLS}/pid").read_text().strip()
    assert pc1.host.run(f"for i in $(seq 100); do [ -d /proc/{pid} ] || exit 0; sleep 0.1; done; exit 1",
                        check=False).returncode == 0


@pytest.mark.parametrize("prepare, conf, says", [
    ("chmod 775 {TLS}/hook", "post-hook = {TLS}/hook", "can be written by others"),
    ("chown nobody {TLS}/hook", "post-hook = {TLS}/hook", "is not owned by root"),
    ("mkdir -m 777 {TLS}/open", "cert = {TLS}/open/x.pem", "can be written by others"),
    ("install -d -o nobody {TLS}/theirs", "cert = {TLS}/theirs/x.pem", "is not owned by root"),
    ("ln -s /var {TLS}/link", "cert = {TLS}/link/x.pem", "symbolic link"),
    ("true", "cert = {TLS}/nowhere/x.pem", "there is no directory"),
    ("true", "cert = {TLS}/y.pem\nowner = nosuchuser", "no user 'nosuchuser'"),
    ("chmod 644 {TLS}/password", "pkcs12 = {TLS}/z.p12\npkcs12-password-file = {TLS}/password", "make it 0600"),
])
def test_what_others_could_redirect_is_refused(pc1, prepare, conf, says):
    pc1.hook("true")
    pc1.host.run(f"rm -rf {TLS}/open {TLS}/theirs {TLS}/link; chown root {TLS}/hook; chmod 600 {TLS}/password")
    pc1.host.run(prepare.format(TLS=TLS))
    pc1.configure(f"[template {WEB}]\n{conf.format(TLS=TLS)}\ncert = {TLS}/fresh.pem\n")
    pc1.host.path(f"{TLS}/fresh.pem").unlink(missing_ok=True)
    one = pc1.deploy(code=4)[WEB]
    failed = [i["text"] for i in one["items"] if i["outcome"] == "failed"]
    assert failed and all(says in text for text in failed), one
    assert pc1.host.run("ls /var/x.pem", check=False).returncode != 0


def test_a_link_at_the_target_is_replaced_and_not_followed(pc1):
    pc1.host.path("/etc/precious").write_text("precious\n")
    pc1.host.run(f"ln -sf /etc/precious {TLS}/trap.pem")
    pc1.configure(f"[template {WEB}]\ncert = {TLS}/trap.pem\n")
    assert pc1.deploy()[WEB]["outcome"] == "done"
    assert pc1.host.path("/etc/precious").read_text() == "precious\n"
    assert not pc1.host.path(f"{TLS}/trap.pem").is_symlink()


def test_a_configuration_that_others_may_write(pc1):
    pc1.configure(f"[template {WEB}]\ncert = {TLS}/x.pem\n")
    path = pc1.host.path("/etc/autoenroll/deploy.conf")
    path.chmod(0o666)
    try:
        assert "can be written by others" in pc1.run("deploy", "check", check=False).stderr
        report = pc1.json("pulse", "--wait", code=4)
        assert "can be written by others" in report["deploy_errors"][0]
    finally:
        path.chmod(0o644)


def test_check_names_line_and_column(pc1):
    pc1.configure(f"[template {WEB}]\ncert = relative.pem\n")
    done = pc1.run("deploy", "check", check=False)
    assert done.returncode == 2 and re.search(r"deploy\.conf:2:8: 'cert': an absolute path", done.stderr), done
    pc1.configure(f"[template {WEB}]\ncert = /etc/tls/x.pem\n")
    assert pc1.json("deploy", "check")["sections"] == 1


def test_a_service_is_reloaded_once_and_only_for_a_change(pc1):
    """There is no systemd in the lab: a root tree with one that writes down what it is told."""
    pc1.host.run("rm -rf /var/tree; mkdir -p /var/tree/usr/bin /var/tree/run/systemd/system /var/tree/etc/autoenroll "
                 "/var/tree/etc/tls /var/tree/var/lib; cp -a /var/lib/autoenroll /var/tree/var/lib/;"
                 "rm -f /var/tree/var/lib/autoenroll/deployed")
    pc1.hook("echo \"$@\" >> /var/tree/log", name="/var/tree/usr/bin/systemctl")
    pc1.host.path("/var/tree/etc/autoenroll/deploy.conf").write_text(
        f"[template {WEB}]\ncert = /etc/tls/a.pem\nreload = nginx.service\n"
        f"[template {WEB}]\ncert = /etc/tls/b.pem\nreload = nginx.service\n")
    for _ in range(2):
        pc1.run("--root", "/var/tree", "deploy")
    log = pc1.host.path("/var/tree/log").read_text()
    assert log == "--no-ask-password --system try-reload-or-restart nginx.service\n"
    pc1.host.path("/var/tree/etc/tls/b.pem").unlink()
    pc1.run("--root", "/var/tree", "deploy")
    assert pc1.host.path("/var/tree/log").read_text() == log * 2


def test_a_certificate_that_is_gone(pc1):
    pc1.configure(f"[template {WEB}]\ncert = {TLS}/gone.pem\npost-hook = {HOOK}\n")
    pc1.hook(f'echo "$AE_EVENT $AE_TEMPLATE" >> {LOG}')
    pc1.deploy()
    pc1.told()
    pc1.host.path(f"{MY}/current").unlink()
    one = pc1.deploy()[WEB]
    assert (one["event"], one["number"]) == ("removed", 0) and pc1.told() == f"removed {WEB}\n"
    assert pc1.host.path(f"{TLS}/gone.pem").exists()  # a service must not lose its files
    assert pc1.run("deploy", check=False).returncode == 3 and pc1.told() == ""


def test_hooks_d(pc1):
    pc1.host.path("/etc/autoenroll/deploy.conf").unlink()
    pc1.hook(f'echo "$0 $AE_EVENT $AE_TEMPLATE" >> {LOG}', name="/etc/autoenroll/hooks.d/20-second")
    pc1.hook(f'echo "$0 $AE_EVENT $AE_TEMPLATE" >> {LOG}', name="/etc/autoenroll/hooks.d/10-first")
    pc1.hook("exit 1", name="/etc/autoenroll/hooks.d/10-first.dpkg-old")
    pc1.host.run("rm -f /var/lib/autoenroll/deployed")
    pc1.run("pulse", "--wait")
    told = pc1.told().splitlines()
    where = "/etc/autoenroll/hooks.d"
    assert [f"{where}/10-first enrolled {OTHER}", f"{where}/20-second enrolled {OTHER}"] == [
        line for line in told if line.endswith(OTHER)]
