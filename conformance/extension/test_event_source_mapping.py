import base64
import json
import time
import unittest
import uuid
from unittest import mock

from ministack.core.responses import request_scope
from ministack.services import kinesis, lambda_svc, s3

from extension import event_source_mapping
from extension.event_source_mapping import full_batch, watch

ACCOUNT, REGION = "111122223333", "eu-central-1"
STREAM_ARN = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/events"
FUNCTION = {"config": {"FunctionName": "consumer", "Role": "arn:aws:iam::111122223333:role/consumer"}}
WITHIN_SECONDS = 20


def waiting(count, size=4):
    return [{"kinesis": {"data": "a" * size, "partitionKey": "k"}} for _ in range(count)]


class FullBatch(unittest.TestCase):
    def test_is_full_by_number(self):
        self.assertEqual(full_batch(waiting(9), 10), 0)
        self.assertEqual(full_batch(waiting(12), 10), 10)

    def test_is_full_by_size(self):
        self.assertEqual(full_batch(waiting(9, size=1024 * 1024), 1000), 5)

    def test_takes_a_record_that_alone_is_too_large(self):
        self.assertEqual(full_batch(waiting(2, size=7 * 1024 * 1024), 1000), 1)


class Mapping(unittest.TestCase):
    """A stream, a mapping and a bucket of the emulator's, with a function of the test's own."""

    def setUp(self):
        scope = request_scope(ACCOUNT, REGION)
        scope.__enter__()
        self.addCleanup(scope.__exit__, None, None, None)
        kinesis._create_stream({"StreamName": "events", "ShardCount": 2})
        kinesis._streams["events"]["StreamStatus"] = "ACTIVE"
        s3._create_bucket("failed", b"", {})
        # A mapping that is made again has a new id, and readers of the old one end.
        self.mapping_id = str(uuid.uuid4())
        self.batches = []
        self.fails = lambda texts: None
        self.enter(mock.patch.object(event_source_mapping, "function_of", lambda mapping: FUNCTION))
        self.enter(mock.patch.object(lambda_svc, "_execute_function", self.execute))
        self.addCleanup(self.remove)

    def enter(self, patch):
        patch.start()
        self.addCleanup(patch.stop)

    def remove(self):
        lambda_svc._esms.pop(self.mapping_id, None)
        kinesis._streams.pop("events", None)
        s3._buckets.pop("failed", None)

    def execute(self, function, event):
        texts = [base64.b64decode(record["kinesis"]["data"]).decode() for record in event["Records"]]
        self.batches.append(texts)
        failed = self.fails(texts)
        if failed is None:
            return {"body": None}
        if failed == "raise":
            return {"error": True, "body": {"errorType": "Error"}}
        number = event["Records"][texts.index(failed)]["kinesis"]["sequenceNumber"]
        return {"body": {"batchItemFailures": [{"itemIdentifier": number}]}}

    def map(self, **settings):
        lambda_svc._esms[self.mapping_id] = {
            "UUID": self.mapping_id,
            "EventSourceArn": STREAM_ARN,
            "FunctionName": "consumer",
            "FunctionArn": "arn:aws:lambda:eu-central-1:111122223333:function:consumer",
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": 100,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "BisectBatchOnFunctionError": True,
            "MaximumRetryAttempts": 1,
            "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::failed"}},
            **settings,
        }
        watch({})

    def put(self, *texts, key="same"):
        records = [{"Data": base64.b64encode(text.encode()).decode(), "PartitionKey": key} for text in texts]
        answer = kinesis._put_records({"StreamName": "events", "Records": records})
        self.assertEqual(answer[0], 200)

    def until(self, condition):
        end = time.time() + WITHIN_SECONDS
        while not condition():
            self.assertLess(time.time(), end, f"not within {WITHIN_SECONDS} s; batches so far: {self.batches}")
            time.sleep(0.02)

    def seen(self):
        return [text for batch in self.batches for text in batch]

    def test_reads_from_the_trim_horizon_and_on(self):
        self.put("a", "b")
        self.map()
        self.until(lambda: self.seen() == ["a", "b"])
        self.put("c")
        self.until(lambda: self.seen() == ["a", "b", "c"])

    def test_gathers_for_the_window_and_ends_it_for_a_full_batch(self):
        self.map(MaximumBatchingWindowInSeconds=1, BatchSize=3)
        self.put("a")
        self.put("b")
        self.until(lambda: self.batches == [["a", "b"]])
        self.put("c", "d", "e", "f")
        self.until(lambda: self.batches == [["a", "b"], ["c", "d", "e"], ["f"]])

    def test_a_poison_record_ends_in_the_bucket_and_its_neighbours_are_dealt_with(self):
        self.fails = lambda texts: "bad" if "bad" in texts else None
        self.put("a", "bad", "b")
        self.map()
        self.until(lambda: self.seen()[-1:] == ["b"] and s3._buckets["failed"]["objects"])
        [(key, kept)] = s3._buckets["failed"]["objects"].items()
        self.assertTrue(key.startswith(f"aws/lambda/{self.mapping_id}/shardId-"))
        document = json.loads(kept["body"])
        [record] = json.loads(document["payload"])["Records"]
        self.assertEqual(base64.b64decode(record["kinesis"]["data"]), b"bad")
        self.assertEqual(record["eventID"].split(":")[0], document["KinesisBatchInfo"]["shardId"])

    def test_a_shard_that_fails_holds_up_no_other(self):
        self.fails = lambda texts: "raise" if "bad" in texts else None
        self.map(MaximumRetryAttempts=-1, BisectBatchOnFunctionError=False)
        self.put("bad", key="same")
        self.until(lambda: len(self.batches) > 1)
        for number in range(20):
            self.put(f"good {number}", key=f"key {number}")
        self.until(lambda: any(text.startswith("good") for text in self.seen()))

    def test_a_disabled_mapping_waits(self):
        self.map(Enabled=False)
        self.put("a")
        time.sleep(3 * event_source_mapping.LOOK_EVERY_SECONDS)
        self.assertEqual(self.batches, [])
        lambda_svc._esms[self.mapping_id]["Enabled"] = True
        self.until(lambda: self.seen() == ["a"])

    def test_refuses_what_it_does_not_know(self):
        with self.assertRaises(NotImplementedError):
            self.map(ParallelizationFactor=2)


if __name__ == "__main__":
    unittest.main()
