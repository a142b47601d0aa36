import asyncio
import json
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer

from ministack.core.responses import request_scope
from ministack.services import athena as service
from ministack.services import glue, s3, stepfunctions

from extension import athena, iceberg_catalog, step_functions_athena

ACCOUNT, REGION = "111122223333", "eu-central-1"

CREATE = """CREATE TABLE IF NOT EXISTS events (
  `event_id` string,
  `value` decimal(18,4),
  `properties` map<string,string>,
  `received_day` date
)
PARTITIONED BY (received_day)
LOCATION 's3://lake/lake/events/'
TBLPROPERTIES ('table_type' = 'ICEBERG', 'format' = 'parquet')"""


def setUpModule():
    athena.install()
    step_functions_athena.install()


class Executor:
    """An executor of the test's own, on loopback."""

    def __init__(self, answer):
        self.questions = questions = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                questions.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Scoped(unittest.TestCase):
    def setUp(self):
        scope = request_scope(ACCOUNT, REGION)
        scope.__enter__()
        self.addCleanup(scope.__exit__, None, None, None)


class Statement(Scoped):
    def setUp(self):
        super().setUp()
        s3._create_bucket("lake", b"", {})
        glue._create_database({"DatabaseInput": {"Name": "lake"}})
        self.addCleanup(self.remove)
        self.addCleanup(setattr, athena, "EXECUTOR", athena.EXECUTOR)

    def remove(self):
        s3._buckets.pop("lake", None)
        glue._databases.clear()
        glue._tables.clear()

    def executed(self, sql, answer=None):
        """The execution of a statement, and what the executor was asked."""
        executor = Executor(answer) if answer else None
        athena.EXECUTOR = executor.url if executor else None

        async def run():
            started = service._start_query_execution(
                {
                    "QueryString": sql,
                    "QueryExecutionContext": {"Database": "lake"},
                    "ResultConfiguration": {"OutputLocation": "s3://lake/athena/"},
                }
            )
            query_id = json.loads(started[2])["QueryExecutionId"]
            end = time.time() + 10
            while service._executions[query_id]["Status"]["State"] in ("QUEUED", "RUNNING"):
                assert time.time() < end
                await asyncio.sleep(0.01)
            return service._executions[query_id]

        try:
            return asyncio.run(run()), executor.questions if executor else []
        finally:
            if executor:
                executor.close()

    def test_fails_without_an_executor(self):
        execution, _ = self.executed("SELECT 1")
        self.assertEqual(execution["Status"]["State"], "FAILED")
        self.assertIn("PAULA_ATHENA_EXECUTOR", execution["Status"]["StateChangeReason"])

    def test_is_what_the_executor_answers(self):
        answer = {"state": "SUCCEEDED", "columns": ["a", "b"], "rows": [["1", None]], "statistics": {"dataScannedInBytes": 7}}
        execution, [question] = self.executed("SELECT a, b FROM t", answer)
        self.assertEqual(question, {"sql": "SELECT a, b FROM t", "database": "lake", "outputLocation": "s3://lake/athena/"})
        self.assertEqual(execution["Status"]["State"], "SUCCEEDED")
        self.assertEqual(execution["Statistics"]["DataScannedInBytes"], 7)
        results = json.loads(service._get_query_results({"QueryExecutionId": execution["QueryExecutionId"]})[2])
        rows = [[cell.get("VarCharValue") for cell in row["Data"]] for row in results["ResultSet"]["Rows"]]
        self.assertEqual(rows, [["a", "b"], ["1", None]])
        key = execution["ResultConfiguration"]["OutputLocation"].removeprefix("s3://lake/")
        self.assertEqual(s3._buckets["lake"]["objects"][key]["body"], b'"a","b"\r\n"1",""\r\n')

    def test_fails_with_the_executors_reason(self):
        execution, _ = self.executed("SELECT x", {"state": "FAILED", "reason": "no column x"})
        self.assertEqual((execution["Status"]["State"], execution["Status"]["StateChangeReason"]), ("FAILED", "no column x"))

    def test_makes_and_evolves_an_iceberg_table_in_the_catalogue(self):
        for _ in range(2):
            self.executed(CREATE, {"state": "SUCCEEDED"})
        for _ in range(2):
            self.executed("ALTER TABLE events ADD COLUMNS (`gift` boolean)", {"state": "SUCCEEDED"})
        table = glue._tables["lake/events"]
        self.assertEqual(table["Parameters"]["table_type"], "ICEBERG")
        self.assertEqual(table["StorageDescriptor"]["Location"], "s3://lake/lake/events/")
        columns = [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]]
        self.assertEqual(columns[1:], [
            ("value", "decimal(18,4)"),
            ("properties", "map<string,string>"),
            ("received_day", "date"),
            ("gift", "boolean"),
        ])  # fmt: skip

    def test_changes_no_catalogue_where_it_failed(self):
        self.executed(CREATE, {"state": "FAILED", "reason": "x"})
        self.assertEqual(list(glue._tables), [])


class Ddl(unittest.TestCase):
    def test_of_anything_else_is_none(self):
        for sql in ("SELECT 1", "CREATE OR REPLACE VIEW v AS SELECT 1", "MERGE INTO t USING s ON true", "VACUUM t"):
            self.assertIsNone(iceberg_catalog.parse(sql))


class StateMachineTask(Scoped):
    def setUp(self):
        super().setUp()
        self.addCleanup(setattr, stepfunctions, "_dispatch_aws_sdk_json", stepfunctions._dispatch_aws_sdk_json)

    def run_task(self, resource, *states):
        answers = iter(states)
        self.asked = []

        def dispatch(service_info, service_name, action, parameters):
            self.asked.append((service_name, action))
            if action == "startQueryExecution":
                return {"QueryExecutionId": "q"}
            return {"QueryExecution": {"QueryExecutionId": "q", "Status": {"State": next(answers)}}}

        stepfunctions._dispatch_aws_sdk_json = dispatch
        return stepfunctions._invoke_resource(resource, {"QueryString": "SELECT 1"})

    def test_sync_waits_for_the_end(self):
        result = self.run_task(f"{step_functions_athena.RESOURCE}.sync", "QUEUED", "RUNNING", "SUCCEEDED")
        self.assertEqual(result["QueryExecution"]["Status"]["State"], "SUCCEEDED")
        self.assertEqual(len(self.asked), 4)

    def test_sync_fails_as_a_task_does(self):
        for state in ("FAILED", "CANCELLED"):
            with self.assertRaises(stepfunctions._ExecutionError) as raised:
                self.run_task(f"{step_functions_athena.RESOURCE}.sync", state)
            self.assertEqual(raised.exception.error, "States.TaskFailed")
            self.assertEqual(json.loads(raised.exception.cause)["Status"]["State"], state)

    def test_without_sync_does_not_wait(self):
        self.assertEqual(self.run_task(step_functions_athena.RESOURCE), {"QueryExecutionId": "q"})


if __name__ == "__main__":
    unittest.main()
