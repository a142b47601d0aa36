"""Athena's statements, executed by an engine that PAULA_ATHENA_EXECUTOR names.

It takes {sql, database, outputLocation} by POST and answers {state, reason, columns, rows, statistics}: state SUCCEEDED or
FAILED; reason of a failure; columns and rows (lists of texts and nulls) of a query; statistics.dataScannedInBytes where it
knows. MiniStack's own engine answers made-up rows to what it does not understand, so without an executor every statement
fails and says so.
"""

import asyncio
import csv
import io
import json
import logging
import os
import time
import urllib.request
from urllib.parse import urlparse

from ministack.services import athena, s3

from extension import iceberg_catalog
from extension.cloudformation import accepted

logger = logging.getLogger("athena")

EXECUTOR = os.environ.get("PAULA_ATHENA_EXECUTOR")

# Athena's own limit of a statement.
STATEMENT_SECONDS = 30 * 60


def ask(executor, question):
    body = json.dumps(question).encode()
    request = urllib.request.Request(executor, data=body, headers={"content-type": "application/json"})
    # No proxy of the environment's stands between two processes of this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=STATEMENT_SECONDS) as response:
        return json.load(response)


def _keep_results(location, columns, rows):
    """Athena writes the rows of a query as CSV to the place that GetQueryExecution names."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(columns)
    writer.writerows(rows)
    place, body = urlparse(location), text.getvalue().encode()
    headers = {"content-type": "text/csv", "content-length": str(len(body))}
    accepted(s3._put_object(place.netloc, place.path.lstrip("/"), body, headers))


async def execute(query_id, sql, database, ddl, catalog=None):
    """In the place of MiniStack's own execution."""
    execution = athena._executions[query_id]
    status = execution["Status"]
    status["State"] = "RUNNING"
    started = time.time()
    location = execution["ResultConfiguration"]["OutputLocation"]
    try:
        if not EXECUTOR:
            raise RuntimeError("no executor: PAULA_ATHENA_EXECUTOR is not set")
        question = {"sql": sql, "database": database, "outputLocation": location.rpartition("/")[0] + "/"}
        answer = await asyncio.to_thread(ask, EXECUTOR, question)
        if answer["state"] != "SUCCEEDED":
            raise RuntimeError(answer.get("reason") or "the executor gave no reason")
        iceberg_catalog.apply(sql, database)
        columns, rows = answer.get("columns") or [], answer.get("rows") or []
        execution["_results"] = {"columns": columns, "rows": rows}
        execution["_column_types"] = ["varchar"] * len(columns)
        execution["Statistics"].update(
            EngineExecutionTimeInMillis=int((time.time() - started) * 1000),
            DataScannedInBytes=(answer.get("statistics") or {}).get("dataScannedInBytes", 0),
        )
        if columns:
            _keep_results(location, columns, rows)
        status["State"] = "SUCCEEDED"
    except Exception as error:
        # The statement stays out of the log: it may quote a value.
        logger.error("statement %s failed: %s", query_id, error)
        status["State"] = "FAILED"
        status["StateChangeReason"] = str(error)[:2000]
    status["CompletionDateTime"] = int(time.time())


def install():
    athena._execute_query = execute
