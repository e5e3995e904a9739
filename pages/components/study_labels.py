"""What people call studies, where several stand in one list: by name, and by id where names are the same."""

from collections import Counter
from collections.abc import Iterable

from storage.paths import RunFolder
from storage.remarks import study_name


def labels(folders: Iterable[RunFolder]) -> dict[str, str]:
    """Return one label for each study's id, no two alike: a widget could not tell them apart."""
    names = {folder.id: study_name(folder) for folder in folders}
    twice = Counter(names.values())
    return {
        key: name if name == key or (twice[name] == 1 and name not in names) else f"{name} ({key})"
        for key, name in names.items()
    }
