"""Write the generated pages of docs/reference, or with ``--check`` say which are not current.

Each page is written by a function of the package that returns Markdown; a new page is one line here.
"""

import sys
from importlib import import_module
from pathlib import Path

PAGES = {
    "codes.md": ("postroad.cli.page", "write_codes_page"),
    "command-line.md": ("postroad.cli.page", "write_command_page"),
    "demand.md": ("postroad.demand.page", "write_page"),
    "events.md": ("postroad.events.page", "write_page"),
    "measures.md": ("postroad.measure.page", "write_page"),
    "feed.md": ("postroad.network.specification", "write_page"),
    "feed.zh.md": ("postroad.network.specification", "write_page_zh"),
}
FOLDER = Path(__file__).parent / "reference"


def generate(check: bool) -> list[str]:
    """Write the pages, or only look; give the names of those that were not current."""
    stale = []
    for name, (module, function) in PAGES.items():
        text = getattr(import_module(module), function)()
        page = FOLDER / name
        if page.exists() and page.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(text, encoding="utf-8", newline="\n")
    return stale


if __name__ == "__main__":
    is_check = "--check" in sys.argv[1:]
    not_current = generate(is_check)
    for name in not_current:
        print(f"docs/reference/{name} {'is not current: run make docs' if is_check else 'written'}")
    sys.exit(1 if is_check and not_current else 0)
