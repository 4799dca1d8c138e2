"""The web entrance: portal and web applications under a host name, with TLS."""
