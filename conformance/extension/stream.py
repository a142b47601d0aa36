"""AWS::Kinesis::Stream: server-side encryption, which MiniStack's handler drops."""

from ministack.services import kinesis

from extension.cloudformation import accepted, after


def _apply(name, properties):
    encryption = properties.get("StreamEncryption")
    if encryption:
        accepted(kinesis._start_stream_encryption({"StreamName": name, **encryption}))


def install():
    after("AWS::Kinesis::Stream", _apply)
