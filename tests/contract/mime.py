"""Reads user data as strictly as nodeadm, whose parser is Go's net/mail and mime/multipart."""

import re
from dataclasses import dataclass

_HEADER = re.compile(r"[!-9;-~]+:[ \t]*(.*)")
_BOUNDARY = re.compile(r'multipart/mixed;\s*boundary="([^"]+)"')

EKS_BOUNDARY = "//"
"""The boundary of what EKS makes of its own part and the user's (amazon-eks-ami issue 1988)."""

EKS_NODE_CONFIG = """\
apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  cluster:
    name: iris
    apiServerEndpoint: https://example.eks.amazonaws.com
    certificateAuthority: Q0E=
    cidr: 172.20.0.0/16
"""


@dataclass(frozen=True)
class Part:
    """One part of a multipart message."""

    media_type: str
    body: str


def parts(message: str) -> list[Part]:
    """The parts of user data.

    Raises:
        ValueError: Go's parser would refuse it, or EKS would ("not in the MIME multipart format").
    """
    headers, body = _headers(message)
    boundary = _BOUNDARY.fullmatch(headers.get("content-type", ""))
    if not boundary:
        raise ValueError(f"not multipart/mixed with a boundary: {headers}")
    line = f"--{boundary[1]}"
    pieces = re.split(rf"(?m)^{re.escape(line)}(--)?[ \t]*\r?$\n?", body)
    # re.split alternates text and the group: text, None, text, "--", rest
    closings = pieces[1::2]
    if "--" not in closings:
        raise ValueError(f"the last part is not closed with {line}--")
    found = []
    for text in pieces[2::2][: closings.index("--")]:
        part_headers, content = _headers(text)
        media_type = part_headers.get("content-type", "").split(";")[0]
        found.append(Part(media_type, content.removesuffix("\n")))
    return found


def _headers(text: str) -> tuple[dict[str, str], str]:
    headers = {}
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if not line.strip():
            return headers, "\n".join(lines[number + 1 :])
        match = _HEADER.fullmatch(line.rstrip("\r"))
        if not match:
            raise ValueError(f"malformed header line: {line!r}")
        headers[line.split(":")[0].lower()] = match[1].strip()
    raise ValueError("the headers never end")


def merged(user_data: str) -> str:
    """What EKS hands to the node: its own NodeConfig first, then the user's parts."""
    all_parts = [Part("application/node.eks.aws", EKS_NODE_CONFIG), *parts(user_data)]
    body = "".join(
        f"--{EKS_BOUNDARY}\nContent-Type: {part.media_type}\n\n{part.body}\n" for part in all_parts
    )
    return (
        f'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="{EKS_BOUNDARY}"\n\n'
        f"{body}--{EKS_BOUNDARY}--\n"
    )
