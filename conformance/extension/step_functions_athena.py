"""Step Functions' optimised integration athena:startQueryExecution, with and without .sync.

.sync waits for the statement and answers GetQueryExecution; one that fails or is cancelled is States.TaskFailed with the
execution as the cause. "Run Athena queries with Step Functions", AWS Step Functions developer guide.
"""

import json
import time

from ministack.services import stepfunctions

RESOURCE = "arn:aws:states:::athena:startQueryExecution"
LOOK_EVERY_SECONDS = 0.05


def _athena(action, parameters):
    service = stepfunctions._AWS_SDK_SERVICE_MAP["athena"]
    return stepfunctions._dispatch_aws_sdk_json(service, "athena", action, parameters)


def start_query_execution(resource, parameters):
    started = _athena("startQueryExecution", parameters)
    if not resource.endswith(".sync"):
        return started
    while True:
        execution = _athena("getQueryExecution", {"QueryExecutionId": started["QueryExecutionId"]})
        state = execution["QueryExecution"]["Status"]["State"]
        if state == "SUCCEEDED":
            return execution
        if state in ("FAILED", "CANCELLED"):
            raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(execution["QueryExecution"]))
        time.sleep(LOOK_EVERY_SECONDS)


def install():
    stepfunctions._SERVICE_DISPATCH[RESOURCE] = start_query_execution
