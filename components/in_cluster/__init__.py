"""What the programs that run inside the cluster share: their client, and how pods carry them."""
