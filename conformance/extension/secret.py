"""AWS::SecretsManager::Secret as CloudFormation has it.

A secret without SecretString and GenerateSecretString has no value, so reading it is a ResourceNotFoundException; MiniStack
stores an empty one. `Ref` of a secret is its ARN; MiniStack answers its name, and a policy would then name no resource.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
"""

from ministack.services import secretsmanager
from ministack.services.cloudformation import provisioners

TYPE = "AWS::SecretsManager::Secret"


def _name_of(arn):
    name, _ = secretsmanager._resolve(arn)
    return name or arn


def install():
    handler = provisioners._RESOURCE_HANDLERS[TYPE]
    stock_create, stock_update, stock_delete = handler["create"], handler["update"], handler["delete"]

    def create(logical_id, properties, stack_name):
        name, attributes = stock_create(logical_id, properties, stack_name)
        if "SecretString" not in properties and "GenerateSecretString" not in properties:
            secretsmanager._secrets[name]["Versions"].clear()
        return attributes["Arn"], attributes

    def update(arn, old_properties, new_properties, stack_name, logical_id=None):
        _, attributes = stock_update(_name_of(arn), old_properties, new_properties, stack_name, logical_id)
        return attributes["Arn"], attributes

    def delete(arn, properties):
        stock_delete(_name_of(arn), properties)

    provisioners._RESOURCE_HANDLERS[TYPE] = {**handler, "create": create, "update": update, "delete": delete}
