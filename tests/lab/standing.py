# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""impacket on a host of the lab, ready: impacket_server.py, started with the first job and ended with the lab.
Importing it takes longer than most of what is asked through it."""
import json
import pathlib
import select
import subprocess
import threading

HERE = pathlib.Path(__file__).parent


class Standing:
    def __init__(self, host):
        self.host, self.process, self.lock = host, None, threading.Lock()

    def start(self):
        if self.process is None or self.process.poll() is not None:
            self.end()
            self.process = subprocess.Popen(self.host.command("/usr/bin/python3", HERE / "impacket_server.py"),
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def end(self):
        if self.process is not None:
            self.process.kill()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process.wait()
            self.process = None

    def ask(self, job):
        """One line there and one back."""
        self.start()
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], job["timeout"] + 10)[0]:
            self.end()
            raise subprocess.TimeoutExpired(job["module"], job["timeout"])
        return json.loads(self.process.stdout.readline())

    def run(self, module, arguments, env, timeout):
        """What the script of that name says; None: another thread has it in hand."""
        if not self.lock.acquire(blocking=False):
            return None
        try:
            return self.ask({"module": module, "input": json.dumps(arguments), "env": env, "timeout": timeout})
        finally:
            self.lock.release()
