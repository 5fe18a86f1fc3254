# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""autoenroll on a member of the lab's domain."""
import json


class Client:
    def __init__(self, host, build):
        self.host = host
        self.program = build / "prog/autoenroll/autoenroll"
        self.daemon_program = build / "prog/autoenrolld/autoenrolld"
        host.run("rm -rf /etc/autoenroll /var/lib/autoenroll /run/autoenroll; mkdir -p /etc/autoenroll")
        host.run("id _autoenroll >/dev/null 2>&1 || useradd -r _autoenroll")
        host.path("/etc/autoenroll/autoenroll.conf").write_text(
            f"sysvol-helper = {build}/prog/sysvol/sysvol\n")

    def local_policy(self, value):
        """The local layer's AEPolicy; None takes it away."""
        path = self.host.path("/etc/autoenroll/policy.conf")
        if value is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(f"[computer]\nae-policy = {value:#x}\n")

    def run(self, *words, check=True):
        # A role's sandbox forbids what the leak checker does at its end.
        return self.host.run(self.program, *words, check=check, env={"ASAN_OPTIONS": "detect_leaks=0"})

    def json(self, *words, code=0):
        done = self.run(*words, "--json", check=False)
        assert code is None or done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def plan(self, *words):
        return {item["template"]: item for item in self.json("templates", *words)["plan"]}

    def events(self):
        """(source, id) of every event since the last call."""
        done = self.run("events", "--json", "--since", "2d", "--oldest-first", check=False)
        found = [(e["source"].rsplit("-", 1)[1], e["id"]) for e in json.loads(done.stdout)]
        for file in self.host.path("/var/lib/autoenroll").glob("events.jsonl*"):
            file.unlink()
        return found

    def current(self, template, name):
        return self.host.path(f"/var/lib/autoenroll/my/{template}/current").joinpath(name)


class User:
    """Somebody of the domain who logs in on a host: a uid, a home, a ticket of his own."""

    def __init__(self, host, build, name, password, uid):
        self.host, self.name, self.password, self.uid = host, name, password, uid
        self.program = build / "prog/autoenroll/autoenroll"
        self.home = f"/var/home/{name}"
        # Another file of tests may have had somebody of that name, with another uid and a ticket.
        host.run(f"sed -i '/^{name}:/d' /etc/passwd /etc/group; echo '{name}:x:{uid}:{uid}::{self.home}:/bin/bash' >> "
                 f"/etc/passwd; echo '{name}:x:{uid}:' >> /etc/group; rm -rf {self.home} /run/user/{uid}; "
                 f"install -d -m 700 -o {uid} -g {uid} {self.home} /run/user/{uid}")

    def sh(self, *words, check=True, input=None, env=None):
        """As the user; libraries of this build's sanitizers are for the programs alone."""
        mine = {"HOME": self.home, "USER": self.name, "XDG_RUNTIME_DIR": f"/run/user/{self.uid}",
                "KRB5CCNAME": f"FILE:/run/user/{self.uid}/krb5cc",
                "ASAN_OPTIONS": "detect_leaks=0"} | (env or {})
        return self.host.run("setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups",
                             "env", "-u", "XDG_DATA_HOME", "-u", "XDG_CONFIG_HOME",
                             *[f"{k}={v}" for k, v in mine.items()], *words, check=check, input=input)

    def login(self):
        self.sh("kinit", self.name, input=self.password + "\n")

    def logout(self):
        self.sh("kdestroy", "-q", check=False)

    def run(self, *words, check=True, env=None):
        return self.sh(self.program, *words, check=check, env=env)

    def json(self, *words, code=0, env=None):
        done = self.run(*words, "--json", check=False, env=env)
        assert code is None or done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def path(self, inside):
        return self.host.path(f"{self.home}/.local/share/autoenroll").joinpath(inside)


def failing(item):
    """Ids of the checks that speak against a template."""
    return [r["check"] for r in item["reasons"] if r["verdict"] == "fail"]


QUIET = [("AutoEnrollment", 2), ("AutoEnrollment", 4), ("CertificateServicesClient", 1),
         ("CertificateServicesClient", 3), ("CertEnroll", 65), ("CertEnroll", 64), ("AutoEnrollment", 5),
         ("AutoEnrollment", 3), ("CertificateServicesClient", 2)]
