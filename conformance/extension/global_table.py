"""AWS::DynamoDB::GlobalTable: time to live, encryption, recovery and deletion protection, which MiniStack's handler drops.

Encryption, recovery and deletion protection are properties of a replica; a template of one region has one replica, and its
settings are the table's.
"""

import json

from ministack.core.responses import AccountRegionScopedDict, json_response
from ministack.services import dynamodb

from extension.cloudformation import accepted, after

# MiniStack keeps whether recovery is on, and not for how many days.
_recovery_days = AccountRegionScopedDict()


def _apply(name, properties):
    ttl = properties.get("TimeToLiveSpecification")
    if ttl and "AttributeName" in ttl:
        accepted(dynamodb._update_ttl({"TableName": name, "TimeToLiveSpecification": ttl}))
    replica = (properties.get("Replicas") or [{}])[0]
    update = {}
    encryption = properties.get("SSESpecification")
    if encryption:
        update["SSESpecification"] = {
            "Enabled": encryption.get("SSEEnabled"),
            "SSEType": encryption.get("SSEType"),
            "KMSMasterKeyId": (replica.get("SSESpecification") or {}).get("KMSMasterKeyId"),
        }
    if "DeletionProtectionEnabled" in replica:
        update["DeletionProtectionEnabled"] = replica["DeletionProtectionEnabled"]
    if update:
        accepted(dynamodb._update_table({"TableName": name, **update}))
    recovery = replica.get("PointInTimeRecoverySpecification")
    if recovery:
        accepted(
            dynamodb._update_continuous_backups({"TableName": name, "PointInTimeRecoverySpecification": recovery})
        )


def install():
    after("AWS::DynamoDB::GlobalTable", _apply)
    stock_update, stock_describe = dynamodb._update_continuous_backups, dynamodb._describe_continuous_backups

    def update_continuous_backups(data):
        answer = stock_update(data)
        days = data.get("PointInTimeRecoverySpecification", {}).get("RecoveryPeriodInDays")
        if answer[0] < 400 and days is not None:
            _recovery_days[dynamodb._normalize_table_name(data["TableName"])] = int(days)
        return answer

    def describe_continuous_backups(data):
        answer = stock_describe(data)
        days = _recovery_days.get(dynamodb._normalize_table_name(data.get("TableName")))
        if answer[0] >= 400 or days is None:
            return answer
        described = json.loads(answer[2])
        described["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]["RecoveryPeriodInDays"] = days
        return json_response(described)

    dynamodb._update_continuous_backups = update_continuous_backups
    dynamodb._describe_continuous_backups = describe_continuous_backups
