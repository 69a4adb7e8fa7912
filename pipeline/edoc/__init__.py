"""The outside API (edoc-api.md): one transport, one pace.

client      one cancellation, one query: each ends in a ``Finding``
wire        what is sent and what an answer says
token       the two tokens, in memory only
limiter     the pace of everything under one credential
transport   one exchange, and what is proven when it fails; ``connection`` one connection for one request
redaction   secrets struck out of what a server sends back
"""
