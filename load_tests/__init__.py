"""Seeded generators, benchmarks and fault injection."""
