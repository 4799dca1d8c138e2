"""Another image for a database that holds data: on the nodes first, then a clean stop."""
