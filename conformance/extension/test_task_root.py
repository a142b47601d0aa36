import json
import subprocess
import tempfile
import unittest
from pathlib import Path

from ministack.core import lambda_runtime

from extension import task_root


class TaskRoot(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        task_root.install()

    def test_a_function_finds_the_files_of_its_bundle(self):
        with tempfile.TemporaryDirectory() as folder:
            worker, code = Path(folder, "worker.js"), Path(folder, "code")
            worker.write_text(lambda_runtime._NODEJS_WORKER_SCRIPT)
            code.mkdir()
            (code / "table.bin").write_text("found")
            (code / "index.mjs").write_text(
                "import { readFileSync } from 'node:fs';\n"
                "export const handler = async () => [readFileSync(process.env.FILE, 'utf8'), process.env.OTHER];\n"
            )
            env = {"FILE": "/var/task/table.bin", "OTHER": "/var/tasks"}
            init = {"code_dir": str(code), "module": "index", "handler": "handler", "env": env}
            lines = f"{json.dumps(init)}\n{json.dumps({'event': {}, 'ctx': {}})}\n"
            done = subprocess.run(["node", worker], input=lines, capture_output=True, text=True, timeout=30, check=True)
            answers = [json.loads(line) for line in done.stdout.splitlines()]
            self.assertEqual(answers[-1].get("result"), ["found", "/var/tasks"])

    def test_a_worker_of_another_form_is_refused(self):
        with self.assertRaisesRegex(RuntimeError, "task_root.py"):
            lambda_runtime._NODEJS_WORKER_SCRIPT, stock = "other", lambda_runtime._NODEJS_WORKER_SCRIPT
            try:
                task_root.install()
            finally:
                lambda_runtime._NODEJS_WORKER_SCRIPT = stock


if __name__ == "__main__":
    unittest.main()
