"""What CuPy has of NumPy, and what it lacks."""

LACKING = {
    *("block", "matvec", "vecdot", "vecmat", "unstack", "insert", "spacing", "nanpercentile", "einsum_path"),
    *("nditer", "seterr", "geterr", "errstate", "geomspace"),
}
LINALG = {
    *("cholesky", "cond", "det", "eig", "eigh", "eigvals", "eigvalsh", "inv", "lstsq", "matrix_power"),
    *("matrix_rank", "norm", "pinv", "qr", "slogdet", "solve", "svd", "tensorinv", "tensorsolve"),
}
AT = {  # ufunc -> for which types `at` is there
    "add": {"float16", "float32", "float64", "int32", "int64", "uint32", "uint64"},
    "subtract": {"int32", "uint32"},
    "maximum": {"float32", "float64", "int32", "int64", "uint32", "uint64"},
    "minimum": {"float32", "float64", "int32", "int64", "uint32", "uint64"},
}
REDUCE = {"add", "multiply"}
VIEWS = {"reshape", "ravel", "squeeze", "swapaxes", "transpose", "view"}  # of which no kernel is launched
METHODS = {
    *("all", "any", "argmax", "argmin", "max", "mean", "min", "prod", "std", "sum", "var"),
    *("argsort", "astype", "clip", "copy", "fill", "flatten", "nonzero", "ravel", "repeat", "reshape"),
    *("sort", "squeeze", "swapaxes", "take", "transpose", "view"),
}
COUNTING = {  # how many, is not known
    "nonzero",
    "flatnonzero",
    "argwhere",
    "where",
    "unique",
    "extract",
    "compress",
}
