"""AWS::S3::Bucket: default encryption and lifecycle rules, which MiniStack's handler drops."""

from xml.etree.ElementTree import Element, SubElement, tostring

from ministack.services import s3

from extension.cloudformation import accepted, after


def encryption_xml(encryption):
    """BucketEncryption as the body of PutBucketEncryption."""
    root = Element("ServerSideEncryptionConfiguration", xmlns=s3.S3_NS)
    for rule in encryption["ServerSideEncryptionConfiguration"]:
        rule_element = SubElement(root, "Rule")
        by_default = rule.get("ServerSideEncryptionByDefault")
        if by_default:
            element = SubElement(rule_element, "ApplyServerSideEncryptionByDefault")
            for name in ("SSEAlgorithm", "KMSMasterKeyID"):
                if name in by_default:
                    SubElement(element, name).text = by_default[name]
        if "BucketKeyEnabled" in rule:
            SubElement(rule_element, "BucketKeyEnabled").text = str(rule["BucketKeyEnabled"]).lower()
    return tostring(root)


# What of a rule can be said here; another property fails the deploy instead of getting lost.
_RULE_PROPERTIES = {
    "Id",
    "Status",
    "Prefix",
    "ExpirationInDays",
    "NoncurrentVersionExpiration",
    "AbortIncompleteMultipartUpload",
}


def lifecycle_xml(lifecycle):
    """LifecycleConfiguration as the body of PutBucketLifecycleConfiguration."""
    root = Element("LifecycleConfiguration", xmlns=s3.S3_NS)
    for rule in lifecycle["Rules"]:
        unknown = set(rule) - _RULE_PROPERTIES
        if unknown:
            raise ValueError(f"bucket.py knows no lifecycle property {', '.join(sorted(unknown))}")
        element = SubElement(root, "Rule")
        if "Id" in rule:
            SubElement(element, "ID").text = rule["Id"]
        SubElement(element, "Status").text = rule["Status"]
        if "Prefix" in rule:
            SubElement(SubElement(element, "Filter"), "Prefix").text = rule["Prefix"]
        if "ExpirationInDays" in rule:
            SubElement(SubElement(element, "Expiration"), "Days").text = str(rule["ExpirationInDays"])
        if "NoncurrentVersionExpiration" in rule:
            days = rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
            SubElement(SubElement(element, "NoncurrentVersionExpiration"), "NoncurrentDays").text = str(days)
        if "AbortIncompleteMultipartUpload" in rule:
            days = rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
            abort = SubElement(element, "AbortIncompleteMultipartUpload")
            SubElement(abort, "DaysAfterInitiation").text = str(days)
    return tostring(root)


def _apply(name, properties):
    if properties.get("BucketEncryption"):
        accepted(s3._put_bucket_encryption(name, encryption_xml(properties["BucketEncryption"])))
    if properties.get("LifecycleConfiguration"):
        accepted(s3._put_bucket_lifecycle(name, lifecycle_xml(properties["LifecycleConfiguration"])))


def install():
    after("AWS::S3::Bucket", _apply)
