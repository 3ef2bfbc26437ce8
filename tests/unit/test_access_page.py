"""The page about the role matrix says what the matrix says."""

from scripts.access_page import PAGE, text


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == text(), "run scripts/access_page.py"
