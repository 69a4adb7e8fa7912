"""What happened, for programs: published after it is durable, and never in the way of what happens.

events      the event bus
json_log    the log: a JSON object per line
collector   one company's part of the metrics file
prometheus  the metrics file
"""
