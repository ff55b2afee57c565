"""The list of the longest test files names files that are there, each once."""

from longest import LONGEST, TESTS


def test_the_longest_files_are_there() -> None:
    assert [name for name in LONGEST if not (TESTS / name).is_file()] == []
    assert len(LONGEST) == len(set(LONGEST))
