"""Sandbox: a local eDoc for the demo and the tests: real paths, real answer shapes, documents that change over time.

scenarios       how each document behaves, by the ending of its CUFE
documents       the documents over time
tokens          who may call which service
faults          faults that affect every request, and a rate limit
request_schema  the form of a valid request
request_log     every request received, one JSON line each
service         all of it without HTTP; ``answers`` the answers, ``delivery`` how they are sent
app             the routes; ``control`` the control routes, ``serve`` the server

It has its own reading of the API and never imports ``pipeline.edoc``: a mistake in one is found by the other.
"""
