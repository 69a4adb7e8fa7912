"""A local eDoc for the demo and the tests: real paths, real answer shapes, documents that change as time passes.

``scenarios`` says how each document behaves (by the ending of its CUFE), ``book`` keeps the documents, ``desk``
hands out tokens, ``gate`` injects faults that concern every request, ``journal`` writes down whatever arrived,
``service`` joins them without HTTP, ``app`` and ``control`` are the routes and ``serve`` the server.
It reads the API by its own understanding and never imports ``pipeline.edoc``: a mistake in one is seen by the other.
"""
