"""What Lambda writes into an S3 on-failure destination for a batch that it has given up.

"Retain discarded batch records for a Kinesis Data Streams event source in Lambda", AWS Lambda developer guide: the metadata
of the batch, the whole event as text in `payload`, under aws/lambda/<ESM-UUID>/<shardID>/YYYY/MM/DD/<time>-<Random UUID>.
"""

import datetime
import json
import uuid


def _iso(seconds):
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def failure_record(discarded, *, function_arn, stream_arn, shard_id, at):
    """The document, from a kinesis_delivery.Discarded; `at` in seconds since the epoch."""
    records = discarded.records
    first, last = records[0]["kinesis"], records[-1]["kinesis"]
    response = {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled" if discarded.raised else None,
    }
    return {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": function_arn,
            "condition": discarded.condition,
            "approximateInvokeCount": discarded.invoke_count,
        },
        # Records that have grown too old before a call have no response.
        **({"responseContext": response} if discarded.invoke_count > 0 else {}),
        "version": "1.0",
        "timestamp": _iso(at),
        "KinesisBatchInfo": {
            "shardId": shard_id,
            "startSequenceNumber": first["sequenceNumber"],
            "endSequenceNumber": last["sequenceNumber"],
            "approximateArrivalOfFirstRecord": _iso(first["approximateArrivalTimestamp"]),
            "approximateArrivalOfLastRecord": _iso(last["approximateArrivalTimestamp"]),
            "batchSize": len(records),
            "streamArn": stream_arn,
        },
        "payload": json.dumps({"Records": records}),
    }


def failure_key(mapping_id, shard_id, at):
    moment = datetime.datetime.fromtimestamp(at, datetime.UTC)
    day, time = moment.strftime("%Y/%m/%d"), moment.strftime("%Y-%m-%dT%H.%M.%S")
    return f"aws/lambda/{mapping_id}/{shard_id}/{day}/{time}-{uuid.uuid4()}"
