"""What was written for others is found again."""

import os

from storage.exports import kept_exports
from storage.paths import RunFolder


def test_what_is_whole_is_listed_newest_first(tmp_path):
    folder = RunFolder(tmp_path)
    assert kept_exports(folder) == []
    for at, name in enumerate(["old", "new", ".card-1"]):
        path = folder.exports / name
        path.mkdir(parents=True)
        (path / "README.md").write_text("four")
        os.utime(path / "README.md", (1e9 + at, 1e9 + at))
    (folder.exports / "file").write_text("")
    (folder.exports / "link").symlink_to(tmp_path)
    found = kept_exports(folder)
    assert [(e.path.name, e.size_bytes, e.written_at) for e in found] == [
        ("new", 4, 1e9 + 1),
        ("old", 4, 1e9),
    ]
