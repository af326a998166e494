"""Mutants of a Python module: one small change of its behavior each.

A comparison, an arithmetic or Boolean operation, a constant, a returned value or a call for its
effect is changed. Strings, annotations, decorators and type-checking blocks stay as they are, and
`strict=True`, an assertion about lengths that a correct program never fails.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A module's source with one change, its line, the change in words, and its function.

    A function is named by its first line, decorators included; 0 stands for the module.
    """

    line: int
    text: str
    change: str
    source: str
    function: int


def mutated_lines(source: str) -> list[str]:
    """The line of each mutant of a module's source, in the order of the source."""
    lines = source.splitlines()
    return [lines[node.lineno - 1].strip() for node, _ in places(ast.parse(source))]


def mutant(source: str, number: int) -> Mutant:
    """The mutant of a module's source with this number, in the order of the source."""
    tree = ast.parse(source)
    node, change = list(places(tree))[number]
    before = ast.unparse(node).splitlines()[0]
    function = function_of(tree, node.lineno)
    change(node)
    after = ast.unparse(node).splitlines()[0]
    changed = ast.unparse(ast.fix_missing_locations(tree))
    text = source.splitlines()[node.lineno - 1].strip()
    return Mutant(node.lineno, text, f"{before} -> {after}", changed, function)


def function_of(tree: ast.AST, line: int) -> int:
    """The first line of the innermost function that contains a line; 0 if none does."""
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    around = [f for f in functions if f.lineno <= line <= (f.end_lineno or f.lineno)]
    if not around:
        return 0
    innermost = max(around, key=lambda function: function.lineno)
    return min(node.lineno for node in [innermost, *innermost.decorator_list])


def places(tree: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, Callable[[ast.AST], None]]]:
    """Nodes that can be changed, and the change."""
    for child in mutable_children(tree):
        if change := change_of(child):
            yield child, change
        yield from places(child)


def mutable_children(node: ast.AST) -> Iterator[ast.AST]:
    """The children of a node that decide about behavior."""
    skipped = {"annotation", "returns", "decorator_list", "type_params", "format_spec"}
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    if isinstance(node, ast.keyword) and node.arg == "strict":
        return
    for name, value in ast.iter_fields(node):
        if name not in skipped:
            for item in value if isinstance(value, list) else [value]:
                is_annotated = isinstance(item, ast.Subscript) and "Annotated" in ast.unparse(item)
                if isinstance(item, ast.AST) and not is_annotated:
                    yield item


def change_of(node: ast.AST) -> Callable[[ast.AST], None] | None:
    """The change of a node, made in place; None if it has none."""
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in COMPARISONS:
            return lambda n: setattr(n, "ops", [COMPARISONS[type(operator)]()])
        case ast.BinOp(op=operator) if type(operator) in ARITHMETIC and not is_text(node):
            return lambda n: setattr(n, "op", ARITHMETIC[type(operator)]())
        case ast.BoolOp(op=operator):
            other = ast.Or if isinstance(operator, ast.And) else ast.And
            return lambda n: setattr(n, "op", other())
        case ast.UnaryOp(op=ast.USub()):
            return lambda n: setattr(n, "op", ast.UAdd())
        case ast.Constant(value=bool(value)):
            return lambda n: setattr(n, "value", not value)
        case ast.Constant(value=int(value)):
            return lambda n: setattr(n, "value", value + 1)
        case ast.Constant(value=float(value)):
            return lambda n: setattr(n, "value", value * 1.5 + (value == 0))
        case ast.Return(value=ast.expr()):
            return lambda n: setattr(n, "value", ast.Constant(None))
        case ast.Expr(value=ast.Call()):
            return lambda n: setattr(n, "value", ast.Constant(None))
        case _:
            return None


def is_text(node: ast.BinOp) -> bool:
    """Return True if an operation joins or formats strings, or types."""
    names = (ast.JoinedStr, ast.Constant)
    sides = [side for side in (node.left, node.right) if isinstance(side, names)]
    return any(
        isinstance(side, ast.JoinedStr) or isinstance(side.value, str | None) for side in sides
    )
