"""`python -m docs.generate` rewrites the generated parts of the reference; hand-written parts stay as they are."""

from docs.generate.pages import FILES, PAGES, page_path, refreshed


def main() -> None:
    """Rewrite every page and file, and say which ones changed."""
    for name in PAGES:
        before = page_path(name).read_text("utf-8")
        _write(name, before, refreshed(name, before))
    for name, written in FILES.items():
        path = page_path(name)
        _write(name, path.read_text("utf-8") if path.exists() else "", written())


def _write(name: str, before: str, after: str) -> None:
    if after != before:
        page_path(name).write_text(after, "utf-8")
    print(f"{name}: {'unchanged' if after == before else 'rewritten'}")


if __name__ == "__main__":
    main()
