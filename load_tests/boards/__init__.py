"""Grafana's boards as pictures: a house at work, its Prometheus, and Grafana's own components in a browser."""
