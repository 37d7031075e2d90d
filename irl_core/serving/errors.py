"""What can go wrong between this process and an engine that serves a model."""

from __future__ import annotations


class ServerError(ConnectionError):
    """An engine did not do what it was asked for; the message says which, why, and what to do."""


class Refused(ServerError):
    """It will not do this, nor anything like it, however often it is asked."""


class BadRequest(Refused):
    """It will not do this one thing (a question may be too long); others may go well."""


class Unavailable(ServerError):
    """It cannot do it now: it does not answer, is busy, or broke off."""
