"""What a child process of the dashboard finds out about environments: what each is like, or a picture of one.

    python -m tuning.env_looks survey FIRST_ID
    python -m tuning.env_looks picture FILE

A picture's environment is the first line of stdin, as JSON. A survey writes one JSON line for each
environment of the catalogue from FIRST_ID on, as soon as it knows. Both end when stdin does, so one
whose environment hangs never outlives whoever asks.
"""

import json
import os
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from PIL import Image

from tuning.env_description import describe
from tuning.environments import EnvironmentsError, catalogue, said
from tuning.spec_parts import EnvSpec

PICTURE_SIZE = (480, 360)  # at most; pixels
FIRST_SEED = 0


def survey(first_id: str, out: int) -> None:
    """Describe one environment after the other, and write each as a line to a file descriptor.

    Raises:
        EnvironmentsError: the catalogue cannot be listed.
    """
    ids = [info.id for info in catalogue()]
    for env_id in ids[ids.index(first_id) :] if first_id in ids else ids:
        line: dict[str, object] = {"id": env_id, "description": None, "fault": ""}
        try:
            line["description"] = asdict(describe(EnvSpec(id=env_id)))
        except EnvironmentsError as error:
            line["fault"] = str(error)
        except (Exception, SystemExit) as error:  # an id that no request may hold
            line["fault"] = f"{env_id} cannot be used: {said(error)}."
        os.write(out, json.dumps(line).encode() + b"\n")


def write_picture(env: EnvSpec, path: Path) -> None:
    """Write what the environment looks like at the start of an episode, as a small PNG.

    Raises:
        NoPicture: it cannot draw itself.
        Exception: whatever the environment raises.
    """
    from tuning.rendering import NoPicture, make_filmed, picture_of

    made, fault = make_filmed(env)
    try:
        if fault:
            raise NoPicture(fault)
        made.reset(seed=FIRST_SEED)
        picture = Image.fromarray(picture_of(made))
    finally:
        made.close()
    picture.thumbnail(PICTURE_SIZE)
    picture.save(path, "PNG")


def main(arguments: list[str]) -> int:
    """Run one of the two; what environments print goes to stderr."""
    out = os.dup(1)
    os.dup2(2, 1)
    what, argument = arguments
    asked = sys.stdin.buffer.readline() if what == "picture" else b""
    _end_with_stdin()
    try:
        if what == "survey":
            survey(argument, out)
        else:
            write_picture(EnvSpec.model_validate_json(asked), Path(argument))
    except (Exception, SystemExit) as error:  # somebody's environment may raise anything
        os.write(out, json.dumps({"problem": _sentence(error)}).encode() + b"\n")
        return 1
    return 0


def _end_with_stdin() -> None:
    """End this process when stdin ends, whatever it is busy with; environments find nothing to read there."""
    kept, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def watch() -> None:
        while os.read(kept, 4096):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _sentence(error: BaseException) -> str:
    from tuning.rendering import NoPicture

    return str(error) if isinstance(error, EnvironmentsError | NoPicture) else f"{said(error)}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
