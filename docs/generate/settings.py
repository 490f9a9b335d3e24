"""The settings, as pages show them."""

from docs.generate.docstrings import member_docs
from docs.generate.tables import code, table
from docs.generate.wire_types import words
from msgspec import inspect

from hosting.domain.secret import Secret
from hosting.settings import Settings


def table_row(field: inspect.Field, meaning: str) -> tuple[str, ...]:
    """Describe one setting."""
    variable = code(f"BRANCHLINE_{field.name.upper()}")
    default = "none" if field.default in {None, ()} else code(_shown(field.default))
    return variable, code(field.name), words(field.type), _range(field.type), default, meaning


def all_rows() -> list[tuple[str, ...]]:
    """Describe every setting."""
    docs = member_docs(Settings)
    return [table_row(field, docs[field.name]) for field in inspect.type_info(Settings).fields]


def settings_table() -> str:
    """Describe every setting in one table."""
    return table(("variable", "in branchline.toml", "type", "range", "default", "means"), all_rows())


def _shown(default: object) -> object:
    # What the code has for everybody is no secret.
    return default.reveal() if isinstance(default, Secret) else default


def _range(type_: inspect.Type) -> str:
    said = [
        f"{sign} {bound:g}"
        for sign, bound in (
            ("more than", getattr(type_, "gt", None)),
            ("at least", getattr(type_, "ge", None)),
            ("less than", getattr(type_, "lt", None)),
            ("at most", getattr(type_, "le", None)),
        )
        if bound is not None
    ]
    return ", ".join(said)
