"""Stand-ins for packages that a codec imports and its decoder never calls."""

import importlib
import importlib.abc
import importlib.machinery
import sys
import types
from typing import Any

from torch import nn


class StandIn(types.ModuleType):
    """A module in which every capitalised name is an empty class, and every other a module."""

    __path__: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name[0].islower():
            return importlib.import_module(f"{self.__name__}.{name}")
        # audiotools' models list the packages that they are stored with.
        return type(name, (nn.Module,), {"INTERN": [], "EXTERN": []})

    def __call__(self, *arguments: Any, **_: Any) -> Any:
        """As a decorator, with or without arguments of its own."""
        return arguments[0] if arguments and callable(arguments[0]) else self


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, names: tuple[str, ...]):
        self.names = names

    def find_spec(self, fullname, path=None, target=None):
        if fullname.partition(".")[0] in self.names:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return StandIn(spec.name)

    def exec_module(self, module):
        pass


def stand_in_for(*names: str) -> None:
    """Import empty packages in place of `names`, whose files audio and training would need."""
    sys.meta_path.insert(0, _Finder(names))
