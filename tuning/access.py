"""Whether this server may change anything, or only shows what there is."""

import os

VARIABLE = "EDGEWISE_READ_ONLY"
_OFF = ("", "0", "false", "no", "off")


class ReadOnly(PermissionError):
    """The server was started to show studies, and what was asked would change something.

    A kind of OSError, because whoever writes to disk already says in a sentence that it could not.
    """


def is_read_only() -> bool:
    """Say whether the server's owner set EDGEWISE_READ_ONLY."""
    return os.environ.get(VARIABLE, "").strip().lower() not in _OFF


def require_writable(action: str) -> None:
    """Refuse an action on a server that only shows studies.

    Args:
        action: what was asked, as it goes on after "Edgewise only shows studies here, so it cannot".

    Raises:
        ReadOnly: it is such a server.
    """
    if is_read_only():
        raise ReadOnly(
            f"Edgewise only shows studies here, so it cannot {action}. "
            f"Start it without {VARIABLE} to do that."
        )
