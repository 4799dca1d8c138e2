"""InterSystems' web gateway: the door to the web applications of an IRIS without web server."""
