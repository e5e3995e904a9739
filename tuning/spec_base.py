"""What all parts of a request have in common: frozen, nothing unknown, and only what JSON can hold."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from tuning.space.parameters import is_finite, shown
from tuning.spec_text import MAX_DEPTH


class Frozen(BaseModel):
    """A part of a request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_value(cls, value: Any, info: ValidationInfo) -> Any:
        field = cls.model_fields[info.field_name or ""]
        if isinstance(value, bool) and field.annotation in (int, float, float | None):
            raise ValueError(f"`{info.field_name}` must be a number: received {value}.")
        return value


def check_plain(value: Any, place: str, *, depth: int = 0) -> None:
    """Raise ValueError where a value is not what JSON can hold and give back."""
    if depth > MAX_DEPTH:
        raise ValueError(f"`{place}` is nested more than {MAX_DEPTH} levels deep. Flatten it.")
    if isinstance(value, dict):
        for key, part in value.items():
            if not isinstance(key, str):
                raise ValueError(f"A name in `{place}` must be text: received {shown(key)}. Quote it.")
            check_plain(key, place)
            check_plain(part, place, depth=depth + 1)
    elif isinstance(value, list):
        for part in value:
            check_plain(part, place, depth=depth + 1)
    elif isinstance(value, str):
        if not value.isascii() and value.encode("utf-8", "replace").decode() != value:  # half an emoji
            raise ValueError(f"`{place}` must hold text that UTF-8 can write: received {shown(value)}.")
    elif not is_finite(value):
        raise ValueError(f"`{place}` must hold finite numbers: received {shown(value)}.")
    elif not isinstance(value, int | float | None):
        raise ValueError(
            f"`{place}` must hold text, numbers, true, false, null, lists or mappings: "
            f"received {shown(value)}."
        )
