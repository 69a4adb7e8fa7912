"""TLS: contexts for every connection that leaves this machine. Certificates are always verified."""

from __future__ import annotations

import ssl
import sys


def client_context(cafile: str | None = None) -> ssl.SSLContext:
    """A context that verifies certificate and host name, with the authorities in ``cafile`` or the system's.

    Like ``ssl.create_default_context``, with one difference: that one uses ``SSLKEYLOGFILE``, which writes the keys of
    every connection to a file, and with them passwords and tokens (eyes.md 5).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if sys.version_info >= (3, 13):
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    if cafile is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        context.load_verify_locations(cafile)
    return context
