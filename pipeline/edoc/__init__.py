"""The outside API: token, cancellation, query; one transport, one pace (edoc-api.md)."""
