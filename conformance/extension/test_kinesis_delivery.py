import random
import unittest

from extension.kinesis_delivery import FAILED, THROTTLED, UNLIMITED, Limits, deliver, first_failed

START = 1_000_000


def records(*numbers, arrived=START):
    return [{"kinesis": {"sequenceNumber": str(n), "approximateArrivalTimestamp": arrived}} for n in numbers]


def numbers(some):
    return [int(record["kinesis"]["sequenceNumber"]) for record in some]


def failing_at(*sequence_numbers):
    return {"batchItemFailures": [{"itemIdentifier": str(n)} for n in sequence_numbers]}


class World:
    """Delivers to a function and keeps what happened."""

    def __init__(self, function, **limits):
        self.function = function
        self.limits = Limits(
            **{"retry_attempts": 2, "record_age_seconds": UNLIMITED, "bisect": True, "partial_response": True, **limits}
        )
        self.calls, self.checkpoints, self.discarded, self.waits = [], [], [], []
        self.now = START
        self.is_stopped = False

    def call(self, some):
        self.calls.append(numbers(some))
        return self.function(numbers(some))

    def wait(self, seconds):
        self.waits.append(seconds)
        self.now += seconds

    def deliver(self, batch):
        deliver(
            batch,
            self.limits,
            call=self.call,
            checkpoint=lambda record: self.checkpoints.extend(numbers([record])),
            discard=self.discarded.append,
            wait=self.wait,
            now=lambda: self.now,
            stopped=lambda: self.is_stopped,
        )
        return self


class PartialResponse(unittest.TestCase):
    def test_reads_the_lowest_number(self):
        self.assertEqual(first_failed(failing_at(3, 2), records(1, 2, 3)), 1)

    def test_takes_no_failures_in_any_form_for_success(self):
        for response in (None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}, "done"):
            self.assertEqual(first_failed(response, records(1, 2)), 2)

    def test_takes_an_identifier_of_no_record_for_the_failure_of_all(self):
        for item in ({"itemIdentifier": ""}, {"itemIdentifier": None}, {"item": "2"}, {"itemIdentifier": "9"}):
            self.assertEqual(first_failed({"batchItemFailures": [item]}, records(1, 2)), 0)


class Delivery(unittest.TestCase):
    def test_a_success_takes_one_call(self):
        world = World(lambda _: None).deliver(records(1, 2, 3))
        self.assertEqual((world.calls, world.checkpoints, world.discarded), ([[1, 2, 3]], [3], []))

    def test_a_reported_item_is_where_the_next_call_begins(self):
        world = World(lambda some: failing_at(3) if some == [1, 2, 3, 4] else None).deliver(records(1, 2, 3, 4))
        self.assertEqual((world.calls, world.checkpoints), ([[1, 2, 3, 4], [3, 4]], [2, 4]))
        self.assertEqual(world.waits, [])

    def test_a_poison_record_is_given_up_alone_and_its_neighbours_are_dealt_with(self):
        def function(some):
            return failing_at(4) if 4 in some else None

        world = World(function).deliver(records(1, 2, 3, 4, 5, 6))
        [discarded] = world.discarded
        self.assertEqual(numbers(discarded.records), [4])
        self.assertEqual((discarded.condition, discarded.raised), ("RetryAttemptsExhausted", False))
        # The first try and two retries; the call that found it and the halves of the rest are none of them.
        self.assertEqual(discarded.invoke_count, 3)
        self.assertEqual(world.calls, [[1, 2, 3, 4, 5, 6], [4, 5, 6], [4, 5], [4], [4], [4], [5], [6]])
        self.assertEqual(world.checkpoints[-1], 6)

    def test_a_raised_error_splits_and_uses_up_no_retry(self):
        world = World(lambda some: FAILED if 2 in some else None).deliver(records(1, 2, 3, 4))
        self.assertEqual(world.calls, [[1, 2, 3, 4], [1, 2], [1], [2], [2], [2], [3, 4]])
        self.assertEqual(world.discarded[0].invoke_count, 3)
        self.assertTrue(world.discarded[0].raised)

    def test_without_bisect_the_whole_batch_is_retried_and_given_up(self):
        world = World(lambda _: FAILED, bisect=False).deliver(records(1, 2))
        self.assertEqual(world.calls, [[1, 2]] * 3)
        self.assertEqual(numbers(world.discarded[0].records), [1, 2])

    def test_without_report_batch_item_failures_the_response_says_nothing(self):
        world = World(lambda _: failing_at(1), partial_response=False).deliver(records(1, 2))
        self.assertEqual((world.calls, world.checkpoints), ([[1, 2]], [2]))

    def test_a_consumer_that_fails_twice_and_then_works_loses_nothing(self):
        answers = iter([FAILED, FAILED])
        world = World(lambda _: next(answers, None), bisect=False).deliver(records(1, 2))
        self.assertEqual((world.discarded, world.checkpoints, len(world.waits)), ([], [2], 2))

    def test_what_is_too_old_is_kept_without_a_call(self):
        world = World(lambda _: None, record_age_seconds=60)
        world.deliver(records(1, 2, arrived=START - 61) + records(3))
        self.assertEqual((numbers(world.discarded[0].records), world.calls), ([1, 2], [[3]]))
        self.assertEqual((world.discarded[0].condition, world.discarded[0].invoke_count), ("RecordAgeExceeded", 0))

    def test_what_grows_too_old_between_retries_is_given_up(self):
        world = World(lambda _: FAILED, retry_attempts=UNLIMITED, record_age_seconds=5).deliver(records(1))
        self.assertEqual(world.discarded[0].condition, "RecordAgeExceeded")

    def test_a_throttled_call_is_no_attempt(self):
        answers = iter([THROTTLED] * 5)
        world = World(lambda _: next(answers, None)).deliver(records(1))
        self.assertEqual((world.discarded, len(world.calls), len(world.waits)), ([], 6, 5))

    def test_a_mapping_that_goes_makes_no_further_call(self):
        world = World(lambda _: FAILED)

        def function(_):
            world.is_stopped = True
            return FAILED

        world.function = function
        world.deliver(records(1, 2))
        self.assertEqual((len(world.calls), world.checkpoints, world.discarded), (1, [], []))

    def test_every_record_is_dealt_with_or_given_up_whatever_the_function_does(self):
        chance = random.Random(4)
        for _ in range(500):
            poison = {n for n in range(1, 20) if chance.random() < 0.15}
            dealt = set()

            def function(some, poison=poison, dealt=dealt):
                bad = [n for n in some if n in poison]
                if bad and chance.random() < 0.5:
                    return FAILED
                dealt.update(n for n in some if not bad or n < bad[0])
                return failing_at(*bad)

            world = World(function, retry_attempts=chance.randint(0, 3)).deliver(records(*range(1, 20)))
            given_up = [n for discarded in world.discarded for n in numbers(discarded.records)]
            self.assertEqual(set(given_up), poison)
            self.assertEqual(len(given_up), len(poison))
            self.assertEqual(dealt | poison, set(range(1, 20)))
            self.assertEqual(world.checkpoints, sorted(world.checkpoints))
            self.assertEqual(world.checkpoints[-1], 19)


if __name__ == "__main__":
    unittest.main()
