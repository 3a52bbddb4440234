"""What postern-issuer's tokens and introspections cost: `deploy/local/bench.sh` runs it; BENCH_ONLY=issuer runs it alone."""
