"""What all endpoints of the API share: checked parameters, described answers, open doors."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, TypeVar

import msgspec
from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

PROBLEM_TYPE = "application/problem+json"

Fields = Mapping[str, serializers.Field[Any, Any, Any, Any]]
Method = TypeVar("Method", bound=Callable[..., Any])
Response = TypeVar("Response", bound=HttpResponseBase)
Shape = type[serializers.Serializer[Any]]


def shape(name: str, fields: Fields) -> Shape:
    """The described shape of an answer, or of a part of one. Nothing is serialized by it."""
    return type(f"{name}Serializer", (serializers.Serializer,), dict(fields))


def whole(**options: Any) -> serializers.RegexField:
    """A whole number that may pass what a float holds, as a string."""
    return serializers.RegexField(r"^-?\d+$", **options)


def sol(**options: Any) -> serializers.RegexField:
    """SOL with all nine decimals, as a string."""
    return serializers.RegexField(r"^-?\d+\.\d{9}$", **options)


def usd(**options: Any) -> serializers.RegexField:
    """US dollars with six decimals, as a string."""
    return serializers.RegexField(r"^-?\d+\.\d{6}$", **options)


def percent() -> serializers.RegexField:
    """A share in percent with two decimals, as a string; null of nothing."""
    return serializers.RegexField(r"^-?\d+\.\d{2}$", allow_null=True)


def choice(*values: str, **options: Any) -> serializers.ChoiceField:
    """One of a few words, which the refusal of any other names."""
    refusal = f"{{input}} is unknown; known here: {', '.join(values)}."
    return serializers.ChoiceField(values, error_messages={"invalid_choice": refusal}, **options)


def choices(*values: str) -> serializers.ListField:
    """Some of a few words."""
    return serializers.ListField(child=choice(*values))


def moment(**options: Any) -> serializers.DateTimeField:
    """UTC, to the second."""
    return serializers.DateTimeField(**options)


def money(*names: str, **options: Any) -> Fields:
    """Amounts in both units, each named in its key."""
    fields: dict[str, serializers.Field[Any, Any, Any, Any]] = {}
    for name in names:
        fields[f"{name}_lamports"] = whole(**options)
        fields[f"{name}_sol"] = sol(**options)
    return fields


def counts(*names: str) -> Fields:
    """Numbers of things."""
    return {name: serializers.IntegerField() for name in names}


def texts(*names: str) -> Fields:
    """Plain strings."""
    return {name: serializers.CharField() for name in names}


Problem = shape(
    "Problem",
    {
        "type": serializers.CharField(help_text="What kind of problem: a URI, as RFC 9457 has it."),
        "title": serializers.CharField(help_text="The kind in words; the same for all of a kind."),
        "status": serializers.IntegerField(help_text="The HTTP status again."),
        "detail": serializers.CharField(help_text="What was wrong with this request."),
        "instance": serializers.CharField(help_text="The path that was asked for."),
        "parameter": serializers.CharField(
            required=False, help_text="The parameter that was wrong, if one was."
        ),
    },
)
NoParameters = shape("NoParameters", {})


class OnlyJson(BaseContentNegotiation):
    """There is one format, so nobody is refused for asking in another word."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        """The JSON parser."""
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The JSON renderer."""
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class Endpoint(APIView):
    """One question. `asked` holds its parameters, of which none is unknown and none is wrong.

    The docstring of the class is what the API's documentation says.
    """

    http_method_names = ["get", "head", "options"]

    Input: ClassVar[Shape] = NoParameters
    content_negotiation_class = OnlyJson
    # How long anybody on the way may keep the answer; zero asks for a fresh one each time.
    max_age_seconds: ClassVar[int] = 0
    asked: dict[str, Any]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the parameters before the question is answered."""
        super().initial(request, *args, **kwargs)
        self.asked = self._checked(request)

    def _checked(self, request: Request) -> dict[str, Any]:
        given = self.Input(data=request.query_params.dict())
        for name, values in request.query_params.lists():
            if name not in given.fields:
                known = ", ".join(given.fields) or "none"
                raise ValidationError({name: [f"Unknown parameter; known here: {known}."]})
            if len(values) > 1:
                raise ValidationError({name: ["Given more than once."]})
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Any site may ask, and is told how long an answer keeps."""
        final = super().finalize_response(request, response, *args, **kwargs)
        open_to_all(final)
        keep = f"public, max-age={self.max_age_seconds}"
        kept = self.max_age_seconds > 0 and final.status_code == HTTPStatus.OK
        final["Cache-Control"] = keep if kept else "no-cache"
        return final


def open_to_all(response: Response) -> Response:
    """Scripts of any site may read the response: all of it is public."""
    response["Access-Control-Allow-Origin"] = "*"
    return response


def answer(content: Mapping[str, Any] | bytes) -> HttpResponse:
    """An answer, or one that is JSON already."""
    encoded = content if isinstance(content, bytes) else msgspec.json.encode(content)
    return HttpResponse(encoded, content_type="application/json")


def described(
    output: Any,
    *,
    name: str,
    asks: Shape = NoParameters,
    path: Sequence[OpenApiParameter] = (),
    missing: str = "",
) -> Callable[[Method], Method]:
    """A decorator that tells the schema what an endpoint takes, answers and refuses.

    `missing` says what a 404 means, where there can be one.
    """
    problems = {400: "A parameter is unknown or wrong.", 404: missing}
    responses: dict[Any, Any] = {200: output}
    for status, meaning in problems.items():
        if meaning:
            responses[status, PROBLEM_TYPE] = OpenApiResponse(Problem, meaning)
    parameters: list[OpenApiParameter | Shape] = [*path]
    if asks is not NoParameters:
        parameters.append(asks)
    tag, _, _ = name.partition("_")
    return extend_schema(operation_id=name, tags=[tag], parameters=parameters, responses=responses)
