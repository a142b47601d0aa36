"""AWS calls of the suite's Node side, made by botocore: AWS's own service models check what goes out and what comes back.

One call a line of JSON on stdin: service, operation as botocore spells it (snake case), parameters. One answer a line on
stdout: {"result": ...} or {"error": {"code", "message"}}. Times are ISO 8601, bytes are base64.
"""

import base64
import datetime
import json
import os
import sys

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# An emulator on the same machine either answers at once or is wrong; a retry would hide that.
CONFIG = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})


def plain(value):
    """What JSON has no word for."""
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if hasattr(value, "read"):
        return base64.b64encode(value.read()).decode()
    raise TypeError(f"no JSON for {type(value)}")


def main():
    session = botocore.session.get_session()
    clients = {}
    for line in sys.stdin:
        call = json.loads(line)
        service = call["service"]
        try:
            if service not in clients:
                endpoint = os.environ["AWS_ENDPOINT_URL"]
                clients[service] = session.create_client(service, endpoint_url=endpoint, config=CONFIG)
            result = getattr(clients[service], call["operation"])(**call["parameters"])
            result.pop("ResponseMetadata", None)
            answer = {"result": result}
        except ClientError as error:
            answer = {"error": {"code": error.response["Error"]["Code"], "message": error.response["Error"]["Message"]}}
        except (BotoCoreError, AttributeError, TypeError) as error:
            answer = {"error": {"code": type(error).__name__, "message": str(error)}}
        sys.stdout.write(json.dumps(answer, default=plain) + "\n")
        sys.stdout.flush()


main()
