"""Where a measurement was made: without that it says nothing."""

import importlib.metadata
import os
import platform
from datetime import UTC, datetime

import numpy as np

import minigrad
from minigrad import config


def facts() -> dict[str, str]:
    """Date, processor, system, libraries and load, each under its name."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{config.processor()}, {os.cpu_count()} cores",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "BLAS": f"{blas['name']} {blas['version']}, kernels for {config.blas_core()}",
        "OPENBLAS_CORETYPE": os.environ.get("OPENBLAS_CORETYPE", "not set"),
        "minigrad": minigrad.__version__,
        "load": load(),
    }


def version(package: str) -> str | None:
    """The version of an installed package; None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def load() -> str:
    """How many programs wanted to run in the last minute: above the ones measured it means noise."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
