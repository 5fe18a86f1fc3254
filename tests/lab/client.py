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
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def plan(self, *words):
        return {item["template"]: item for item in self.json("templates", *words)["plan"]}

    def events(self):
        """(source, id) of every event since the last call."""
        done = self.run("events", "--json", check=False)
        found = [(e["source"].rsplit("-", 1)[1], e["id"]) for e in json.loads(done.stdout)]
        self.host.path("/var/lib/autoenroll/events.jsonl").unlink(missing_ok=True)
        return found

    def current(self, template, name):
        return self.host.path(f"/var/lib/autoenroll/my/{template}/current").joinpath(name)


def failing(item):
    """Ids of the checks that speak against a template."""
    return [r["check"] for r in item["reasons"] if r["verdict"] == "fail"]


QUIET = [("AutoEnrollment", 2), ("AutoEnrollment", 4), ("CertificateServicesClient", 1),
         ("CertificateServicesClient", 3), ("CertEnroll", 65), ("CertEnroll", 64), ("AutoEnrollment", 5),
         ("AutoEnrollment", 3), ("CertificateServicesClient", 2)]
