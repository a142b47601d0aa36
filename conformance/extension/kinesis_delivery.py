"""How an event source mapping delivers a batch of one shard, after Lambda's documentation.

- The whole batch is dealt with where the function succeeds and reports no failed item.
- Reported items (ReportBatchItemFailures): the lowest sequence number counts, and what begins there is tried again. An
  identifier that is empty, missing or none of the batch fails the whole batch.
- A failed batch is split in two where BisectBatchOnFunctionError is on; a split uses up no retry. Else, and for a record
  alone, it is retried until MaximumRetryAttempts is used up.
- Records older than MaximumRecordAgeInSeconds, and those whose retries are used up, are discarded: to the on-failure
  destination where there is one. Then the shard moves on.
- A throttled call is no attempt; it is repeated until the records are too old.

"Configuring partial batch response with Kinesis Data Streams and Lambda" and "Retain discarded batch records for a Kinesis
Data Streams event source in Lambda", AWS Lambda developer guide. Neither says what becomes of a report that names the first
record of a batch of several: nothing could be left out of it, so here it fails the batch.
"""

from dataclasses import dataclass

# From one try to the next: Lambda backs off too and names no numbers. Short, since a test waits for it.
FIRST_RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 5

# What `call` answers for a function that could not be called or that raised.
THROTTLED = object()
FAILED = object()

# The default and the "infinite" of the API.
UNLIMITED = -1


@dataclass(frozen=True)
class Limits:
    retry_attempts: int
    record_age_seconds: int
    bisect: bool
    partial_response: bool


@dataclass(frozen=True)
class Discarded:
    records: list
    # In AWS's words: RetryAttemptsExhausted or RecordAgeExceeded.
    condition: str
    invoke_count: int
    # The function raised, and did not merely report failed items.
    raised: bool


def first_failed(response, records):
    """The index of the first record that failed by a partial batch response; the number of records where none did."""
    if response is None:
        return len(records)
    if not isinstance(response, dict):
        return len(records)
    failures = response.get("batchItemFailures")
    if not failures:
        return len(records)
    index = {record["kinesis"]["sequenceNumber"]: position for position, record in enumerate(records)}
    return min(index.get(failure.get("itemIdentifier"), 0) for failure in failures)


def deliver(batch, limits, *, call, checkpoint, discard, wait, now, stopped):
    """Delivers a batch, oldest record first.

    call(records) calls the function and answers its response, FAILED or THROTTLED; checkpoint(record) is told of the last
    record that is dealt with; discard(Discarded) keeps what is given up; wait(seconds) passes the time between two tries;
    now() is in seconds since the epoch; stopped() is true once the mapping has gone.
    """
    pending = [(batch, 0)]
    throttled = 0
    while pending and not stopped():
        records, attempts = pending.pop(0)
        live = records
        if limits.record_age_seconds != UNLIMITED:
            oldest = now() - limits.record_age_seconds
            live = [record for record in records if record["kinesis"]["approximateArrivalTimestamp"] >= oldest]
        expired = records[: len(records) - len(live)]
        if expired:
            discard(Discarded(expired, "RecordAgeExceeded", attempts, raised=attempts > 0))
            checkpoint(expired[-1])
        if not live:
            continue

        response = call(live)
        if response is THROTTLED:
            wait(back_off(throttled))
            throttled += 1
            pending.insert(0, (live, attempts))
            continue
        throttled = 0
        attempts += 1
        if response is FAILED:
            failed_from = 0
        else:
            failed_from = first_failed(response, live) if limits.partial_response else len(live)
        if failed_from == len(live):
            checkpoint(live[-1])
        elif failed_from > 0:
            checkpoint(live[failed_from - 1])
            pending.insert(0, (live[failed_from:], 0))
        elif limits.bisect and len(live) > 1:
            middle = (len(live) + 1) // 2
            pending[:0] = [(live[:middle], 0), (live[middle:], 0)]
        elif limits.retry_attempts != UNLIMITED and attempts > limits.retry_attempts:
            discard(Discarded(live, "RetryAttemptsExhausted", attempts, raised=response is FAILED))
            checkpoint(live[-1])
        else:
            wait(back_off(attempts - 1))
            pending.insert(0, (live, attempts))


def back_off(tries):
    return min(FIRST_RETRY_SECONDS * 2**tries, LONGEST_RETRY_SECONDS)
