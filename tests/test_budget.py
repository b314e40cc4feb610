"""The sizes that keep the code readable: files, functions, classes, parameters."""

import ast
from functools import cache
from statistics import median, quantiles

from tests.sources import code_lines, functions, sources

FILE_MEDIAN, FILE_MAX = 150, 400
FUNCTION_P95, FUNCTION_MAX = 30, 60
METHODS_MAX = 12
POSITIONAL_MAX, PARAMETERS_MAX = 6, 8


def _lengths() -> dict[str, int]:
    return {source.name: lines for source in sources() if (lines := len(source.text.splitlines())) > 1}


@cache
def _functions() -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    return [
        (f"{source.name}:{function.lineno} {function.name}", function, code_lines(source, function))
        for source in sources()
        for function in functions(source)
    ]


def test_the_median_file_has_at_most_150_lines():
    assert median(_lengths().values()) <= FILE_MEDIAN


def test_no_file_has_more_than_400_lines():
    assert not {name: lines for name, lines in _lengths().items() if lines > FILE_MAX}


def test_nearly_all_functions_have_at_most_30_lines_of_code():
    assert quantiles([lines for _name, _function, lines in _functions()], n=100)[94] <= FUNCTION_P95


def test_no_function_has_more_than_60_lines_of_code():
    assert not {name: lines for name, _function, lines in _functions() if lines > FUNCTION_MAX}


def test_no_class_offers_more_than_12_methods():
    methods = {
        f"{source.name}:{node.lineno} {node.name}": sum(
            isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not child.name.startswith("_")
            for child in node.body
        )
        for source in sources()
        for node in source.nodes
        if isinstance(node, ast.ClassDef)
    }
    assert not {name: count for name, count in methods.items() if count > METHODS_MAX}


def test_no_function_has_more_than_6_positional_parameters():
    wide = {}
    for name, function, _lines in _functions():
        positional = [a.arg for a in [*function.args.posonlyargs, *function.args.args] if a.arg not in {"self", "cls"}]
        if len(positional) > POSITIONAL_MAX or len(positional) + len(function.args.kwonlyargs) > PARAMETERS_MAX:
            wide[name] = len(positional)
    assert not wide
