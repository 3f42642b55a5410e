"""Pictures and tables of the ideas in docs/models.md, each from numbers that are measured when it is made."""
