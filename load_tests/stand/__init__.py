"""The test stand: a broker of its own, programs in process groups with a meter on them, load, and what came out."""
