"""A write that asks for aws:kms and names no key stands under the account's own key aws/s3; MiniStack refuses it.

The command line of the CDK writes its assets so, once the bootstrap bucket's encryption is what its template says.
"PutObject", x-amz-server-side-encryption-aws-kms-key-id, Amazon S3 API reference.
"""

from ministack.core.responses import get_account_id, get_region
from ministack.services import s3

ALGORITHM = "x-amz-server-side-encryption"
KEY = "x-amz-server-side-encryption-aws-kms-key-id"


def install():
    stock = s3._resolve_sse_write_headers

    def resolve(headers, bucket_name):
        if headers.get(ALGORITHM) == "aws:kms" and not headers.get(KEY):
            headers = {**headers, KEY: f"arn:aws:kms:{get_region()}:{get_account_id()}:alias/aws/s3"}
        return stock(headers, bucket_name)

    s3._resolve_sse_write_headers = resolve
