"""What the resource types keep of their properties, each asked of its own service as the deployed stage is."""

import json
import unittest

from ministack.core.responses import request_scope
from ministack.services import dynamodb, kinesis, lambda_svc, s3, secretsmanager, sns
from ministack.services.cloudformation import provisioners

from extension import (
    bucket,
    event_source_mapping,
    global_table,
    metric_math_alarm,
    object_encryption,
    schedule,
    secret,
    state_machine,
    stream,
    topic,
)

ACCOUNT, REGION = "111122223333", "eu-central-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"


def setUpModule():
    modules = (bucket, global_table, metric_math_alarm, object_encryption, schedule, secret, state_machine, stream, topic)
    for module in modules:
        module.install()


def answered(answer):
    status, _, body = answer
    assert status < 400, body
    return json.loads(body)


class Types(unittest.TestCase):
    def setUp(self):
        scope = request_scope(ACCOUNT, REGION)
        scope.__enter__()
        self.addCleanup(scope.__exit__, None, None, None)

    def made(self, kind, properties, name):
        physical_id, attributes = provisioners._provision_resource(kind, name, properties, "stack")
        self.addCleanup(provisioners._delete_resource, kind, physical_id, properties)
        return physical_id, attributes

    def updated(self, kind, physical_id, before, after, name):
        changed_id, _ = provisioners._update_resource(kind, physical_id, before, after, "stack", name)
        self.assertEqual(changed_id, physical_id)

    def test_a_stream_is_encrypted_and_stays_so(self):
        before = {"ShardCount": 1, "StreamEncryption": {"EncryptionType": "KMS", "KeyId": KEY}}
        name, _ = self.made("AWS::Kinesis::Stream", before, "Encrypted")
        after = {**before, "RetentionPeriodHours": 48}
        self.updated("AWS::Kinesis::Stream", name, before, after, "Encrypted")
        summary = answered(kinesis._describe_stream_summary({"StreamName": name}))["StreamDescriptionSummary"]
        self.assertEqual((summary["EncryptionType"], summary["KeyId"], summary["RetentionPeriodHours"]), ("KMS", KEY, 48))

    def test_a_global_table_has_what_its_replica_says(self):
        properties = {
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
            "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": True},
            "Replicas": [
                {
                    "Region": REGION,
                    "DeletionProtectionEnabled": True,
                    "PointInTimeRecoverySpecification": {
                        "PointInTimeRecoveryEnabled": True,
                        "RecoveryPeriodInDays": 7,
                    },
                    "SSESpecification": {"KMSMasterKeyId": KEY},
                }
            ],
        }
        name, _ = self.made("AWS::DynamoDB::GlobalTable", properties, "Table")
        table = answered(dynamodb._describe_table({"TableName": name}))["Table"]
        self.assertEqual(table["SSEDescription"], {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": KEY})
        self.assertTrue(table["DeletionProtectionEnabled"])
        ttl = answered(dynamodb._describe_ttl({"TableName": name}))["TimeToLiveDescription"]
        self.assertEqual(ttl, {"AttributeName": "ttl", "TimeToLiveStatus": "ENABLED"})
        backups = answered(dynamodb._describe_continuous_backups({"TableName": name}))["ContinuousBackupsDescription"]
        recovery = backups["PointInTimeRecoveryDescription"]
        self.assertEqual((recovery["PointInTimeRecoveryStatus"], recovery["RecoveryPeriodInDays"]), ("ENABLED", 7))

    def test_a_bucket_has_its_encryption_and_its_rules(self):
        rules = [
            {"Prefix": "landing/", "ExpirationInDays": 30, "Status": "Enabled"},
            {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}, "Status": "Enabled"},
        ]
        by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
        encryption = {"BucketKeyEnabled": True, "ServerSideEncryptionByDefault": by_default}
        before = {
            "BucketEncryption": {"ServerSideEncryptionConfiguration": [encryption]},
            "LifecycleConfiguration": {"Rules": rules},
        }
        name, _ = self.made("AWS::S3::Bucket", before, "Bucket")
        kept = s3._get_bucket_encryption(name)[2]
        for text in (f"<KMSMasterKeyID>{KEY}</KMSMasterKeyID>", "<BucketKeyEnabled>true</BucketKeyEnabled>"):
            self.assertIn(text, kept)
        after = {**before, "LifecycleConfiguration": {"Rules": [{**rules[0], "ExpirationInDays": 31}, rules[1]]}}
        self.updated("AWS::S3::Bucket", name, before, after, "Bucket")
        lifecycle = s3._get_bucket_lifecycle(name)[2].decode()
        self.assertIn("<Prefix>landing/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>31</Days>", lifecycle)
        self.assertIn("<DaysAfterInitiation>1</DaysAfterInitiation>", lifecycle)

    def test_a_bucket_refuses_a_rule_that_would_get_lost(self):
        rule = {"Status": "Enabled", "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 1}]}
        with self.assertRaisesRegex(ValueError, "Transitions"):
            bucket.lifecycle_xml({"Rules": [rule]})

    def test_a_write_that_names_no_key_stands_under_the_accounts_own(self):
        headers, refusal = s3._resolve_sse_write_headers({object_encryption.ALGORITHM: "aws:kms"}, "any")
        self.assertIsNone(refusal)
        self.assertEqual(headers[object_encryption.KEY], f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/s3")

    def test_a_secret_without_a_value_has_none_and_is_known_by_its_arn(self):
        properties = {"Description": "keys", "KmsKeyId": KEY}
        arn, _ = self.made("AWS::SecretsManager::Secret", properties, "Secret")
        self.assertTrue(arn.startswith("arn:aws:secretsmanager:"))
        self.assertIn(b"ResourceNotFoundException", secretsmanager._get_secret_value({"SecretId": arn})[2])
        answered(secretsmanager._put_secret_value({"SecretId": arn, "SecretString": "first"}))
        self.updated("AWS::SecretsManager::Secret", arn, properties, {**properties, "Description": "more"}, "Secret")
        self.assertEqual(answered(secretsmanager._get_secret_value({"SecretId": arn}))["SecretString"], "first")
        provisioners._delete_resource("AWS::SecretsManager::Secret", arn, properties)
        self.assertIn(b"ResourceNotFoundException", secretsmanager._describe_secret({"SecretId": arn})[2])

    def test_a_secret_with_a_value_has_it(self):
        arn, _ = self.made("AWS::SecretsManager::Secret", {"SecretString": "given"}, "Given")
        self.assertEqual(answered(secretsmanager._get_secret_value({"SecretId": arn}))["SecretString"], "given")

    def test_a_topic_is_encrypted(self):
        arn, _ = self.made("AWS::SNS::Topic", {"KmsMasterKeyId": KEY}, "Topic")
        self.assertEqual(sns._topics[arn]["attributes"]["KmsMasterKeyId"], KEY)

    def test_a_state_machine_is_logged_as_its_template_says(self):
        destination = {"CloudWatchLogsLogGroup": {"LogGroupArn": "arn:group:*"}}
        properties = {
            "DefinitionString": '{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}',
            "RoleArn": "arn:role",
            "LoggingConfiguration": {
                "Level": "ERROR",
                "IncludeExecutionData": False,
                "Destinations": [destination],
            },
        }
        arn, _ = self.made("AWS::StepFunctions::StateMachine", properties, "Machine")
        described = answered(state_machine.stepfunctions._describe_state_machine({"stateMachineArn": arn}))
        self.assertEqual(
            described["loggingConfiguration"],
            {
                "level": "ERROR",
                "includeExecutionData": False,
                "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": "arn:group:*"}}],
            },
        )

    def test_a_schedule_has_its_time_zone(self):
        target = {"Arn": "arn:aws:states:eu-central-1:111122223333:stateMachine:m", "RoleArn": "arn:role"}
        properties = {
            "ScheduleExpression": "rate(15 minutes)",
            "ScheduleExpressionTimezone": "Etc/UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": target,
        }
        name, _ = self.made("AWS::Scheduler::Schedule", properties, "Schedule")
        kept = schedule.scheduler._schedules[f"default/{name}"]
        self.assertEqual(kept["ScheduleExpressionTimezone"], "Etc/UTC")

    def test_an_alarm_over_an_expression_is_described_as_it_is(self):
        metrics = [{"Id": "rate", "Expression": "100 * part / whole", "ReturnData": True}]
        properties = {
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 3,
            "Threshold": 1,
            "Metrics": metrics,
        }
        alarm = provisioners._cw_metric_alarm_record("alarm", properties)
        self.assertEqual((alarm["Metrics"], alarm["EvaluationPeriods"]), (metrics, 3))
        self.assertFalse(set(metric_math_alarm.OF_ONE_METRIC) & set(alarm))
        with self.assertRaisesRegex(ValueError, "not both"):
            provisioners._cw_metric_alarm_record("alarm", {**properties, "MetricName": "Errors"})

    def test_a_mapping_keeps_its_metrics(self):
        lambda_svc._esms["mapping"] = {"UUID": "mapping"}
        self.addCleanup(lambda_svc._esms.pop, "mapping")
        event_source_mapping._keep_metrics("mapping", {"MetricsConfig": {"Metrics": ["EventCount"]}})
        self.assertEqual(lambda_svc._esms["mapping"]["MetricsConfig"], {"Metrics": ["EventCount"]})


if __name__ == "__main__":
    unittest.main()
