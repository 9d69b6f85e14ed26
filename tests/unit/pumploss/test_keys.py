"""Generated secrets: made once, kept, and readable by their owner only."""

import stat
from dataclasses import astuple
from pathlib import Path
from urllib.parse import quote

from pumploss.stack.keys import keys_of


def test_keys_are_made_once_and_kept(tmp_path: Path) -> None:
    assert keys_of(tmp_path) == keys_of(tmp_path)


def test_keys_of_two_instances_differ_in_everything(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    assert not set(astuple(keys_of(one))) & set(astuple(keys_of(other)))


def test_nobody_else_may_read_the_keys(tmp_path: Path) -> None:
    keys_of(tmp_path)
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_every_key_may_stand_in_a_url_as_it_is(tmp_path: Path) -> None:
    assert all(quote(key, safe="") == key for key in astuple(keys_of(tmp_path)))


def test_a_file_that_was_cut_short_is_completed(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text('{"postgres_pass')
    assert all(astuple(keys_of(tmp_path)))
