"""Resource types that no published model describes. The one place for exceptions, with reasons."""

UNCOVERED: dict[str, str] = {
    "azure-native:monitor:DiagnosticSetting": (
        "azure-mgmt-monitor has no model of it since 7.0.0; it holds names of logs and nothing else"
    ),
    "gcp:storage/hmacKey:HmacKey": (
        "the storage v2 messages of google-cloud-storage 3.17.1 have no HMAC key; its only input "
        "is a service account's address"
    ),
}
"""Type token -> why it is not checked. An entry that no stack registers fails a test."""
