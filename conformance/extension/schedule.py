"""AWS::Scheduler::Schedule: the time zone, which MiniStack's handler drops."""

from ministack.services import scheduler

from extension.cloudformation import after


def _apply(name, properties):
    zone = properties.get("ScheduleExpressionTimezone")
    if zone:
        scheduler._schedules[f"{properties.get('GroupName', 'default')}/{name}"]["ScheduleExpressionTimezone"] = zone


def install():
    after("AWS::Scheduler::Schedule", _apply)
