"""Compiles the native core of the judge (`src/inboxbot/sorting/native/_core.pyx`) when inboxbot is installed.

The core is optional: where there is no C++ compiler, or no headers of Python, the installed inboxbot judges by its
plain Python, which gives the same verdicts more slowly. One line of the build says so (pip shows it with ``-v``);
`inboxbot check` always tells which of them judges.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NATIVE = Path("src") / "inboxbot" / "sorting" / "native"
NAME = "inboxbot.sorting.native._core"
# Sums are made in the order of the reference, each product rounded: nothing is contracted. Vectors are checked.
FLAGS = ["-O3", "-g0", "-std=c++17", "-ffp-contract=off", "-D_GLIBCXX_ASSERTIONS"]
FLAGS_OF_WINDOWS = ["/O2", "/std:c++17", "/fp:precise"]


def digest_of_source(folder: Path) -> str:
    """Return what `inboxbot.sorting.native.digest_of_source` returns: a core of another source is not used."""
    paths = sorted((*folder.glob("*.pyx"), *folder.glob("*.pxi")), key=lambda path: path.name)
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def compile_core(folder: Path, work: Path) -> Path:
    """Compile the core into the folder ``work`` and return the module; any error when it cannot be."""
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    extension = Extension(
        NAME,
        [str(folder / "_core.pyx")],
        language="c++",
        define_macros=[("CORE_SOURCE", digest_of_source(folder))],
        extra_compile_args=FLAGS_OF_WINDOWS if sys.platform == "win32" else FLAGS,
    )
    modules = cythonize([extension], build_dir=str(work), quiet=True, force=True)
    command = build_ext(Distribution({"name": "inboxbot", "ext_modules": modules}))
    command.build_lib = str(work / "built")
    command.build_temp = str(work / "objects")
    command.ensure_finalized()
    command.run()
    return Path(command.get_ext_fullpath(NAME))


class CoreBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the core to a wheel, or puts it beside its source when the install is editable."""

    _work: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before files are collected."""
        self._work = tempfile.TemporaryDirectory(prefix="inboxbot-core-")
        folder = Path(self.root) / NATIVE
        try:
            built = compile_core(folder, Path(self._work.name))
            if version == "editable":
                fresh = shutil.copy2(built, folder / f"{built.name}.fresh")
                Path(fresh).replace(folder / built.name)  # in one step: a process may be running the old one
                return
        except Exception as error:  # noqa: BLE001  whatever is missing, inboxbot works without
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            self.app.display_warning(f"inboxbot: judging stays plain Python, the native core was not built ({reason})")
            return
        build_data["force_include"][str(built)] = f"inboxbot/sorting/native/{built.name}"
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was only needed for building."""
        if self._work is not None:
            self._work.cleanup()
