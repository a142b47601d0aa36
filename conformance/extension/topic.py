"""AWS::SNS::Topic: the key that it is encrypted with, which MiniStack's handler drops."""

from ministack.services import sns

from extension.cloudformation import accepted, after


def _apply(arn, properties):
    key = properties.get("KmsMasterKeyId")
    if key:
        attribute = {"AttributeName": ["KmsMasterKeyId"], "AttributeValue": [key]}
        accepted(sns._set_topic_attributes({"TopicArn": [arn], **attribute}))


def install():
    after("AWS::SNS::Topic", _apply)
