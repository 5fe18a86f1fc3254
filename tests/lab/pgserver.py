# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A PostgreSQL on a host of the lab, run by nobody: by a Unix socket there, by TCP with a password from
other hosts."""
import json
import time

BIN = "/usr/lib/postgresql/15/bin"
DIR = "/var/pgsql"
PASSWORD = "Lab-Database-1"


class PgServer:
    def __init__(self, host):
        self.host = host
        self.process = None

    def as_nobody(self, *words):
        return ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", "LC_ALL=C", *words)

    def make(self):
        """An empty cluster, and in it an empty database for the CA."""
        self.host.run(f"rm -rf {DIR} && mkdir -m 755 {DIR} && chown nobody:nogroup {DIR}")
        self.host.run(*self.as_nobody(f"{BIN}/initdb", "-D", f"{DIR}/data", "-U", "postgres", "-E", "UTF8",
                                      "--locale=C", "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync"))
        hba = self.host.path(f"{DIR}/data/pg_hba.conf")
        hba.write_text(hba.read_text() + "host all all 192.0.2.0/24 scram-sha-256\n")
        self.start()
        self.sql(f"CREATE ROLE certsrv LOGIN PASSWORD '{PASSWORD}'", "postgres")
        self.sql("CREATE DATABASE certsrv OWNER certsrv ENCODING 'UTF8' TEMPLATE template0", "postgres")

    def start(self):
        # no sync: what is killed here are processes
        self.process = self.host.start(*self.as_nobody(
            f"{BIN}/postgres", "-D", f"{DIR}/data", "-k", DIR, "-c", f"listen_addresses={self.host.address}",
            "-c", "fsync=off", "-c", "shared_buffers=16MB"), log=self.host.path(f"{DIR}/log"))
        end = time.monotonic() + 20
        while self.host.run("pg_isready", "-q", "-h", DIR, check=False).returncode != 0:
            assert time.monotonic() < end, self.host.path(f"{DIR}/log").read_text()
            time.sleep(0.1)

    def stop(self, number=2):  # SIGINT: fast
        if self.process is not None:
            self.process.stop(number)
            self.process = None

    def sql(self, text, database="certsrv"):
        """Rows as dicts."""
        if text.startswith("select"):
            text = f"select coalesce(json_agg(q), '[]') from ({text}) q"
            return json.loads(self.host.run("psql", "-qAtX", "-h", DIR, "-U", "postgres", "-d", database,
                                            "-c", text).stdout)
        self.host.run("psql", "-qAtX", "-h", DIR, "-U", "postgres", "-d", database, "-c", text)
        return []

    @property
    def local(self):
        return f"postgresql:///certsrv?host={DIR}&user=certsrv"

    @property
    def remote(self):
        return f"postgresql://{self.host.address}/certsrv?user=certsrv"
