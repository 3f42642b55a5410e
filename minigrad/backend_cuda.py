"""Floor 0: can a GPU be used here, and if not, which of CuPy, the driver and CUDA's libraries is missing.

CuPy comes without CUDA's own libraries, and looks for each when it is first needed: a missing one would be an
error from deep inside a product or a kernel. Here they are asked for before a tensor is placed on a GPU.
"""

import functools
from types import ModuleType
from typing import Any

from .errors import DeviceError

PURPOSES = {  # of CUDA's libraries -> what CuPy cannot do without them
    "NVRTC": "to compile kernels",
    "cuBLAS": "to multiply matrices",
    "CUDA headers": "for kernels of float16",
}
NEEDED = ("NVRTC", "cuBLAS")  # whatever is computed


def import_cupy(caller: str) -> ModuleType:
    """The module cupy, where it can be used: DeviceError that says what is missing, and the remedy."""
    try:
        import cupy
    except ImportError as error:
        absent = isinstance(error, ModuleNotFoundError) and error.name == "cupy"
        reason = error.__cause__ or error  # CuPy's own error is a page around its cause
        state = "not installed" if absent else f"installed, but cannot be imported ({reason})"
        raise DeviceError(
            f"{caller}: CuPy is {state}; pip install 'minigrad[cuda13]' (or cuda12), or stay on 'cpu'"
        ) from (None if absent else error)
    missing = _missing_library(cupy) if cupy.is_available() else _missing_gpu(cupy)
    if missing:
        raise DeviceError(f"{caller}: {missing}; or stay on 'cpu'")
    return cupy


def cuda_version(number: int) -> str:
    """13020 as "13.2"."""
    return f"{number // 1000}.{number % 1000 // 10}"


@functools.cache
def cuda_libraries() -> dict[str, str]:
    """CUDA's libraries that CuPy loads -> their versions, or where they are; "" for one that is missing.

    They are looked for once.
    """
    return {"NVRTC": _nvrtc(), "cuBLAS": _cublas(), "CUDA headers": _headers()}


def library_facts() -> dict[str, str]:
    """The same for people: for one that is missing, what it is for, and the remedy. Nothing without CuPy."""
    try:
        import cupy
    except ImportError:
        return {}
    remedy = _remedy(cupy)
    return {
        name: version or f"not installed; needed {PURPOSES[name]}: {remedy}"
        for name, version in cuda_libraries().items()
    }


def _nvrtc() -> str:
    from cupy_backends.cuda.libs import nvrtc

    try:
        major, minor = nvrtc.getVersion()  # now it is loaded
    except RuntimeError:
        return ""
    return f"{major}.{minor}"


def _cublas() -> str:
    try:
        from cupy_backends.cuda.libs import cublas  # which loads it
    except ImportError:
        return ""
    number = cublas.getVersion(0)  # of the library, whatever the handle
    return f"{number // 10000}.{number // 100 % 100}.{number % 100}"


def _headers() -> str:
    from cuda import pathfinder  # by which CuPy finds them

    return pathfinder.find_nvidia_header_directory("cudart") or ""


def _missing_library(cupy: Any) -> str:
    """Why a GPU that CuPy finds cannot be used: CUDA's libraries that are missing; "" if none is."""
    found = cuda_libraries()
    missing = [f"no {name} {PURPOSES[name]}" for name in NEEDED if not found[name]]
    return f"CuPy finds {' and '.join(missing)}; {_remedy(cupy)}" if missing else ""


def _missing_gpu(cupy: Any) -> str:
    """Why CuPy finds no GPU: no driver, one too old for CuPy's CUDA, or none that it may see."""
    built, able = cupy.cuda.runtime.runtimeGetVersion(), cupy.cuda.runtime.driverGetVersion()
    if not able:
        return "CuPy finds no NVIDIA driver; install one (nvidia-smi must run)"
    if able < built:
        return (
            f"CuPy is built for CUDA {cuda_version(built)}, the driver knows only {cuda_version(able)}; "
            f"update the driver, or install 'minigrad[cuda{able // 1000}]' in place of what is there"
        )
    return "CuPy and the driver find no GPU; is CUDA_VISIBLE_DEVICES set to none?"


def _remedy(cupy: Any) -> str:
    """The command that brings CUDA's libraries, of the version that this CuPy is built for."""
    return f"pip install 'cupy-cuda{cupy.cuda.runtime.runtimeGetVersion() // 1000}x[ctk]'"
