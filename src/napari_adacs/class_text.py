"""What classes say about themselves, read from their source.

Forms offer whatever schemes and networks there are, with the defaults and
explanations that stand beside their parameters. Importing those classes would
load torch; their source is text.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.abc import InspectLoader
from typing import Any

# A line of a numpydoc section: `name, other : type`.
_ENTRY = re.compile(r'^(\w[\w, *]*) : (.*)$')
_CHOICES = re.compile(r"^\{('[^}]*)\}")


@dataclass(frozen=True)
class Parameter:
    """A parameter of a class.

    Parameters
    ----------
    name : str
        As in the code.
    kind : str
        Type as annotated, such as 'float'.
    default : object
        Its default; None where it is no literal.
    text : str
        What the docstring says about it.
    choices : tuple of str
        Allowed values, where the docstring lists them.
    """

    name: str
    kind: str
    default: Any
    text: str = ''
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClassText:
    """What a class says about itself.

    Parameters
    ----------
    name : str
        Name of the class.
    summary : str
        First sentence of its docstring, without the full stop.
    parameters : tuple of Parameter
        Fields of a dataclass, those of its bases first; none of others.
    constants : mapping of str to object
        Class variables with literal values.
    """

    name: str
    summary: str
    parameters: tuple[Parameter, ...] = ()
    constants: Mapping[str, Any] = field(default_factory=dict)


def registered(module: str, variable: str) -> dict[str, tuple[str, str]]:
    """Return which classes a registry names, in its order.

    Parameters
    ----------
    module : str
        Dotted name of the module with the registry.
    variable : str
        Name of the registry: a mapping, or anything that lists classes.

    Returns
    -------
    dict of str to (str, str)
        Module and name of each class by its key; by its name where the
        registry has no literal keys.
    """
    tree = _tree(module)
    places = _places(tree, module)
    value = next(v for n, v in _assigned(tree.body) if n == variable)
    keys: dict[str, tuple[str, str]] = {}
    if isinstance(value, ast.Dict):
        for key, item in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(item, ast.Name):
                keys[str(key.value)] = places[item.id]
        return keys
    # ast.walk goes by depth; the order of the source is that of the table
    names = [n for n in ast.walk(value) if isinstance(n, ast.Name)]
    names.sort(key=lambda n: (n.lineno, n.col_offset))
    return {n.id: places[n.id] for n in names if n.id in places}


def read_class(module: str, name: str) -> ClassText:
    """Read what a class says about itself, and its bases in this package.

    Raises
    ------
    KeyError
        If the module has no class of that name.
    """
    tree = _tree(module)
    node = _class(tree, name)
    places = _places(tree, module)
    fields: dict[str, Parameter] = {}
    constants: dict[str, Any] = {}
    for base in node.bases:
        if not isinstance(base, ast.Name) or base.id not in places:
            continue
        found = read_class(*places[base.id])
        fields |= {p.name: p for p in found.parameters}
        constants |= found.constants
    docs = _documented(ast.get_docstring(node) or '')
    for parameter, constant in _members(node, docs):
        if parameter is not None:
            fields[parameter.name] = parameter
        constants |= constant
    for key, (_, text, choices) in docs.items():
        # 'As in `Base`.' sends a reader to what a base says
        if key in fields and not text.startswith('As in `'):
            old = fields[key]
            fields[key] = Parameter(key, old.kind, old.default, text, choices)
    return ClassText(name, _summary(node), tuple(fields.values()), constants)


def _members(
    node: ast.ClassDef, docs: Mapping[str, tuple[str, str, tuple[str, ...]]]
) -> Iterator[tuple[Parameter | None, dict[str, Any]]]:
    """Yield the fields and the class variables of a class itself."""
    for item in node.body:
        if not isinstance(item, ast.AnnAssign):
            continue
        if not isinstance(item.target, ast.Name):
            continue
        name, kind = item.target.id, ast.unparse(item.annotation)
        value = None if item.value is None else _literal(item.value)
        if kind.startswith('ClassVar'):
            yield None, ({} if item.value is None else {name: value})
        else:
            _, text, choices = docs.get(name, ('', '', ()))
            yield Parameter(name, kind, value, text, choices), {}


def _documented(doc: str) -> dict[str, tuple[str, str, tuple[str, ...]]]:
    """Return type, text and choices by the names under 'Parameters'."""
    found: dict[str, tuple[str, str, tuple[str, ...]]] = {}
    names: list[str] = []
    for line in _section(doc, 'Parameters'):
        entry = _ENTRY.match(line)
        if entry:
            names = [n.strip() for n in entry.group(1).split(',')]
            listed = _CHOICES.match(entry.group(2))
            choices = ast.literal_eval(f'({listed[1]},)') if listed else ()
            found |= dict.fromkeys(names, (entry.group(2), '', choices))
        else:
            for name in names:
                kind, text, choices = found[name]
                found[name] = kind, f'{text} {line.strip()}'.strip(), choices
    return found


def _section(doc: str, title: str) -> Iterator[str]:
    """Yield the lines of a numpydoc section that are not empty."""
    lines = inspect.cleandoc(doc).splitlines()
    inside = False
    for line, below in zip(lines, [*lines[1:], ''], strict=True):
        if below and set(below) == {'-'}:
            inside = line == title
        elif inside and line.strip() and set(line) != {'-'}:
            yield line


def _summary(node: ast.ClassDef) -> str:
    doc = inspect.cleandoc(ast.get_docstring(node) or '')
    first = doc.split('\n\n')[0].replace('\n', ' ')
    return first.rstrip('.')


def _class(tree: ast.Module, name: str) -> ast.ClassDef:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node
    raise KeyError(name)


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for node in body:
        targets: list[ast.expr] = []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        elif isinstance(node, ast.Assign):
            targets = node.targets
        value = getattr(node, 'value', None)
        for target in targets:
            if isinstance(target, ast.Name) and value is not None:
                yield target.id, value


def _places(tree: ast.Module, module: str) -> dict[str, tuple[str, str]]:
    """Return where the classes of this package come from, by their name."""
    package = module.partition('.')[0]
    imported = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        and node.module is not None
        and node.module.partition('.')[0] == package
        for alias in node.names
    }
    own = [n.name for n in tree.body if isinstance(n, ast.ClassDef)]
    return imported | {name: (module, name) for name in own}


@cache
def _tree(module: str) -> ast.Module:
    spec = importlib.util.find_spec(module)
    if spec is None or not isinstance(spec.loader, InspectLoader):
        raise KeyError(module)
    return ast.parse(spec.loader.get_source(module) or '')
