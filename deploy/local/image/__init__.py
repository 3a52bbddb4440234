"""Carries out the Dockerfile without a container engine: its steps in a clean Debian root, layer by layer, then its images as processes
with a read-only root, a user without rights and a network of their own. Linux, root, debootstrap; standard library only."""
