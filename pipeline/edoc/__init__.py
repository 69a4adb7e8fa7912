"""The eDoc API client (edoc-api.md): one transport, one rate limit.

client      one cancellation, one query: each ends in a ``Finding``
wire        what is sent and what an answer means
token       the two tokens, in memory only
limiter     the rate of all requests under one credential
transport   one exchange, and what is proven when it fails; ``connection`` one connection for one request
redaction   removes secrets from what a server sends back
"""
