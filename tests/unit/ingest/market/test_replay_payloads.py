"""The command sends recorded files through the door and says what became of them."""

import gzip
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ingest.courier import Courier, SecretRefused, Verdict

OK = Verdict(200, "kept", 1)


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bodies that reach a door which does not like the word bad."""
    bodies: list[bytes] = []

    def post(courier: Courier, body: bytes) -> Verdict:
        bodies.append(body)
        return Verdict(400, "the body is bad", 1) if b"bad" in body else OK

    monkeypatch.setattr(Courier, "post", post)
    return bodies


def replay(*files: Path) -> str:
    said = StringIO()
    call_command("replay_payloads", *map(str, files), secret="s", stdout=said)
    return said.getvalue()


def test_a_file_is_one_body_as_it_is(posted: list[bytes], tmp_path: Path) -> None:
    file = tmp_path / "body.json"
    file.write_bytes(b'[ {"slot": 1} ]\n')
    assert "1 accepted, 0 refused" in replay(file)
    assert posted == [b'[ {"slot": 1} ]\n']


def test_an_answer_of_a_node_becomes_a_webhook_body(posted: list[bytes], tmp_path: Path) -> None:
    file = tmp_path / "answer.json.gz"
    file.write_bytes(gzip.compress(b'{"jsonrpc": "2.0", "result": {"slot": 18446744073709551615}}'))
    replay(file)
    assert json.loads(posted[0]) == [{"slot": 18446744073709551615}]


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_of_lines_is_a_body_each(posted: list[bytes], tmp_path: Path, packed: bool) -> None:
    lines = b'[{"slot":1}]\n\n[{"slot":2}]\n'
    file = tmp_path / ("bodies.jsonl.gz" if packed else "bodies.jsonl")
    file.write_bytes(gzip.compress(lines) if packed else lines)
    assert "2 accepted" in replay(file)
    assert posted == [b'[{"slot":1}]', b'[{"slot":2}]']


def test_refusals_are_told_by_file_and_end_with_an_error(
    posted: list[bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, mixed = tmp_path / "good.json", tmp_path / "mixed.jsonl"
    good.write_bytes(b"[]")
    mixed.write_bytes(b'["bad"]\n[]\n["bad"]\n')
    with pytest.raises(SystemExit, match="1"):
        call_command("replay_payloads", str(mixed), str(good), secret="s")
    said = capsys.readouterr().out.splitlines()
    assert said == [
        f"{mixed}: 1 accepted, 2 refused; 2 × 400 the body is bad",
        f"{good}: 1 accepted, 0 refused",
    ]


def test_a_missing_file_is_said_before_anything_is_sent(
    posted: list[bytes], tmp_path: Path
) -> None:
    good = tmp_path / "good.json"
    good.write_bytes(b"[]")
    with pytest.raises(CommandError, match=r"there is no file .*nowhere\.json"):
        replay(good, tmp_path / "nowhere.json")
    assert not posted


def test_what_is_no_json_is_named(posted: list[bytes], tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_bytes(b"[{")
    with pytest.raises(CommandError, match=r"broken\.json is not JSON"):
        replay(file)


def test_a_refused_secret_is_said_clearly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def post(courier: Courier, body: bytes) -> Verdict:
        raise SecretRefused("the secret was refused: 401")

    monkeypatch.setattr(Courier, "post", post)
    file = tmp_path / "body.json"
    file.write_bytes(b"[]")
    with pytest.raises(CommandError, match="the secret was refused"):
        replay(file)
