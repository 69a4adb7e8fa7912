"""Telemetry: events for other programs, published once they are durable, without ever delaying the run.

events      the event bus
json_log    the log: a JSON object per line
collector   one company's part of the metrics file
prometheus  the metrics file
"""
