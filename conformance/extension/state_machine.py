"""AWS::StepFunctions::StateMachine: the logging configuration, which MiniStack keeps in CloudFormation's spelling."""

from ministack.services import stepfunctions

from extension.cloudformation import after, camel_case


def _apply(arn, properties):
    logging = properties.get("LoggingConfiguration")
    if logging:
        stepfunctions._state_machines[arn]["loggingConfiguration"] = camel_case(logging)


def install():
    after("AWS::StepFunctions::StateMachine", _apply)
