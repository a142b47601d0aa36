"""Event source mappings of Kinesis streams: one reader per mapping and shard, in the place of MiniStack's single poller.

A batch goes when it has BatchSize records or 6 MB, or when MaximumBatchingWindowInSeconds has passed since its first record
was read; one batch of a shard at a time (ParallelizationFactor 1; more is refused). What a delivery does is in
kinesis_delivery.py. The on-failure destination may be an S3 bucket.

"How Lambda processes records from stream and queue-based event sources", AWS Lambda developer guide.
"""

import base64
import json
import logging
import threading
import time
from bisect import bisect_right

from ministack.core.responses import get_region, request_scope
from ministack.services import kinesis, lambda_svc, s3

from extension.cloudformation import after
from extension.kinesis_delivery import FAILED, THROTTLED, UNLIMITED, Limits, deliver
from extension.on_failure_record import failure_key, failure_record

logger = logging.getLogger("event_source_mapping")

# Between two looks at whether mappings have come or gone, and at an idle shard: Lambda polls a shard once a second.
LOOK_EVERY_SECONDS = 0.2

# Lambda's limit of a synchronous call; beside its data and key a record takes less than the second number.
MAX_BATCH_BYTES = 6 * 1024 * 1024
ENVELOPE_BYTES = 700

# Kinesis gives no more than this in one answer; a batch may need several reads.
READ_LIMIT = 10_000


def limits_of(mapping):
    return Limits(
        retry_attempts=int(mapping.get("MaximumRetryAttempts", UNLIMITED)),
        record_age_seconds=int(mapping.get("MaximumRecordAgeInSeconds", UNLIMITED)),
        bisect=str(mapping.get("BisectBatchOnFunctionError", False)).lower() == "true",
        partial_response="ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or []),
    )


def full_batch(waiting, batch_size):
    """How many of the waiting records fill a call, by number or by size; 0 while they fill none."""
    size = 0
    for index, record in enumerate(waiting):
        size += len(record["kinesis"]["data"]) + len(record["kinesis"]["partitionKey"]) + ENVELOPE_BYTES
        if size > MAX_BATCH_BYTES and index > 0:
            return index
        if index + 1 == batch_size:
            return batch_size
    return 0


def event_record(record, shard_id, stream_arn, role_arn):
    data = record["Data"]
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": record["SequenceNumber"],
            "data": base64.b64encode(data).decode() if isinstance(data, bytes) else data,
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard_id}:{record['SequenceNumber']}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": role_arn,
        "awsRegion": get_region(),
        "eventSourceARN": stream_arn,
    }


def function_of(mapping):
    record, _ = lambda_svc._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
    if record is None:
        raise LookupError(f"there is no function {mapping['FunctionName']}")
    return record


def call(mapping, records):
    """Calls the mapping's function, as it is now, and answers its response, FAILED or THROTTLED."""
    result = lambda_svc._execute_function(function_of(mapping), {"Records": records})
    if result.get("throttle"):
        return THROTTLED
    if result.get("error"):
        mapping["LastProcessingResult"] = "PROBLEM: Function call failed"
        return FAILED
    mapping["LastProcessingResult"] = "OK"
    body = result.get("body")
    return json.loads(body) if isinstance(body, (str, bytes)) and body else body


class ShardReader:
    """Reads one shard for one mapping, in a thread of its own, until the mapping has gone."""

    def __init__(self, account, region, mapping, shard_id):
        self.account, self.region, self.shard_id = account, region, shard_id
        self.mapping_id = mapping["UUID"]
        self.stream_arn = mapping["EventSourceArn"]
        # Sequence numbers of a shard are numbers; the next record is the first above this one.
        self.after = 0
        if mapping.get("StartingPosition") == "LATEST":
            records = self.records()
            self.after = int(records[-1]["SequenceNumber"]) if records else 0
        self.thread = threading.Thread(target=self.run, daemon=True, name=f"esm-{self.mapping_id}-{shard_id}")
        self.thread.start()

    def mapping(self):
        return lambda_svc._esms.get(self.mapping_id)

    def stopped(self):
        mapping = self.mapping()
        return mapping is None or not mapping.get("Enabled", True)

    def records(self):
        stream = kinesis._resolve_stream_by_arn(self.stream_arn)
        return stream["shards"][self.shard_id]["records"] if stream else []

    def read(self, after):
        """The records above a sequence number, oldest first."""
        records = self.records()
        start = bisect_right(records, after, key=lambda record: int(record["SequenceNumber"]))
        return records[start : start + READ_LIMIT]

    def run(self):
        with request_scope(self.account, self.region):
            while self.mapping() is not None:
                try:
                    if self.stopped() or not self.turn():
                        time.sleep(LOOK_EVERY_SECONDS)
                except Exception:
                    logger.exception("mapping %s, shard %s", self.mapping_id, self.shard_id)
                    time.sleep(LOOK_EVERY_SECONDS)

    def turn(self):
        """Gathers one batch and delivers it; false where there was nothing."""
        mapping = self.mapping()
        if mapping is None:
            return False
        function = function_of(mapping)
        batch_size = int(mapping.get("BatchSize", 100))
        waiting, since, read = [], None, self.after
        while not self.stopped():
            fresh = self.read(read)
            if fresh:
                since = since or time.time()
                read = int(fresh[-1]["SequenceNumber"])
                role = function["config"].get("Role", "")
                waiting += [event_record(record, self.shard_id, self.stream_arn, role) for record in fresh]
            if since is None:
                return False
            count = full_batch(waiting, batch_size)
            # Read again each time: an update of the mapping holds for the batch that is being gathered.
            ends = since + float(mapping.get("MaximumBatchingWindowInSeconds", 0))
            if count or time.time() >= ends:
                self.deliver(waiting[: count or len(waiting)], mapping)
                return True
            time.sleep(max(0.0, min(LOOK_EVERY_SECONDS, ends - time.time())))
        return False

    def deliver(self, batch, mapping):
        kept = lambda_svc._apply_filter_criteria(batch, mapping)
        if kept:
            deliver(
                kept,
                limits_of(mapping),
                call=lambda records: call(mapping, records),
                checkpoint=self.checkpoint,
                discard=lambda discarded: self.discard(discarded, mapping),
                wait=time.sleep,
                now=time.time,
                stopped=self.stopped,
            )
        if not self.stopped():
            self.checkpoint(batch[-1])

    def checkpoint(self, record):
        self.after = max(self.after, int(record["kinesis"]["sequenceNumber"]))

    def discard(self, discarded, mapping):
        destination = ((mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
        if not destination:
            return
        kind, _, bucket = destination.rpartition(":::")
        if not kind.endswith(":s3"):
            raise NotImplementedError(f"event_source_mapping.py writes to S3 only, not to {destination}")
        at = time.time()
        document = failure_record(
            discarded,
            function_arn=mapping["FunctionArn"],
            stream_arn=self.stream_arn,
            shard_id=self.shard_id,
            at=at,
        )
        body = json.dumps(document).encode()
        headers = {"content-type": "application/json", "content-length": str(len(body))}
        answer = s3._put_object(bucket, failure_key(self.mapping_id, self.shard_id, at), body, headers)
        if answer[0] >= 300:
            raise OSError(f"the on-failure destination {bucket} answered {answer[0]}: {answer[2]!r}")


def watch(readers):
    """Starts a reader for every mapping and shard that has none."""
    for account, region, mapping in lambda_svc._iter_all_esms():
        arn = mapping.get("EventSourceArn", "")
        if ":kinesis:" not in arn:
            continue
        if int(mapping.get("ParallelizationFactor", 1)) != 1:
            raise NotImplementedError("event_source_mapping.py delivers one batch of a shard at a time")
        with request_scope(account, region):
            stream = kinesis._resolve_stream_by_arn(arn)
            for shard_id in list(stream["shards"]) if stream else []:
                key = (account, region, mapping["UUID"], shard_id)
                if key not in readers or not readers[key].thread.is_alive():
                    readers[key] = ShardReader(account, region, mapping, shard_id)


def _watch_for_ever():
    readers = {}
    while True:
        try:
            watch(readers)
        except Exception:
            logger.exception("looking for mappings")
        time.sleep(LOOK_EVERY_SECONDS)


def _keep_metrics(mapping_id, properties):
    # Kept for GetEventSourceMapping; the metrics themselves are CloudWatch's and are not made here.
    if "MetricsConfig" in properties:
        lambda_svc._esms[mapping_id]["MetricsConfig"] = properties["MetricsConfig"]


def install():
    after("AWS::Lambda::EventSourceMapping", _keep_metrics)
    # MiniStack's own poller goes on for queues and table streams.
    lambda_svc._poll_kinesis = lambda: False
    threading.Thread(target=_watch_for_ever, daemon=True, name="esm-watch").start()
