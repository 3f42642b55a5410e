"""Models of SentencePiece (Kudo, Richardson 2018), read by the package of that name where it is installed."""

import base64
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from .errors import DataError
from .vocabulary import SPECIAL_TOKENS, Vocabulary


class SentencePieceTokeniser:
    """The pieces that a trained model (the bytes of its file, x.model) cuts a text into.

    The model decides what is kept of a text: most of them normalise it (NFKC) and join runs of spaces.
    ImportError without the package; DataError for bytes that are no such model.
    """

    name: ClassVar[str] = "sentencepiece"

    def __init__(self, model: bytes) -> None:
        package = _sentencepiece()
        self.model = model
        try:
            self._processor = package.SentencePieceProcessor(model_proto=model)
            pieces = len(self._processor)
        except (OSError, RuntimeError, ValueError) as error:
            raise DataError(
                f"SentencePieceTokeniser(): {len(model)} bytes that are no model of SentencePiece; expected "
                "the content of a .model file"
            ) from error
        if not pieces:
            raise DataError("SentencePieceTokeniser(): the model is empty, expected one with pieces")

    @classmethod
    def read(cls, path: str | Path) -> "SentencePieceTokeniser":
        """Read a model's file; DataError, with its name, if that cannot be."""
        try:
            return cls(Path(path).read_bytes())
        except OSError as error:
            raise DataError(
                f"SentencePieceTokeniser.read(): {path} cannot be read ({error.strerror}), expected a file"
            ) from error
        except DataError as error:
            raise DataError(
                f"SentencePieceTokeniser.read(): {path} is no model of SentencePiece, expected a .model file"
            ) from error

    def tokenise(self, text: str) -> list[str]:
        """Cut a text into pieces."""
        return list(self._processor.encode(text, out_type=str))

    def detokenise(self, tokens: Sequence[str]) -> str:
        """Join pieces into a text."""
        return str(self._processor.decode(list(tokens)))

    def vocabulary(self) -> Vocabulary:
        """Every piece of the model, but for the signs that this library has numbers of its own for."""
        pieces = [self._processor.id_to_piece(number) for number in range(len(self._processor))]
        left_out = {*SPECIAL_TOKENS, "<s>", "</s>"}
        return Vocabulary(piece for piece in pieces if piece not in left_out)

    def to_json(self) -> dict[str, Any]:
        """Give a plain dictionary with the whole model, so that a run needs no other file."""
        return {"kind": self.name, "model": base64.b64encode(self.model).decode("ascii")}

    @classmethod
    def from_json(cls, data: Any) -> "SentencePieceTokeniser":
        """Rebuild the tokeniser that `to_json` wrote; DataError when `data` is not such a dictionary."""
        if not isinstance(data, dict) or data.keys() != {"kind", "model"} or data["kind"] != cls.name:
            raise DataError(
                "SentencePieceTokeniser.from_json(): expected a dictionary with the kind 'sentencepiece' and "
                "the model"
            )
        try:
            model = base64.b64decode(data["model"], validate=True)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"SentencePieceTokeniser.from_json(): the model is not in base64 ({error})"
            ) from error
        return cls(model)


def _sentencepiece() -> ModuleType:
    """Give the package, imported when it is first needed; ImportError that names the remedy."""
    try:
        import sentencepiece
    except ImportError as error:
        raise ImportError(
            'SentencePieceTokeniser() needs the package sentencepiece: pip install "minigrad[subwords]"'
        ) from error
    return sentencepiece
