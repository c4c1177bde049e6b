"""The errors a user may see: one readable sentence each, never a traceback."""

from __future__ import annotations


class AdacsError(Exception):
    """An expected failure, written for the person at the screen.

    Parameters
    ----------
    message : str
        One sentence that says what is wrong.
    hint : str, default: ''
        One sentence that says what to do about it.
    """

    def __init__(self, message: str, hint: str = '') -> None:
        super().__init__(f'{message} {hint}'.strip())
        self.message = message
        self.hint = hint


class InputError(AdacsError, ValueError):
    """An input that cannot be used, found before any computing."""


class ModelError(AdacsError, ValueError):
    """A model that is unknown, unreadable or does not fit the images."""


class DeviceError(AdacsError, RuntimeError):
    """A compute device that is missing or has run out of memory."""


class CancelledError(AdacsError):
    """The user asked to stop; nothing was changed."""

    def __init__(self, message: str = 'Cancelled.', hint: str = '') -> None:
        super().__init__(message, hint)
