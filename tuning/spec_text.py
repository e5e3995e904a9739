"""Plain data from YAML or JSON text that a stranger may have written, and back."""

import contextlib
import json
import re
from typing import Any

import yaml

from tuning.space.parameters import shown

MAX_YAML_EVENTS = 20_000  # PyYAML needs about a second for these
MAX_DEPTH = 20  # of lists and mappings within each other; PyYAML takes minutes for a thousand brackets


class NotPlain(ValueError):
    """The text holds no plain data; the message is one sentence for the person who wrote it."""


def read_plain(text: str) -> Any:
    """Return the data of YAML or JSON text. Aliases and tags are refused, so that a small text stays small.

    Numbers are read as people mean them: `3e-5` is one (YAML 1.1 wants `3.0e-5`).

    Raises:
        NotPlain: it cannot be read, or not within bounds.
    """
    try:
        if text.lstrip().startswith("{"):
            with contextlib.suppress(json.JSONDecodeError):  # else it is YAML in flow style
                return json.loads(text)  # not by YAML, which folds or refuses some characters of JSON strings
        _check_events(text)
        return yaml.load(text, Loader=_Loader)
    except NotPlain:
        raise
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f" in line {place.line + 1}" if place else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be parsed"
        raise NotPlain(f"The spec is not valid YAML{where}: {problem}.") from None
    except RecursionError:
        raise NotPlain("The spec is nested too deeply. Flatten it.") from None
    except ValueError as error:  # e.g. an integer of more digits than Python converts
        raise NotPlain(f"The spec holds a value that cannot be read: {error}.") from None


def write_plain(data: Any) -> str:
    """Return plain data as YAML that `read_plain` reads back to equal data."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False)
    return text


def _check_events(text: str) -> None:
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise NotPlain(f"The spec is nested more than {MAX_DEPTH} levels deep. Flatten it.")
        if number > MAX_YAML_EVENTS:
            raise NotPlain("The spec holds too many values. Is it the right file?")
        if isinstance(event, yaml.AliasEvent):
            raise NotPlain("The spec uses a YAML alias (*name). Write the value out instead.")
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise NotPlain(
                f"The spec uses a YAML tag ({shown(tag)}). Write the plain value instead. "
                "A configuration exported for RL Zoo is a result, not a spec."
            )


class _Loader(yaml.SafeLoader):
    """SafeLoader that reads `3e-5` as a number."""


class _Dumper(yaml.SafeDumper):
    """SafeDumper that quotes text which `_Loader` would read as a number."""


for _class in (_Loader, _Dumper):
    _class.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$"),
        list("-+.0123456789"),
    )
