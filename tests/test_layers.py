"""The outline of docs/DESIGN.md: which part may import which, and what may lie in the repository."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "stable_baselines3")
MAX_TRACKED_BYTES = 2_000_000
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:root|work|home/\w+)/")

BANNED = {
    "storage": ("tuning", "pages", "app", "streamlit", "plotly", *HEAVY),
    "tuning": ("pages", "app", "streamlit"),
    "pages": ("app", *HEAVY),
    "app.py": HEAVY,
    "benchmarks": ("streamlit",),
}

# Pieces that several figures share. Any other module that imports plotly draws a figure itself.
SHARED_DRAWING = {"tuning/analysis/look.py", "tuning/analysis/marks.py"}


def sources(*tops: str) -> list[Path]:
    """Every Python file of these top-level files and folders."""
    roots = [PROJECT_ROOT / top for top in tops]
    return sorted(p for root in roots for p in ([root] if root.is_file() else root.rglob("*.py")))


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT_ROOT).as_posix()


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imports(node: ast.AST, *, with_types: bool = True) -> Iterator[str]:
    """Names imported below `node`. `from a import b` gives a and a.b; relative ones start with a dot."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            module = "." * child.level + (child.module or "")
            yield module
            yield from (f"{module}.{alias.name}" for alias in child.names)
        elif with_types or not is_type_checking(child):
            yield from imports(child, with_types=with_types)


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def within(module: str, packages: tuple[str, ...]) -> bool:
    return module.split(".")[0] in packages


@pytest.mark.parametrize("top", BANNED)
def test_imports_point_only_downwards(top):
    faults = [
        f"{name_of(path)} imports {module}"
        for path in sources(top)
        for module in imports(parse(path))
        if within(module, BANNED[top])
    ]

    assert faults == []


def test_no_import_is_relative():
    paths = sources("app.py", "pages", "tuning", "storage", "tests", "benchmarks")

    assert [name_of(p) for p in paths if any(m.startswith(".") for m in imports(parse(p)))] == []


def test_below_the_pages_only_modules_that_draw_import_plotly():
    faults = []
    for path in sources("tuning"):
        tree = parse(path)
        draws = any(isinstance(n, ast.FunctionDef) and n.name.endswith("_figure") for n in ast.walk(tree))
        plots = any(within(module, ("plotly",)) for module in imports(tree))
        if plots and not draws and name_of(path) not in SHARED_DRAWING:
            faults.append(name_of(path))

    assert faults == []


def dashboard_modules() -> list[str]:
    """What the dashboard process imports: what its files name, and the parts made to be read from there."""
    named = {
        module
        for path in sources("app.py", "pages")
        for module in imports(parse(path), with_types=False)
        if within(module, ("storage", "tuning", "pages"))
    }
    read = [
        *sources("storage", "tuning/analysis", "pages/components"),
        *sources("tuning/launch.py", "tuning/spec.py"),
    ]
    named |= {name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in read}
    # `from a.b import name` named a.b.name too, which is a module only when there is such a file
    places = {module: PROJECT_ROOT / module.replace(".", "/") for module in named}
    return sorted(
        m for m, p in places.items() if p.with_suffix(".py").is_file() or (p / "__init__.py").is_file()
    )


IMPORT_EACH = """
import importlib, sys
heavy, modules = sys.argv[1].split(), sys.argv[2:]
for module in modules:
    importlib.import_module(module)
    found = [name for name in heavy if name in sys.modules]
    if found:
        sys.exit(f"importing {module} brought {found}")
"""


def test_the_dashboard_process_never_imports_torch():
    modules = dashboard_modules()
    assert "storage.paths" in modules

    run = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH, " ".join(HEAVY), *modules],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert run.returncode == 0, run.stderr[-2000:]


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    try:
        listing = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT_ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout: there is no list of tracked files")
    return [PROJECT_ROOT / name for name in listing.stdout.decode().split("\0") if name]


def test_no_tracked_file_is_large(tracked):
    large = [name_of(p) for p in tracked if p.is_file() and p.stat().st_size > MAX_TRACKED_BYTES]

    assert large == []


def test_no_tracked_file_names_a_folder_of_the_machine_it_was_written_on(tracked):
    faults = []
    for path in tracked:
        if path.is_file() and not name_of(path).startswith("tests/"):
            lines = path.read_bytes().decode(errors="replace").splitlines()
            faults += [f"{name_of(path)}:{n}" for n, line in enumerate(lines, 1) if MACHINE_PATH.search(line)]

    assert faults == []
