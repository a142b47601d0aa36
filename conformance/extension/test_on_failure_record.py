import json
import unittest

from extension.kinesis_delivery import Discarded
from extension.on_failure_record import failure_key, failure_record

AT = 1_795_518_853.25


def record(number, arrived):
    return {"kinesis": {"sequenceNumber": number, "approximateArrivalTimestamp": arrived, "data": "eyJhIjoxfQ=="}}


def document(discarded):
    arns = {"function_arn": "arn:f", "stream_arn": "arn:s", "shard_id": "shardId-1"}
    return failure_record(discarded, **arns, at=AT)


class OnFailureRecord(unittest.TestCase):
    def test_holds_the_batch_and_the_whole_event(self):
        records = [record("11", AT - 2), record("12", AT - 1.5)]
        made = document(Discarded(records, "RetryAttemptsExhausted", 6, raised=True))
        self.assertEqual(json.loads(made["payload"]), {"Records": records})
        self.assertEqual(
            made["KinesisBatchInfo"],
            {
                "shardId": "shardId-1",
                "startSequenceNumber": "11",
                "endSequenceNumber": "12",
                "approximateArrivalOfFirstRecord": "2026-11-24T11:14:11.250Z",
                "approximateArrivalOfLastRecord": "2026-11-24T11:14:11.750Z",
                "batchSize": 2,
                "streamArn": "arn:s",
            },
        )
        self.assertEqual(made["requestContext"]["approximateInvokeCount"], 6)
        self.assertEqual(made["responseContext"]["functionError"], "Unhandled")

    def test_has_no_response_where_there_was_no_call(self):
        made = document(Discarded([record("11", AT)], "RecordAgeExceeded", 0, raised=False))
        self.assertNotIn("responseContext", made)

    def test_is_named_as_lambda_names_it(self):
        self.assertRegex(
            failure_key("uuid", "shardId-1", AT),
            r"^aws/lambda/uuid/shardId-1/2026/11/24/2026-11-24T11\.14\.13-[0-9a-f-]{36}$",
        )


if __name__ == "__main__":
    unittest.main()
