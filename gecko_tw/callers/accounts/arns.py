"""The ARNs of identities (IAM User Guide, "IAM ARNs")."""


def arn_of(kind: str, account: str, path: str, name: str) -> str:
    """The ARN of a user, a group, a role, a managed policy or a provider, which ``kind`` names as ARNs do."""
    return f"arn:aws:iam::{account}:{kind}{path}{name}"
