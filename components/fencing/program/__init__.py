"""The agent that proves a dead node off, so that its database may start elsewhere."""
