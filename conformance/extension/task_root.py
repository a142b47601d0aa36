"""A function's own files under /var/task.

Lambda unpacks the code there, and a function may name a file of its bundle by that path in its environment; MiniStack
unpacks into a temporary folder of its own. So a variable that begins with /var/task is told where that folder is.
"""

from ministack.core import lambda_runtime

TASK_ROOT = "/var/task"
SET_BY_WORKER = "process.env.LAMBDA_TASK_ROOT = code_dir;"
MOVE_VARIABLES = f"""
      for (const [name, value] of Object.entries(process.env))
        if (name !== "LAMBDA_TASK_ROOT" && (value === "{TASK_ROOT}" || value.startsWith("{TASK_ROOT}/")))
          process.env[name] = code_dir + value.slice({len(TASK_ROOT)});"""


def install():
    script = lambda_runtime._NODEJS_WORKER_SCRIPT
    if script.count(SET_BY_WORKER) != 1:
        raise RuntimeError("MiniStack's Node worker no longer sets LAMBDA_TASK_ROOT where task_root.py expects it")
    lambda_runtime._NODEJS_WORKER_SCRIPT = script.replace(SET_BY_WORKER, SET_BY_WORKER + MOVE_VARIABLES)
