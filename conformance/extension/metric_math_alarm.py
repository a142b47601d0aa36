"""AWS::CloudWatch::Alarm over an expression of metrics, which MiniStack's handler refuses.

The alarm is kept and described as its template says. It is not evaluated: what an expression is worth over real metrics can
only be seen in CloudWatch.
"""

from ministack.services.cloudformation import provisioners

# What an alarm has either of its one metric or in Metrics, never both.
OF_ONE_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit")


def install():
    stock = provisioners._cw_metric_alarm_record

    def record(name, properties):
        metrics = properties.get("Metrics")
        if not metrics:
            return stock(name, properties)
        both = [key for key in OF_ONE_METRIC if key in properties]
        if both:
            raise ValueError(f"an alarm has Metrics or {', '.join(both)}, not both")
        others = {key: value for key, value in properties.items() if key != "Metrics"}
        alarm = stock(name, {**others, "MetricName": "none", "Namespace": "none"})
        return {**{key: value for key, value in alarm.items() if key not in OF_ONE_METRIC}, "Metrics": metrics}

    provisioners._cw_metric_alarm_record = record
