"""One paper per file, in the paper's letters and equation numbers."""

if __name__ != "minigrad.models":
    raise ImportError("import it as minigrad.models, not as the top-level models")
