"""MiniStack with the extension: `python -m extension`."""

import importlib

from ministack import app

# Each changes one thing of the emulator, and each says which; none changes a file of it.
MODULES = (
    "athena",
    "bucket",
    "event_source_mapping",
    "global_table",
    "http_api",
    "metric_math_alarm",
    "object_encryption",
    "parent",
    "schedule",
    "secret",
    "state_machine",
    "step_functions_athena",
    "stream",
    "task_root",
    "topic",
    "update_item",
)

for name in MODULES:
    importlib.import_module(f"extension.{name}").install()

app.main()
