"""Pydantic's findings as sentences for the person who wrote the spec."""

from pydantic import ValidationError

from tuning.space.parameters import shown

MAX_FAULTS = 30

_PLAIN_WORDS = {
    "input": "it",
    "dictionary": "mapping",
    "tuple": "list",
    " after validation": "",
}


def readable_faults(error: ValidationError) -> list[str]:
    """Return one sentence for each fault, with its place, what was received, and the remedy."""
    faults: list[str] = []
    for item in error.errors(include_url=False):
        parts = [str(part + 1) if type(part) is int else str(part) for part in item["loc"]]
        place = "".join(c if c.isprintable() else " " for c in ".".join(parts))[:80]
        received = f": received {shown(item['input'])}" if item["type"] != "missing" else ""
        match item["type"]:
            case "value_error":
                faults += [line for line in str(item["ctx"]["error"]).splitlines() if line]
            case "extra_forbidden":
                faults.append(f"`{place}` is not a field of a spec. Remove it, or check its spelling.")
            case "invalid_key":
                faults.append(f"A name in the spec is not text{received}. Quote it, or remove it.")
            case "missing":
                faults.append(f"`{place}` is missing. Add it.")
            case "string_pattern_mismatch" if place == "env.id":
                faults.append(
                    f"`env.id` must be an id of the Gymnasium registry, such as Pendulum-v1{received}. "
                    "Modules are named by whoever starts the server, never in a spec."
                )
            case "string_pattern_mismatch":
                faults.append(
                    f"`{place}` must start with a letter or digit and hold no spaces or symbols, in at most "
                    f"64 characters{received}."
                )
            case _:
                said = item["msg"][:1].lower() + item["msg"][1:]
                for technical, plain in _PLAIN_WORDS.items():
                    said = said.replace(technical, plain)
                faults.append(f"`{place}`: {said}{received}.")
    return faults


def capped(faults: list[str]) -> list[str]:
    """Return the first faults, and how many more there are."""
    if len(faults) > MAX_FAULTS:
        return [*faults[:MAX_FAULTS], f"There are {len(faults) - MAX_FAULTS} more faults. Mend these first."]
    return faults
