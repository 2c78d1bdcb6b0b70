"""Reading the YAML file: sections and keys, types and defaults; what the values mean is `config`'s.

Raises ConfigError, which names the file and the key, says what was expected, and how to mend it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any, cast

import yaml

from hbir.errors import HbirError, did_you_mean
from hbir.files import read_text_file
from hbir.ptq.keys import OPEN_SECTIONS, OPTIONAL_SECTIONS, REQUIRED, SECTIONS, Key, keys_of

Values = dict[str, Any]
Sections = dict[str, Values]

MAX_BYTES = 1 << 20
"""A YAML file above this is no configuration."""

MAX_VALUES = 100_000
"""Values that a document may hold with its aliases written out: more is no configuration, and a few
lines of aliases to aliases make more than any memory takes."""

MAX_DEPTH = 32

INTEGER_BITS = 64

_LOG = logging.getLogger("hbir.ptq")


class ConfigError(HbirError):
    """A mistake in the YAML file or its options."""


def read_sections(path: str | os.PathLike[str]) -> Sections:
    """The sections of a YAML file with every key's value or default."""
    text = read_text_file(path)
    if len(text) > MAX_BYTES:
        raise ConfigError(
            f"{path}: {len(text)} characters; a configuration has at most {MAX_BYTES}"
        )
    try:
        document: object = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {_one_line(error)}") from None
    except (RecursionError, ValueError) as error:  # values have parsers of their own
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ConfigError(f"{path}: not a configuration: {why}") from None
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: expected the sections {', '.join(SECTIONS)}")
    try:
        _check_size(cast(object, document))
        return complete_sections(cast(Mapping[object, object], document))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _check_size(document: object) -> None:
    """Raises ConfigError for what aliases make endless, or too large or deep to be worked with, and
    for whole numbers beyond 64 bits."""
    waiting, count = [(document, 0, "")], 0
    while waiting:
        value, depth, where = waiting.pop()
        count += 1
        if isinstance(value, int) and value.bit_length() >= INTEGER_BITS:
            raise ConfigError(f"{where}: a whole number of {value.bit_length()} bits; 63 are read")
        if count > MAX_VALUES or depth > MAX_DEPTH:
            raise ConfigError(
                f"not a configuration: more than {MAX_VALUES} values or {MAX_DEPTH} levels, with"
                " aliases (*name) written out"
            )
        if isinstance(value, Mapping):
            items = cast(Mapping[object, object], value).items()
            waiting.extend((item, depth + 1, str(key)) for key, item in items)
        if isinstance(value, list | set):
            waiting.extend((item, depth + 1, where) for item in cast(list[object], value))


def complete_sections(document: Mapping[object, object]) -> Sections:
    """`document` (section → key → value) checked, with defaults filled in."""
    unknown = [str(name) for name in document if name not in SECTIONS]
    if unknown:
        raise ConfigError(_unknown("section", unknown[0], SECTIONS))
    result: Sections = {}
    for section in SECTIONS:
        given = document.get(section)
        if given is None:
            given = {}
        if not isinstance(given, dict):
            raise ConfigError(f"section {section}: expected keys, got {type(given).__name__}")
        if not given and section in OPTIONAL_SECTIONS:
            continue
        result[section] = _complete(section, cast(dict[object, Any], given))
    return result


def _complete(section: str, given: Mapping[object, Any]) -> Values:
    keys = keys_of(section)
    values: Values = {}
    for name, value in given.items():
        key = keys.get(str(name))
        if key is None and section in OPEN_SECTIONS:
            hint = did_you_mean(str(name), keys)
            _LOG.warning("%s.%s is unknown; ignored%s", section, name, hint)
        elif key is None:
            raise ConfigError(_unknown(f"key in {section}", str(name), tuple(keys)))
        elif key.deprecated:
            values[key.name] = _deprecated(key, value)
        else:
            values[key.name] = _typed(key, value)
            if values[key.name] is None and key.when_empty is not None:
                values[key.name] = key.when_empty
    for name, key in keys.items():
        if values.get(name) is None:
            if key.default is REQUIRED:
                raise ConfigError(f"Missing key '{name}' in {section}: {key.meaning}")
            values[name] = key.default
    return values


def _deprecated(key: Key, value: Any) -> str | None:
    """What an older file says, as text, for what is compared with it; nothing else reads it."""
    text = None if value is None else str(value).strip()
    if not text or text == "None":
        return None
    _LOG.warning("%s.%s is deprecated and ignored: %s", key.section, key.name, key.deprecated)
    return text


def _typed(key: Key, value: Any) -> Any:
    """`value` as the key's kind; None for what says nothing (`''`, `None`)."""
    if key.never_empty and isinstance(value, str) and not value.strip():
        raise ConfigError(f"The {key.name} cannot be empty")
    if value is None or (isinstance(value, str) and value.strip() in ("", "None")):
        return None
    wanted = (key.kind, key.also) if key.also else (key.kind,)
    if bool not in wanted and isinstance(value, bool):
        raise _wrong_type(key, value)
    if isinstance(value, tuple(kind for kind in wanted if kind)):
        return value.strip() if isinstance(value, str) else value
    if key.kind is float and isinstance(value, int):
        return float(value)
    if key.kind in (int, float) and isinstance(value, str):
        try:
            return key.kind(value)
        except ValueError:
            raise _wrong_type(key, value) from None
    if key.kind is str and isinstance(value, int | float):
        return repr(value)
    if key.kind is str and isinstance(value, list):
        return _joined(key, cast(list[object], value))
    raise _wrong_type(key, value)


def _joined(key: Key, items: list[object]) -> str | None:
    """A YAML list as the text that it stands for: names joined by `;`, numbers by spaces."""
    if any(isinstance(item, dict | list) for item in items):
        raise _wrong_type(key, items)
    text = any(isinstance(item, str) for item in items)
    return (";" if text else " ").join(str(item) for item in items) or None


def _wrong_type(key: Key, value: Any) -> ConfigError:
    kind = key.kind.__name__
    return ConfigError(
        f"Wrong parameter '{key.name}' specified, {kind} value is required but get type"
        f" {type(value).__name__} ({value!r})"
    )


def _unknown(what: str, name: str, known: tuple[str, ...]) -> str:
    hint = did_you_mean(name, known)
    return f"unknown {what}: '{name}'{hint or ';'} it takes {', '.join(known)}"


def _one_line(error: yaml.YAMLError) -> str:
    return " ".join(str(error).split())


class _Loader(yaml.SafeLoader):
    """The safe loader, but a key given twice is a mistake."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            name = str(key_node.value)
            if name in seen:
                raise yaml.MarkedYAMLError(
                    None, None, f"'{name}' is given twice", key_node.start_mark
                )
            seen.add(name)
        return super().construct_mapping(node, deep)


def chosen(key: str, value: str | None, choices: tuple[str, ...]) -> str:
    """`value`, which must be one of `choices`. Raises ConfigError."""
    if value not in choices:
        raise ConfigError(
            f"The specified {key} '{value}' is invalid, it can only be specified as values in"
            f" {list(choices)}"
        )
    return value
