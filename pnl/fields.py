"""Columns for the chain's own values: keys as bytes, shown as base58, and u64 amounts."""

from typing import TYPE_CHECKING, Any

import based58
from django.core.exceptions import ValidationError
from django.db import models

if TYPE_CHECKING:
    # The stubs make fields generic; at run time they are not.
    _BinaryField = models.BinaryField[Any, Any]
    _DecimalField = models.DecimalField[Any, Any]
else:
    _BinaryField = models.BinaryField
    _DecimalField = models.DecimalField

ADDRESS_BYTES = 32
SIGNATURE_BYTES = 64


def base58_bytes(text: str, length: int) -> bytes:
    """The bytes of a base58 key. Raises ValueError naming what is wrong with it."""
    try:
        value = based58.b58decode(text.encode())
    except ValueError:
        raise ValueError(f"{text!r} is not base58") from None
    if len(value) != length:
        raise ValueError(f"{text!r} is {len(value)} bytes in base58, {length} expected")
    return value


def base58_text(value: bytes) -> str:
    """A key as people write it."""
    return based58.b58encode(value).decode()


class Base58Field(_BinaryField):
    """A key of fixed length: bytea in the database (44 % smaller than text), base58 in Python."""

    def __init__(self, *args: Any, length: int = ADDRESS_BYTES, **kwargs: Any) -> None:
        self.length = length
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "length": self.length}

    def from_db_value(self, value: bytes | None, *_: Any) -> str | None:
        """bytea → base58."""
        return None if value is None else base58_text(bytes(value))

    def to_python(self, value: Any) -> Any:
        """Form text → validated base58."""
        if isinstance(value, str) and value:
            try:
                base58_bytes(value, self.length)
            except ValueError as error:
                raise ValidationError(str(error)) from None
        return value

    def get_prep_value(self, value: Any) -> Any:
        """base58 → bytes."""
        return base58_bytes(value, self.length) if isinstance(value, str) else value

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """base58 → driver's binary."""
        return super().get_db_prep_value(self.get_prep_value(value), connection, prepared)

    def value_to_string(self, obj: models.Model) -> str:
        """Serialised as base58."""
        return str(self.value_from_object(obj))


class UnitsField(_DecimalField):
    """A whole amount up to u64, or a sum of such: numeric in the database, int in Python."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_digits": 30, "decimal_places": 0, **kwargs})

    def from_db_value(self, value: Any, *_: Any) -> int | None:
        """numeric → int."""
        return None if value is None else int(value)


def utc_minute(column: str) -> models.Func:
    """The start of a moment's minute in UTC, whatever the time zone of the connection is."""
    arguments = (models.Value("minute"), models.F(column), models.Value("UTC"))
    return models.Func(*arguments, function="date_trunc", output_field=models.DateTimeField())
