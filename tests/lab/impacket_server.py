#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""wcce_client.py and admin_client.py for a host's whole life: impacket is imported once, and each job is a fork of
its own, so that nothing of one is left for the next.

A job is a line of JSON, {"module": "wcce_client", "input": "…", "env": {…}, "timeout": 60}; so is the answer,
{"status": 0, "stdout": "…", "stderr": "…"}.  Who ends standard input ends this."""
import io
import json
import os
import signal
import sys
import tempfile

import admin_client
import wcce_client

MODULES = {"admin_client": admin_client, "wcce_client": wcce_client}


def child(job, out, err):
    """As if it had just been started; never returns."""
    status = 1
    try:
        signal.alarm(job["timeout"])
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        os.environ.update(job["env"])
        sys.stdin = io.StringIO(job["input"])
        MODULES[job["module"]].main()
        sys.stdout.flush()
        status = 0
    finally:
        if status:
            sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        os._exit(status)


def run(job):
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        pid = os.fork()
        if pid == 0:
            child(job, out, err)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        out.seek(0)
        err.seek(0)
        return {"status": status, "stdout": out.read(), "stderr": err.read()}


def main():
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
