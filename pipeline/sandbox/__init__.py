"""A local eDoc for the demo and the tests: real paths, real answer shapes, documents that change as time passes.

scenarios       how each document behaves, by the ending of its CUFE
documents       the documents as time passes
tokens          who may call which service
faults          faults that concern every request, and a rate limit
request_schema  what a request must look like
request_log     whatever arrived, one JSON line each
service         all of them without HTTP; ``answers`` what is answered, ``delivery`` how it gets on the wire
app             the routes; ``control`` the routes beside them, ``serve`` the server

It reads the API by its own understanding and never imports ``pipeline.edoc``: a mistake in one is seen by the other.
"""
