"""The report: its front page, and the exporter that makes one PDF of all notebooks."""
