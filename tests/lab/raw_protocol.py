#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Runs Samba's DCE/RPC conformance suite against port 135 of a server.

    raw_protocol.py SERVER [TEST...]        on a member of the domain

The suite is python3-samba's samba.tests.dcerpc.raw_protocol, unchanged.  All its
tests run unless some are named; each gives one line "ok NAME SECONDS" or
"FAIL NAME SECONDS REASON" on stdout.  They mostly wait for a server to stay silent,
so several processes share them.  What the suite wants to know comes from the
environment: USERNAME, PASSWORD, DOMAIN, REALM, and MAX_NUM_AUTH if the server's
limit of security contexts per connection is not Windows' 2049.
"""
import contextlib
import io
import os
import subprocess
import sys
import time
import unittest

SUITE = "samba.tests.dcerpc.raw_protocol.TestDCERPC_BIND"
PROCESSES = 6


class Lines(unittest.TestResult):
    """Prints a line when a test ends; the suite's own chatter is not passed on."""

    def __init__(self, out):
        super().__init__()
        self.out = out

    def startTest(self, test):
        super().startTest(test)
        self.start = time.monotonic()
        self.reason = None

    def stopTest(self, test):
        super().stopTest(test)
        name = test.id().rsplit(".", 1)[1]
        took = f"{time.monotonic() - self.start:.1f}"
        words = ["ok", name, took] if self.reason is None else ["FAIL", name, took, self.reason]
        # One write: several processes share the pipe.
        self.out.write(" ".join(words) + "\n")
        self.out.flush()

    def failed(self, error):
        kind, value, trace = error
        line = "?"
        while trace:
            if trace.tb_frame.f_code.co_filename.endswith("raw_protocol.py"):
                line = trace.tb_lineno
            trace = trace.tb_next
        self.reason = " ".join(f"line {line}: {kind.__name__}: {value}".split())[:200]

    def addFailure(self, test, err):
        self.failed(err)

    def addError(self, test, err):
        self.failed(err)

    def addSkip(self, test, reason):
        self.reason = "skipped: " + reason


def names():
    """All tests of the suite as installed."""
    from samba.tests.dcerpc.raw_protocol import TestDCERPC_BIND

    return unittest.TestLoader().getTestCaseNames(TestDCERPC_BIND)


def run(tests):
    out = sys.stdout
    suite = unittest.TestLoader().loadTestsFromNames([f"{SUITE}.{name}" for name in tests])
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        suite.run(Lines(out))


def main(server, tests):
    os.environ.update(SERVER=server, TARGET_HOSTNAME=server)
    os.environ.setdefault("SMB_CONF_PATH", "/etc/samba/smb.conf")
    # By far the longest goes first: it authenticates 2049 times.
    tests = sorted(tests or names(), key=lambda name: name != "test_multiple_auth_limit")
    parts = [tests[i::PROCESSES] for i in range(PROCESSES)]
    running = [subprocess.Popen([sys.executable, __file__, "--part", *part])
               for part in parts if part]
    return max(process.wait() for process in running)


if __name__ == "__main__":
    if sys.argv[1:] in ([], ["-h"], ["--help"]):
        print(__doc__)
    elif sys.argv[1] == "--names":
        print(*names(), sep="\n")
    elif sys.argv[1] == "--part":
        run(sys.argv[2:])
    else:
        sys.exit(main(sys.argv[1], sys.argv[2:]))
