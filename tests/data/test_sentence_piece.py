"""Models of SentencePiece, where the package is installed; a clear word where it is not."""

import io
import json
import sys

import pytest

from minigrad.data import DataError, SentencePieceTokeniser, tokeniser_from_json

TEXTS = ["the quick brown fox", "jumps over the lazy dog", "한국어를 한글로 쓴다"] * 20


@pytest.fixture(scope="module")
def model():
    package = pytest.importorskip("sentencepiece", reason="the package sentencepiece is not installed")
    written = io.BytesIO()
    package.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_writer=written,
        vocab_size=60,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return written.getvalue()


def test_a_text_is_cut_into_the_models_pieces_and_put_together_again(model):
    tokeniser = SentencePieceTokeniser(model)
    tokens = tokeniser.tokenise(TEXTS[0])
    assert len(tokens) > 1
    assert tokeniser.detokenise(tokens) == TEXTS[0]
    assert all(token in tokeniser.vocabulary() for token in tokens)


def test_the_model_is_saved_with_the_run(model):
    tokeniser = SentencePieceTokeniser(model)
    again = tokeniser_from_json(json.loads(json.dumps(tokeniser.to_json())))
    assert again.tokenise(TEXTS[2]) == tokeniser.tokenise(TEXTS[2])


def test_a_model_is_read_from_its_file(model, tmp_path):
    path = tmp_path / "x.model"
    path.write_bytes(model)
    assert SentencePieceTokeniser.read(path).model == model


def test_a_file_that_is_no_model_is_refused_by_its_name(model, tmp_path):
    path = tmp_path / "x.model"
    for content in (b"", b"no model at all", model[:100]):
        path.write_bytes(content)
        with pytest.raises(
            DataError, match=r"x\.model is no model of SentencePiece, expected a \.model file"
        ):
            SentencePieceTokeniser.read(path)
    with pytest.raises(DataError, match=r"nowhere\.model cannot be read \(No such file"):
        SentencePieceTokeniser.read(tmp_path / "nowhere.model")


@pytest.mark.parametrize("wrong", [[], {"kind": "sentencepiece"}, {"kind": "x", "model": ""}])
def test_a_configuration_of_another_form_is_refused(wrong):
    with pytest.raises(DataError, match=r"expected a dictionary"):
        SentencePieceTokeniser.from_json(wrong)


@pytest.mark.parametrize("wrong", [7, "é", "a", "!!!!"])
def test_a_model_that_is_not_in_base64_is_refused(wrong):
    with pytest.raises(DataError, match="not in base64"):
        SentencePieceTokeniser.from_json({"kind": "sentencepiece", "model": wrong})


def test_without_the_package_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(ImportError, match=r'pip install "minigrad\[subwords\]"'):
        SentencePieceTokeniser(b"")
