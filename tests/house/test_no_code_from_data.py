"""No data becomes code: nothing in the library unpickles, evaluates, or hands a string to a shell."""

import ast

import pytest

from source_tree import LIBRARY, Source, imports

MODULES = {
    "builtins",
    "cloudpickle",
    "code",
    "codeop",
    "dill",
    "joblib",
    "marshal",
    "pickle",
    "runpy",
    "shelve",
}
BUILTINS = {"__import__", "compile", "eval", "exec"}
SHELLS = {"os.popen", "os.system", "subprocess.getoutput", "subprocess.getstatusoutput"}
LOADERS = {"yaml.full_load", "yaml.load", "yaml.unsafe_load"}
SWITCHES = {"allow_pickle", "shell"}


def doors(source):
    """Every place of `source` through which data could come in and run."""
    for imported in imports(source):
        if imported.package in MODULES:
            yield f"{source.path}:{imported.line}: import {imported.module}"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and node.id in BUILTINS:
            yield f"{source.path}:{node.lineno}: {node.id}"
        if isinstance(node, ast.Attribute) and ast.unparse(node) in SHELLS | LOADERS:
            yield f"{source.path}:{node.lineno}: {ast.unparse(node)}"
        if isinstance(node, ast.keyword) and node.arg in SWITCHES and ast.unparse(node.value) != "False":
            yield f"{source.path}:{node.value.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("source", LIBRARY, ids=str)
def test_no_data_becomes_code(source):
    assert not list(doors(source))


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from pickle import loads",
        "from marshal import loads as decode",
        "import runpy",
        "x = eval('1')",
        "run = exec",
        "compile('1', '', 'eval')",
        "__import__('os')",
        "from builtins import eval as read",
        "numpy.load(path, allow_pickle=True)",
        "numpy.load(path, allow_pickle=allow)",
        "subprocess.run(command, shell=True)",
        "os.system(command)",
        "yaml.load(text)",
    ],
)
def test_a_door_is_found(text):
    assert list(doors(Source("door.py", "door", text)))


@pytest.mark.parametrize(
    "text",
    [
        "model.eval()",
        "class Module:\n    def eval(self): return self.train(False)",
        "pattern = re.compile('a')",
        "numpy.load(path, allow_pickle=False)",
        "'never eval, exec or pickle'",
    ],
)
def test_a_word_alone_is_no_door(text):
    assert not list(doors(Source("wall.py", "wall", text)))
