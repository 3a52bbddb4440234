"""The end-to-end benchmark: Postern beside its peers, in one run, on one machine. `make bench` runs it."""
