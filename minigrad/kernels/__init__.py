"""Array-level replacements of an op's forward, registered by the op's name; no autograd inside."""
