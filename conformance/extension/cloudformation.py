"""Properties that a CloudFormation type has and MiniStack's own handler drops."""

from ministack.services.cloudformation import provisioners


def after(resource_type, apply):
    """Calls `apply(physical_id, properties)` after every create and update of a resource of this type."""
    handler = provisioners._RESOURCE_HANDLERS[resource_type]
    stock_create, stock_update = handler["create"], handler["update"]

    def create(logical_id, properties, stack_name):
        physical_id, attributes = stock_create(logical_id, properties, stack_name)
        apply(physical_id, properties)
        return physical_id, attributes

    def update(physical_id, old_properties, new_properties, *rest):
        updated_id, attributes = stock_update(physical_id, old_properties, new_properties, *rest)
        apply(updated_id, new_properties)
        return updated_id, attributes

    provisioners._RESOURCE_HANDLERS[resource_type] = {**handler, "create": create, "update": update}


def accepted(answer):
    """What a service's own call answered; raises where it refused, so that CloudFormation fails the resource."""
    status, _, body = answer
    if status >= 400:
        raise ValueError(body.decode() if isinstance(body, bytes) else str(body))
    return answer


def camel_case(value):
    """CloudFormation's spelling of a structure as its service spells it: the first letter of every name in lower case."""
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: camel_case(item) for name, item in value.items()}
    if isinstance(value, list):
        return [camel_case(item) for item in value]
    return value
