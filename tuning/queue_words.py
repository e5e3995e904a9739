"""What the queue looks like in sentences: for pages and the command line."""

from tuning.cores import cores_sentence
from tuning.queue import Place


def queued_sentence(place: Place) -> str:
    """Say where a study stands and what it waits for; plain text that holds ids of other studies."""
    busy = cores_sentence(place.uses, n_cores=place.n_cores)
    if place.position > 1:
        n_before = place.position - 1
        first = f"{_studies(n_before)} {'goes' if n_before == 1 else 'go'} first"
        return f"Queued: {first}, then it starts by itself once {_free(place.n_needed)}. {busy}."
    if place.n_needed <= place.n_free:
        return "Queued: it is its turn, and it starts in a moment."
    return f"Queued: it is the next one and starts by itself once {_free(place.n_needed)}. {busy}."


def waiting_words(n_waiting: int) -> str:
    """Say how many studies wait: "2 studies wait in the queue"; empty when none does."""
    if not n_waiting:
        return ""
    return f"{_studies(n_waiting)} {'waits' if n_waiting == 1 else 'wait'} in the queue"


def _studies(n: int) -> str:
    return "1 study" if n == 1 else f"{n} studies"


def _free(n: int) -> str:
    return "a core is free" if n == 1 else f"{n} cores are free"
