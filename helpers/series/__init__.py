"""A series of your own: tables, windows without gaps, scores, alarms, streaming."""
