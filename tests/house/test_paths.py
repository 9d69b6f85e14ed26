"""Every HTTP and websocket path leads to something that says what it is."""

import importlib
from collections.abc import Callable, Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from tests.house.source import PRODUCT, product, refuse


def http_paths(resolver: URLResolver) -> Iterator[URLPattern]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from http_paths(entry)
        else:
            yield entry


def socket_paths() -> Iterator[URLPattern]:
    for module in product():
        if module.stem == "routing":
            yield from importlib.import_module(module.name).websocket_urlpatterns


def behind(callback: Callable[..., Any]) -> Any:
    """The class behind as_view() or as_asgi(), or the function itself."""
    classes = (getattr(callback, name, None) for name in ("view_class", "cls", "consumer_class"))
    return next(filter(None, classes), callback)


def says_what_it_is(view: Any) -> bool:
    """A docstring of its own: a class must not live off its base's."""
    return bool(vars(view).get("__doc__") if isinstance(view, type) else view.__doc__)


def is_ours(entry: URLPattern) -> bool:
    return behind(entry.callback).__module__.partition(".")[0] in PRODUCT


def test_every_path_leads_to_something_that_says_what_it_shows() -> None:
    paths = [*http_paths(get_resolver()), *socket_paths()]
    ours = [entry for entry in paths if is_ours(entry)]
    silent = [str(entry.pattern) for entry in ours if not says_what_it_is(behind(entry.callback))]
    refuse(silent, "give it a docstring: it becomes the API's documentation, too")


def test_every_http_path_has_a_name() -> None:
    ours = [entry for entry in http_paths(get_resolver()) if is_ours(entry)]
    nameless = [str(entry.pattern) for entry in ours if not entry.name]
    refuse(nameless, "templates and tests reverse names, nobody writes paths")
