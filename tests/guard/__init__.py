"""The isolation guard as a program, on nodes made of network namespaces and loop devices."""
