"""Errors as answers: RFC 9457 problems below /api/, pages everywhere else."""

import logging
import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec
from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import is_valid_path, resolve
from django.views import defaults
from rest_framework.exceptions import ValidationError
from rest_framework.views import exception_handler

from pnl.api import PROBLEM_TYPE, open_to_all

log = logging.getLogger(__name__)

API = "/api/"
AWAY = (OperationalError, InterfaceError)
RETRY_SECONDS = "5"
FOREIGN_HOST = "This site does not go by the host name in the request."
SERVER_ERROR = "Something broke on our side. The error has been recorded."
UNAVAILABLE = "The database does not answer right now. Please try again in a moment."

Page = Callable[..., HttpResponseBase]


def problem(
    request: HttpRequest, status: int, detail: str, parameter: str | None = None
) -> HttpResponse:
    """A problem as the body of a response. `parameter` names the one that was wrong."""
    content = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.path,
    }
    if parameter is not None:
        content["parameter"] = parameter
    response = HttpResponse(msgspec.json.encode(content), PROBLEM_TYPE, status)
    open_to_all(response)
    return response


def problem_response(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """What an endpoint's error becomes; None for an unforeseen one, which is logged as a 500."""
    request = context["request"]
    if isinstance(error, AWAY):
        log.error("The database is away", exc_info=error)
        return unavailable(request)
    # It also closes the transaction, and turns Django's own exceptions into the framework's.
    known = exception_handler(error, context)
    if known is None:
        return None
    if isinstance(error, ValidationError):
        return problem(request, known.status_code, *reason_of(known.data))
    detail = known.data.get("detail", "") if isinstance(known.data, dict) else ""
    return problem(request, known.status_code, str(detail))


def reason_of(detail: Any, parameter: str | None = None) -> tuple[str, str | None]:
    """The first of what may be many objections, and the parameter that it is about."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()))
        return reason_of(inner, name)
    if isinstance(detail, list):
        return reason_of(detail[0], parameter)
    return str(detail), parameter


def unavailable(request: HttpRequest) -> HttpResponse:
    """The database is away: nothing is wrong with the question, it may be asked again."""
    if request.path.startswith(API):
        response = problem(request, 503, UNAVAILABLE)
    else:
        response = render(request, "503.html", status=503)
    response["Retry-After"] = RETRY_SECONDS
    return response


def no_endpoint(request: HttpRequest, path: str) -> HttpResponseBase:
    """Whatever no endpoint answers to; a path that only lacks its slash is led there."""
    slashed = f"{request.path_info}/"
    if not path.endswith("/") and is_valid_path(slashed) and resolve(slashed).func != no_endpoint:
        query = request.META.get("QUERY_STRING", "")
        return open_to_all(redirect(f"{slashed}?{query}" if query else slashed, permanent=True))
    return problem(request, 404, f"There is no endpoint {request.path}; see /api/docs/.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """The page of a request that could not be read."""
    foreign = isinstance(exception, DisallowedHost)
    detail = FOREIGN_HOST if foreign else "The request could not be read."
    return _page(request, 400, detail, defaults.bad_request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """The page of an address that leads nowhere."""
    detail = f"There is nothing at {request.path}."
    return _page(request, 404, detail, defaults.page_not_found, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """The page of an error that nobody foresaw, and of a database that is away."""
    # Django calls this while it handles the error.
    if isinstance(sys.exc_info()[1], AWAY):
        return unavailable(request)
    return _page(request, 500, SERVER_ERROR, defaults.server_error)


def _page(
    request: HttpRequest, status: int, detail: str, page: Page, *arguments: Any
) -> HttpResponseBase:
    if request.path.startswith(API):
        return problem(request, status, detail)
    return page(request, *arguments)
