# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""The healthy lab that lab/faults breaks, and diagnose in it."""
import json
import os
import pathlib
import subprocess
import sys

from ca import FULL, PKS_DN, READ, Ca, enroll_for
from client import Client, User
from lab import BASE_DN, TOP

sys.path.append(str(pathlib.Path(TOP) / "lab"))
import fault  # noqa: E402

FAULTS = TOP / "lab" / "faults"
TEMPLATES = {
    "Machine": (READ + FULL + enroll_for("DC"), {}),
    "Person": (READ + FULL + enroll_for("DU"), {"flags": 0x20000, "msPKI-Certificate-Name-Flag": 0x42000000,
                                                "ekus": ("1.3.6.1.5.5.7.3.2",)}),
}


class World:
    def __init__(self, lab, build, key="rsa2048", options=(), over=None):
        """key: the CA's; options: of certsrv-local; over: attributes of the templates."""
        self.lab, self.build = lab, build
        self.ca = Ca(lab, build, key=key)
        self.ca.options = options
        self.ca.setup({cn: (sddl, values | (over or {})) for cn, (sddl, values) in TEMPLATES.items()})
        self.ca.trust()
        self.ca.ldb("ldbdel", f"CN=NTAuthCertificates,{PKS_DN}", check=False)
        der = "".join(lab.ca1.path("/etc/certsrv/ca.pem").read_text().split("-----")[2].split())
        self.ca.ldb("ldbadd", input=f"dn: CN=NTAuthCertificates,{PKS_DN}\nobjectClass: certificationAuthority\n"
                                    f"cACertificate:: {der}\nauthorityRevocationList:: AA==\n"
                                    "certificateRevocationList:: AA==\n\n")
        with open(lab.ca1.path("/etc/certsrv/certsrv.conf"), "a", encoding="ascii") as conf:
            conf.write("\n[directory]\nrefresh = 1s\n")  # a fault in AD is one at the CA soon
        # The faults stop and start it, too.
        self.services = fault.Lab(lab.name)
        assert self.services.start_service(
            "ca1", "certsrvd", [self.ca.program, "-f"], {"ASAN_OPTIONS": "detect_leaks=0"},
            ("ready: CA", "directory: [1-9][0-9]* templates")), self.ca.text()
        self.pc1 = Client(lab.pc1, build)
        lab.pc1.path("/etc/autoenroll/policy.conf").write_text("[computer]\nae-policy = 7\n\n[user]\nae-policy = 7\n")
        (self.services.directory / "pc1" / "client.json").write_text(json.dumps({"program": str(self.pc1.program)}))
        # Nothing else starts runs where there is no systemd.
        lab.pc1.path("/etc/cron.d").mkdir(exist_ok=True)
        lab.pc1.path("/etc/cron.d/autoenroll").write_text("17 */8 * * * root autoenroll pulse\n")
        self.pc1.run("pulse", "--wait")
        # Samba's KDC tells only those their own groups that have a service principal name.
        self.ca.ldb("ldbmodify", input=f"dn: CN=alice,CN=Users,{BASE_DN}\nchangetype: modify\n"
                                       "replace: servicePrincipalName\nservicePrincipalName: HTTP/alice\n\n")
        self.alice = User(lab.pc1, build, "alice", lab.user_password, 870001)
        self.alice.login()
        self.alice.run("pulse", "--user")

    def close(self):
        self.services.stop_service("ca1", "certsrvd")

    def diagnose(self, *words, code=None):
        """With --user as alice."""
        who = self.alice if "--user" in words else self.pc1
        return who.json("diagnose", *words, code=code)

    def certsrv(self, *words, code=None):
        """certsrv diagnose on the CA's host."""
        done = self.lab.ca1.run(self.build / "prog/certsrv/certsrv", "diagnose", *words, "--json", check=False,
                                env={"ASAN_OPTIONS": "detect_leaks=0"})
        assert code is None or done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def fault(self, name, *words):
        done = subprocess.run([FAULTS / name, *words], text=True, capture_output=True, timeout=60,
                              env=os.environ | {"AE_BUILD": str(self.build)})
        assert done.returncode == 0, (name, done.stdout, done.stderr)
        return done.stdout

    def ask(self, name):
        return json.loads(self.fault(name, "--ask"))

    def broken(self, *names):
        return Broken(self, names)


class Broken:
    """with world.broken("net.epm-unreachable"): …"""

    def __init__(self, world, names):
        self.world, self.names = world, names

    def __enter__(self):
        try:
            for i, name in enumerate(self.names):
                self.world.fault(name, self.world.lab.name, *(["--too"] if i else []))
        except AssertionError:
            self.__exit__()
            raise

    def __exit__(self, *_):
        self.world.fault(self.names[0], self.world.lab.name, "--mend")


def scripts():
    """Names of all faults."""
    return sorted(f.name for f in FAULTS.iterdir() if os.access(f, os.X_OK) and f.is_file())


def found(report):
    """Ids of the causes, the root first; consequences are folded away."""
    root = [report["root"]] if report["root"] else []
    return [f["check_id"] for f in root + report["also"]]
