"""Runs deploy/compose.yaml on this machine without containers: the same commands, environments, secrets, policies and health checks,
as ordinary processes. Each network namespace of the file becomes an address of its own in 127.0.0.0/8, so that every part
keeps its port, and a service is where only its Postern is told to look."""
