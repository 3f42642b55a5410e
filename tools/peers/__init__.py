"""Other libraries at the work of `minigrad bench`, each in a file of its own, written as its users write.

`with_<library>.py` holds one function for each workload that it does: given weights, data and sizes, as
bench_peers.py lists them, it returns a training step that gives the loss before it.  The files are run by
serve.py as a program in whatever Python has the library, which need not have minigrad: nothing in here
imports it.
"""
