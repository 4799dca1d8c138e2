"""cert-manager, which gets certificates, renews them and keeps them in Secrets."""
