"""Grafana's boards: each is a page of Python here and a file of JSON in boards/, made by `python -m dashboards.grafana`."""
