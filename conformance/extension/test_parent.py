import os
import select
import subprocess
import sys
import unittest
from pathlib import Path

WITHIN_SECONDS = 10

# A parent that starts a child, hands it the end of a pipe and is gone once the child is up.
PARENT = """
import subprocess, sys
child = "import time; from extension import parent; parent.install(); print('up', flush=True); time.sleep(60)"
process = subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE, text=True, pass_fds=[int(sys.argv[1])])
process.stdout.readline()
"""


class Parent(unittest.TestCase):
    def test_takes_the_emulator_with_it(self):
        readable, writable = os.pipe()
        self.addCleanup(os.close, readable)
        home = Path(__file__).resolve().parents[1]
        subprocess.run([sys.executable, "-c", PARENT, str(writable)], cwd=home, check=True, pass_fds=[writable])
        os.close(writable)
        # The pipe ends when nobody holds its other end any more.
        ended, _, _ = select.select([readable], [], [], WITHIN_SECONDS)
        self.assertEqual((ended, os.read(readable, 1) if ended else None), ([readable], b""))


if __name__ == "__main__":
    unittest.main()
