"""Names that Google Cloud limits more than Kubernetes does."""

import hashlib

ACCOUNT_ID_LENGTH = 30


def account_id(cluster_name: str, role: str) -> str:
    """Service account id of 6 to 30 characters (IAM, create service accounts).

    A cluster name that is too long is cut, and told apart from others by a hash of the whole.
    """
    whole = f"{cluster_name}-{role}"
    if len(whole) <= ACCOUNT_ID_LENGTH:
        return whole
    digest = hashlib.sha256(cluster_name.encode()).hexdigest()[:6]
    room = ACCOUNT_ID_LENGTH - len(f"-{digest}-{role}")
    return f"{cluster_name[:room].rstrip('-')}-{digest}-{role}"
