"""How Pulumi marks special values, in its protocol and in its state alike."""

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""A value that is known after the update only (sdk/go plugin/rpc.go)."""

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Key that tells a wrapped value, such as a secret, from a group (sdk/go/common/resource/sig)."""
