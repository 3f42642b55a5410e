"""Which of PyTorch's public names minigrad has: writes docs/coverage.md from the two libraries as they are.

    python tests/coverage_table.py            (needs PyTorch)

A name is there if it is found under the same path (`torch.nn.functional.relu` is `minigrad.nn.functional.relu`).
Names that are missing for a reason are listed with it; the others simply are not there yet.
"""

import importlib
import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[1] / "docs" / "coverage.md"

PLACES = {  # PyTorch's namespace -> ours
    "torch": "minigrad",
    "torch.Tensor": "minigrad.Tensor",
    "torch.linalg": "minigrad.linalg",
    "torch.nn": "minigrad.nn",
    "torch.nn.functional": "minigrad.nn.functional",
    "torch.nn.init": "minigrad.nn.init",
    "torch.nn.utils": "minigrad.nn.utils",
    "torch.nn.utils.parametrizations": "minigrad.nn.utils.parametrizations",
    "torch.nn.utils.parametrize": "minigrad.nn.utils.parametrize",
    "torch.nn.utils.rnn": "minigrad.nn.utils.rnn",
    "torch.optim": "minigrad.optim",
    "torch.optim.lr_scheduler": "minigrad.optim.lr_scheduler",
    "torch.optim.swa_utils": "minigrad.optim.swa_utils",
    "torch.autograd": "minigrad.autograd",
    "torch.autograd.functional": "minigrad.autograd.functional",
    "torch.func": "minigrad.func",
}

LEFT_OUT = {  # why names of torch.nn and torch.optim are left out -> these names, one by one
    "given up by PyTorch itself": (
        "Container CrossMapLRN2d NLLLoss2d clip_grad_norm constant dirac eye kaiming_normal kaiming_uniform normal "
        "orthogonal sparse uniform xavier_normal xavier_uniform upsample upsample_bilinear upsample_nearest"
    ),
    "the older form of what nn.utils.parametrizations has": (
        "remove_spectral_norm remove_weight_norm spectral_norm weight_norm"
    ),
    "a layer's sizes are said when it is made": (
        "LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d "
        "LazyConvTranspose2d LazyConvTranspose3d LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d LazyLinear "
        "UninitializedBuffer UninitializedParameter"
    ),
    "one process and one device at a time": "DataParallel SyncBatchNorm",
    "gradients are dense": "SparseAdam",
    "a step of another function, or a choice of how to compute it": (
        "LinearCrossEntropyOptions ScalingType SwizzleType adaptive_max_pool1d_with_indices "
        "adaptive_max_pool2d_with_indices adaptive_max_pool3d_with_indices conv_tbc fractional_max_pool2d_with_indices "
        "fractional_max_pool3d_with_indices grouped_mm max_pool1d_with_indices max_pool2d_with_indices "
        "max_pool3d_with_indices multi_head_attention_forward native_channel_shuffle scaled_grouped_mm scaled_mm"
    ),
    "images are neither warped nor pooled over random regions": (
        "FractionalMaxPool2d FractionalMaxPool3d affine_grid fractional_max_pool2d fractional_max_pool3d grid_sample"
    ),
    "for models that are compiled or deployed": (
        "convert_conv2d_weight_memory_format convert_conv3d_weight_memory_format fuse_conv_bn_eval fuse_conv_bn_weights "
        "fuse_linear_bn_eval fuse_linear_bn_weights skip_init swap_in_optimizer_params_and_state "
        "transfer_parametrizations_and_params"
    ),
    "no name of its own, but imported there": (
        "DType LRScheduler ModuleList OpaqueBase Optimizer PackedSequence_ Tensor assert_int_or_pair bind "
        "boolean_dispatch copy_method_params factory_kwargs get_swap_module_params_on_conversion handle_torch_function "
        "has_torch_function has_torch_function_unary has_torch_function_variadic is_opaque_reference_type "
        "is_traceable_wrapper_subclass"
    ),
}

REASONS = {  # why a name is left out -> the names, as a regular expression
    "complex numbers are not supported": (
        r"(is_)?complex\d*|.*complex.*|chalf|cfloat|cdouble|real|imag|angle|polar|conj.*|is_conj|resolve_.*|"
        r"view_as_real|is_neg|isreal|[hir]*(f|stf)t\w*|adjoint|H|sgn_?"
    ),
    "dense tensors only": r".*sparse.*|.*coo.*|.*cs[rc].*|.*bs[rc].*|coalesce|is_coalesced|(to_)?dense.*|hspmm|smm|"
    r"crow_indices|col_indices|ccol_indices|row_indices|indices|values|.*nested.*|.*jagged.*|to_padded_tensor",
    "no quantised types": r".*quant.*|q_.*|int_repr|qscheme|choose_qparams.*|.*per_tensor.*|.*per_channel.*|fbgemm.*|"
    r"q?u?int[1-7]|quint.*|qint.*|bits.*|float[48].*|bfloat16.*|byte|char|short",
    "named dimensions were given up by PyTorch itself": r"names|rename_?|refine_names|align_.*|has_names|unify_.*",
    "PyTorch's compiler, export and scripting have no part here": (
        r"compile|compiled_with.*|export|jit.*|script.*|is_.*_tracing|.*[sS]ym.*|cond|while_loop|vmap_.*|"
        r"fork|wait|import_.*|parse_.*|merge_.*|unify.*|get_file_path|package.*|library|typename|.*Guard.*|autocast.*|"
        r".*autocast.*|DisableTorchFunction.*|.*[dD]ispatch.*|Graph|Value|Node|Use|Block|Code|Gradient|.*Type|.*Storage|"
        r"storage.*|untyped_storage|.*Module.*Ref|ErrorReport|.*Stream.*|.*Event.*|Generator_|ScriptModule.*|"
        r"Future|.*Fusion.*|FileCheck|BufferDict|Benchmark.*|ThroughputBenchmark|.*Capsule.*|DictType|.*profil.*"
    ),
    "kernels of one vendor or one step of another operation": (
        r"(cudnn|miopen|mkldnn|native|fused|batch_norm|fbgemm|nnpack|mps|xpu|hpu|ipu|xla|vulkan|mtia|maia|cpu)_.*|"
        r"(to|is)_(mkldnn|vulkan|xla|mps|xpu|hpu|ipu|mtia|maia|ort)|.*_copy_?|.*_backward|.*_forward|.*_cell_params|"
        r"set_(flush|num_interop|float32|printoptions|warn|vital|default_tensor|default_device).*|get_.*interop.*|"
        r"get_rng.*|set_rng.*|.*_rng_.*|.*cudnn.*|is_(vulkan|distributed|signed|storage|inference|tensor_like|ort).*|"
        r"embedding_renorm_?|convolution|grid_sampler.*|.*_symint|.*_with_offsets|affine_grid_generator|"
        r"constant_pad_nd|.*_tensors|segment_reduce|.*_overrideable|norm_except_dim|.*_layer|dropout_|"
        r"(feature_)?(alpha_)?dropout_?|ctc_loss|.*_embedding_.*|rnn_.*|lstm|gru|lstm_cell|gru_cell|quantized_.*"
    ),
    "part of PyTorch's own packaging": r"(cpp|os|sys|math|inspect|typing|warnings|ctypes|textwrap|platform|builtins|"
    r"functools|glob|threading|[Tt]ypeVar|overload|deprecated|Any|Callable|Union|Optional|Generic|TYPE_CHECKING|"
    r".*TypeIs.*|.*ParamSpec.*|cast|partial|wraps|namedtuple|handle_torch_function|has_torch_function.*|reduce|"
    r"assert_.*|obtain_.*|prepare_.*|read_.*|lobpcg|pca_lowrank|svd_lowrank|Tag|.*Error|.*Warning|version|"
    r"(classproperty|classes|ops|hub|distributed|distributions|futures|masked|monitor|multiprocessing|"
    r"onnx|overrides|random|serialization|signal|testing|types|utils|xpu|mps|mtia|accelerator|fft|special|fx|quasirandom))",
}


def names_of(space: Any) -> list[str]:
    """The public names of a namespace that are functions, classes or methods."""
    return [
        name
        for name in sorted(dir(space))
        if not name.startswith("_") and callable(getattr(space, name, None)) and not _is_foreign(space, name)
        if space.__name__ != "torch" or name.islower() or name in ("Tensor", "Generator", "Size")
    ]  # the classes at the top of PyTorch are those of its compiler


def _is_foreign(space: Any, name: str) -> bool:
    """Was it imported there from outside PyTorch?"""
    module = getattr(getattr(space, name), "__module__", None) or "torch"
    return module.partition(".")[0] not in ("torch", "builtins")


def found(path: str) -> Any:
    """The object of a dotted path, or None."""
    head, *rest = path.split(".")
    space = importlib.import_module(head)
    for i, name in enumerate(rest):
        try:
            space = getattr(space, name)
        except AttributeError:
            try:
                space = importlib.import_module(".".join([head, *rest[: i + 1]]))
            except ImportError:
                return None
    return space


ELSEWHERE = {  # found under another path; the reason -> that path
    "it is in nn.functional": "minigrad.nn.functional",
    "it is a method of Tensor": "minigrad.Tensor",
    "it is in autograd": "minigrad.autograd",
    "it is in linalg": "minigrad.linalg",
}
OLDER = {  # names of torch and torch.Tensor, one by one
    "minigrad.linalg has its successor, or its steps": (
        "eig frobenius_norm geqrf householder_product lstsq lu lu_factor lu_solve lu_unpack matrix_rank nuclear_norm "
        "orgqr ormqr qr solve svd triangular_solve"
    ),
    "the shape or the memory of a tensor is not changed in place": (
        "as_strided as_strided_ as_strided_scatter detach_ resize resize_ resize_as resize_as_ set_ squeeze_ swapaxes_ "
        "swapdims_ t_ transpose_ unsqueeze_ empty_permuted empty_strided new_empty_strided slice_inverse"
    ),
    "a check that is left out for speed, which we do not need": (
        "unsafe_chunk unsafe_split unsafe_split_with_sizes nonzero_static"
    ),
    "a shape is a tuple, a dtype NumPy's, an array in order": (
        "Size dtype layout memory_format dim_order is_set_to is_shared share_memory_ "
        "record_stream const_data_ptr as_subclass module_load reinforce new type from_file frombuffer hash_tensor"
    ),
    "a function of Python runs on every element, which takes long": "apply_ map_ map2_",
    "one setting less: NumPy and BLAS decide": (
        "get_deterministic_debug_mode "
        "set_deterministic_debug_mode is_deterministic_algorithms_warn_only_enabled is_warn_always_enabled "
        "get_default_device get_device_module init_num_threads thread_safe_generator"
    ),
}


def reason_for(name: str, space: str) -> str:
    """Why a name is left out; empty if for no reason."""
    if space in ("torch", "torch.Tensor"):
        for reason, path in ELSEWHERE.items():
            if space != "torch.Tensor" and hasattr(found(path), name):
                return reason
        for reason, names in OLDER.items():
            if name in names.split():
                return reason
    if space.startswith(("torch.nn", "torch.optim")):
        return next((reason for reason, names in LEFT_OUT.items() if name in names.split()), "")
    return next((reason for reason, pattern in REASONS.items() if re.fullmatch(pattern, name)), "")


def section(theirs: str, ours: str) -> str:
    """One namespace: what is there, what is left out and why, what is missing."""
    names, space = names_of(found(theirs)), found(ours)
    there = [name for name in names if space is not None and hasattr(space, name)]
    absent = [name for name in names if name not in there]
    lines = [f"## {theirs}: {len(there)} names", "", _listed(there) or "None.", ""]
    for reason in (*ELSEWHERE, *OLDER, *LEFT_OUT, *REASONS):
        if left_out := [name for name in absent if reason_for(name, theirs) == reason]:
            lines += [f"*Left out ({reason}):* {_listed(left_out)}", ""]
    if missing := [name for name in absent if not reason_for(name, theirs)]:
        lines += [f"*Not there yet:* {_listed(missing)}", ""]
    return "\n".join(lines)


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def page() -> str:
    """The whole page."""
    import torch

    version = torch.__version__.partition("+")[0]
    head = (
        "# Which of PyTorch's names are here\n\n"
        f"Generated by `python tests/coverage_table.py` from minigrad and PyTorch {version}. What is here has\n"
        "PyTorch's arguments, defaults and meaning; [differences.md](differences.md) lists where it has not.\n"
    )
    return "\n".join([head, *[section(theirs, ours) for theirs, ours in PLACES.items()]])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
