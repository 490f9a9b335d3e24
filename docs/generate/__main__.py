"""`python -m docs.generate` rewrites the generated parts of the reference; hand-written parts stay as they are."""

from docs.generate.pages import PAGES, page_path, refreshed


def main() -> None:
    """Rewrite every page, and say which ones changed."""
    for name in PAGES:
        path = page_path(name)
        before = path.read_text("utf-8")
        after = refreshed(name, before)
        if after != before:
            path.write_text(after, "utf-8")
        print(f"{path.name}: {'unchanged' if after == before else 'rewritten'}")


if __name__ == "__main__":
    main()
