"""The command line: train, translate, and draw."""

if __name__ != "minigrad.tools":
    raise ImportError("import it as minigrad.tools, not as the top-level tools")
