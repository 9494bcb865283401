"""What is answered to which request. Pure of HTTP: one request in, one response out."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from pipeline.config.enclosure import below
from pipeline.data.images import read_image
from pipeline.data.pictures import read_picture
from pipeline.errors import PipelineError
from pipeline.report.markup import printable
from pipeline.serve.answer import answer
from pipeline.serve.draw_page import draw_page
from pipeline.serve.errors import Refusal
from pipeline.serve.graph_page import graph_page
from pipeline.serve.mistakes_page import mistakes_page, waiting_page
from pipeline.serve.shell import problem_page
from pipeline.serve.subject import Subject
from pipeline.serve.upload_page import upload_page
from pipeline.serve.variables_page import variable_page, variables_page

log = logging.getLogger(__name__)

# The report is a file of the run's, which may be anybody's. Its scripts draw in an origin of their
# own, with no way to ours, to the network, to forms, to other windows or to what embeds it.
_FOREIGN = ("sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; "
            "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'")
_PATIENCE = 0.3    # seconds: a small split needs no other page


@dataclass(frozen=True)
class Request:
    """What was asked: a path, the values of its query, and for POST a body with its type."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_type: str = ""


@dataclass(frozen=True)
class Response:
    """What is answered: `body` or, streamed, what is in `file`."""

    status: HTTPStatus
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    file: Path | None = None


def respond(subject: Subject, request: Request) -> Response:
    """The answer to a request. Never raises: what goes wrong is a status and a text in JSON."""
    try:
        return _respond(subject, request)
    except Refusal as refused:
        return problem(refused.status, str(refused))
    except PipelineError as error:      # such as a data set that is not there any more
        if request.method == "GET":
            return _html(problem_page(subject, request.path, str(error)),
                         HTTPStatus.SERVICE_UNAVAILABLE)
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
    except Exception:
        log.exception("%s %s", request.method, request.path)
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR,
                       "a mistake of ours; the terminal where task=serve runs shows it")


def problem(status: HTTPStatus, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """What went wrong, as `{"error": …}`."""
    return _json(status, {"error": printable(text)}, headers)


def _respond(subject: Subject, request: Request) -> Response:
    methods = ROUTES.get(request.path)
    if methods is None:
        return problem(HTTPStatus.NOT_FOUND, f"{request.path}: no such page; there are "
                                             f"{', '.join(ROUTES)}")
    route = methods.get(request.method)
    if route is None:
        allowed = ", ".join(methods)
        return problem(HTTPStatus.METHOD_NOT_ALLOWED,
                       f"{request.path} takes {allowed}, not {request.method}", {"Allow": allowed})
    return route(subject, request)


def _draw(subject: Subject, request: Request) -> Response:
    example = _number(request, "example", 0)
    if example is not None and example >= (count := subject.data_sets.test.num_examples):
        raise Refusal(HTTPStatus.NOT_FOUND, f"example={example}: the test split has {count}")
    first_page = draw_page if subject.description.drawn else upload_page
    if example is None:
        return _html(subject.kept_pages("/", lambda: first_page(subject, None)))
    return _html(first_page(subject, example))


def _mistakes(subject: Subject, request: Request) -> Response:
    asked = _number(request, "true", 0), _number(request, "predicted", 0), _page(request)
    if not subject.evaluating.is_finished(within=_PATIENCE):
        return _html(waiting_page(subject), headers={"Refresh": "1"})
    return _html(mistakes_page(subject, *asked))


def _variables(subject: Subject, request: Request) -> Response:
    name = request.query.get("name")
    if name is None:
        return _html(subject.kept_pages("/variables", lambda: variables_page(subject)))
    return _html(variable_page(subject, name, _page(request)))


def _graph(subject: Subject, request: Request) -> Response:
    return _html(graph_page(subject, request.query.get("scope", "").strip("/")))


def _report(subject: Subject, request: Request) -> Response:
    path = below(subject.directory, "report.html")
    if not path.is_file():
        raise Refusal(HTTPStatus.NOT_FOUND, f"{path}: this run wrote no report")
    return Response(HTTPStatus.OK, "text/html; charset=utf-8", b"",
                    {"Content-Security-Policy": _FOREIGN}, path)


def _predict(subject: Subject, request: Request) -> Response:
    """A picture in the body: the probabilities. Its type keeps other sites' forms away."""
    kind = request.content_type.partition(";")[0].strip().lower()
    if not kind.startswith("image/") and kind != "application/octet-stream":
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                      f"Content-Type: {kind or 'missing'}; expected a picture, such as image/png")
    described = subject.description
    pixels = read_picture(request.body) if described.drawn else read_image(
        request.body, "the picture", described.shape, "stretch")
    return _json(HTTPStatus.OK, answer(subject, pixels))


def _no_icon(subject: Subject, request: Request) -> Response:
    return Response(HTTPStatus.NO_CONTENT, "image/png", b"")


Route = Callable[[Subject, Request], Response]
ROUTES: dict[str, dict[str, Route]] = {
    "/": {"GET": _draw},
    "/mistakes": {"GET": _mistakes},
    "/variables": {"GET": _variables},
    "/graph": {"GET": _graph},
    "/report": {"GET": _report},
    "/predict": {"POST": _predict},
    "/favicon.ico": {"GET": _no_icon},      # browsers ask for it unasked
}


def _page(request: Request) -> int:
    return _number(request, "page", 1) or 1


def _number(request: Request, key: str, least: int) -> int | None:
    text = request.query.get(key)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) >= least):
        raise Refusal(HTTPStatus.BAD_REQUEST,
                      f"{key}={text}: expected a whole number from {least}")
    return int(text)


def _html(
    page: str, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(status, "text/html; charset=utf-8", page.encode(), headers or {})


def _json(
    status: HTTPStatus, content: object, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(status, "application/json",
                    json.dumps(content, allow_nan=False).encode(), headers or {})
