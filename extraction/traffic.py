"""Which model answers a run's pages: the one in service, or a newcomer while it is trusted.

A run is given its routes once. Before every page it is asked whether a newcomer is still trusted; what a thread of this
process learns from the database every two seconds says so, and a newcomer of which nothing was heard for five seconds
is not asked. So going back to the baseline is in force for the next page, also in the middle of a run.

A newcomer costs nobody a page: what it cannot answer, the model in service is asked at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.utils import timezone

from extraction.configuration import deployed_finder, model_finder
from extraction.errors import ExtractionError, ServiceUnavailable
from extraction.finders.proposal import Proposal
from extraction.llm import endpoints, rollout, sagemaker
from extraction.models import Deployment, DeploymentState, Question
from extraction.page import Page
from extraction.pipeline import AsksModel
from extraction.ticking import ticking

if TYPE_CHECKING:
    from extraction.finders.model import ModelAnswer, ModelFinder
    from extraction.llm.client import ModelServer

logger = logging.getLogger(__name__)

SERVER = "main"
"""The name of the server that the settings name, where servers are watched."""
LOOK_SECONDS = 2.0
_LONGEST_NAME = 100
STALE_SECONDS = 5.0
"""A roll-back is in force within this time, even where the database does not answer any more."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A server that pages go to. `name` is that of its samples: its address, or `SERVER`.

    `is_tried` is a newcomer's, whose trouble costs nobody anything. What was in service before is not watched: it may
    be switched off.
    """

    name: str
    server: ModelServer
    is_tried: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: to whom (None: the settings' server), how long it took, and a closed code if it failed."""

    deployment_id: UUID | None
    seconds: float
    error: str = ""
    hallucinated: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """One model that may be asked. Where a tried one fails, the next route is asked."""

    finder: AsksModel
    deployment_id: UUID | None
    model_name: str
    prompt_version: str
    replicas: int = 1
    is_tried: bool = False


class Trust:
    """Which deployments may be asked, as the database said last."""

    def __init__(self, ids: Iterable[UUID], clock: Callable[[], float] = time.monotonic) -> None:
        self._asked_about = frozenset(ids)
        self._trusted = self._asked_about
        self._clock = clock
        self._heard_at = clock()

    def holds(self, route: Route) -> bool:
        """Whether the route may be asked. The settings' server always may; a newcomer only on fresh news."""
        if route.deployment_id is None:
            return True
        is_fresh = self._clock() - self._heard_at < STALE_SECONDS
        return route.deployment_id in self._trusted and (is_fresh or not route.is_tried)

    def look(self) -> bool:
        """Asks the database. False, and nothing changes, when it does not answer."""
        in_use = [DeploymentState.OPEN, DeploymentState.ADOPTED]
        try:
            trusted = Deployment.objects.filter(pk__in=self._asked_about, state__in=in_use)
            self._trusted = frozenset(trusted.values_list("pk", flat=True))
        except AnyDatabaseError:
            return False
        self._heard_at = self._clock()
        return True


class Switch:
    """A model finder that asks the first trusted route, and keeps count of what it asked. Threads may share one."""

    def __init__(self, routes: list[Route], holds: Callable[[Route], bool]) -> None:
        self.routes = routes
        self._holds = holds
        self._asked: dict[int, list[Asked]] = defaultdict(list)
        self._lock = threading.Lock()

    @property
    def first(self) -> Route:
        return self.routes[0]

    @property
    def model_names(self) -> list[str]:
        """Of everybody who may be asked, in order."""
        return [route.model_name for route in self.routes]

    @property
    def replicas(self) -> int:
        return max(route.replicas for route in self.routes)

    def find(self, page: Page) -> ModelAnswer:
        """As `ModelFinder.find`. Raises what the model in service raises; a newcomer's failure is only noted."""
        trusted = [route for route in self.routes[:-1] if self._holds(route)]
        for route in (*trusted, self.routes[-1]):
            answer, asked = ask(route, page)
            if asked is not None:
                self._note(page, asked)
            if not isinstance(answer, ExtractionError):
                return answer
            if not route.is_tried:
                raise answer
        raise ServiceUnavailable("model_unavailable")  # Not reached: the last route is never a tried one.

    def take(self, number: int) -> list[Asked]:
        """What was asked about one page, once."""
        with self._lock:
            return self._asked.pop(number, [])

    def take_rest(self) -> list[Asked]:
        """What was asked about pages that stay unanswered, once."""
        with self._lock:
            rest = [asked for each in self._asked.values() for asked in each]
            self._asked.clear()
        return rest

    def _note(self, page: Page, asked: Asked) -> None:
        with self._lock:
            self._asked[page.number].append(asked)


def ask(route: Route, page: Page) -> tuple[ModelAnswer | ExtractionError, Asked | None]:
    """The answer about a page or why there is none, and what to count of it.

    Nothing counts that was not asked: an empty page, or replicas that are all left alone for a moment.
    """
    from extraction.llm.replicas import AllResting

    began = time.perf_counter()
    try:
        answer = route.finder.find(page)
    except AllResting as error:
        return error, None
    except ExtractionError as error:
        reason = getattr(error, "reason", error.code)
        return error, Asked(route.deployment_id, time.perf_counter() - began, reason)
    seconds = time.perf_counter() - began
    was_asked = any(True for _word in page.words)
    return answer, Asked(route.deployment_id, seconds, hallucinated=answer.hallucinated) if was_asked else None


@contextmanager
def routed(document_id: UUID, from_settings: Callable[[], ModelFinder]) -> Iterator[ModelFinder | Switch]:
    """The model for a document's pages. Without any deployment it is the settings' finder itself.

    Raises ServiceUnavailable when no model is to be asked any more, or the one in service cannot be set up.
    """
    finder = from_settings()
    routes = _routes(document_id, finder)
    if len(routes) == 1 and routes[0].deployment_id is None and not is_measured():
        yield finder
        return
    deployed = [route.deployment_id for route in routes if route.deployment_id is not None]
    trust = Trust(deployed)
    if not deployed:
        yield Switch(routes, trust.holds)
        return
    with ticking(LOOK_SECONDS, trust.look, name="rollout"):
        yield Switch(routes, trust.holds)


def in_service() -> tuple[str, str]:
    """The address and the model that answer every document that no newcomer gets; of several replicas the first."""
    adopted = Deployment.objects.filter(state=DeploymentState.ADOPTED).first()
    if adopted is None:
        return settings.LLM_ENDPOINT, settings.LLM_MODEL
    return adopted.endpoints[0], adopted.model_name


def finder_in_service(prompt_version: str) -> ModelFinder:
    """The model that is in service with a prompt that somebody chose. Raises ServiceUnavailable where there is none."""
    adopted = Deployment.objects.filter(state=DeploymentState.ADOPTED).first()
    if adopted is not None:
        return deployed_finder(adopted.endpoints, adopted.model_name, prompt_version)
    finder = model_finder(prompt_version)
    if finder is None:
        raise ServiceUnavailable("model_unavailable")
    return finder


def watched() -> list[Watched]:
    """The servers in service, then a newcomer's; a server that has both once, for what is in service.

    Raises ValueError when the settings make no server, such as a key that no header can carry.
    """
    from extraction.llm import client

    server = client.from_settings()
    if server is None:
        return []
    by_state = _in_use()
    adopted, tried = by_state.get(DeploymentState.ADOPTED), by_state.get(DeploymentState.OPEN)
    found: dict[str, Watched] = {}
    for each in [server] if adopted is None else _servers_of(adopted, server):
        found.setdefault(each.endpoint, Watched(_name(each.endpoint), each))
    for each in [] if tried is None else _servers_of(tried, server):
        found.setdefault(each.endpoint, Watched(_name(each.endpoint), each, is_tried=True))
    return list(found.values())


def _in_use() -> dict[str, Deployment]:
    """The newcomer that is tried and what is in service, by their state."""
    standing = Deployment.objects.filter(state__in=[DeploymentState.OPEN, DeploymentState.ADOPTED])
    return {each.state: each for each in standing.select_related("predecessor")}


def _servers_of(deployment: Deployment, server: ModelServer) -> list[ModelServer]:
    return [replace(server, endpoint=each, model=deployment.model_name) for each in deployment.endpoints]


def _name(endpoint: str) -> str:
    if endpoint.rstrip("/") == settings.LLM_ENDPOINT.rstrip("/"):
        return SERVER
    return urlsplit(endpoint).netloc[:_LONGEST_NAME]


def asks_sagemaker() -> bool:
    """Whether pages may go to an endpoint of SageMaker's: the settings' one, or a newcomer's where its host is allowed.

    Asks no database, for the footer of every page says so, an error's too.
    """
    from extraction.llm import client

    try:
        server = client.from_settings()
        return server is not None and (server.is_managed or endpoints.host_of(server.runtime) in server.allowed_hosts)
    except ValueError:
        return sagemaker.is_named(settings.LLM_ENDPOINT)


def is_measured() -> bool:
    """Whether a newcomer is being tried, so that the baseline's questions count too."""
    return Deployment.objects.filter(state=DeploymentState.OPEN).exists()


def in_the_shadow() -> Deployment | None:
    """The newcomer that is asked without anybody seeing its answers, if there is one."""
    return Deployment.objects.filter(state=DeploymentState.OPEN, share=rollout.SHADOW.share).first()


def route_to(deployment: Deployment) -> Route:
    """Raises ServiceUnavailable when the deployment cannot be set up here."""
    return Route(
        finder=deployed_finder(deployment.endpoints, deployment.model_name, deployment.prompt_version),
        deployment_id=deployment.pk,
        model_name=deployment.model_name,
        prompt_version=deployment.prompt_version,
        replicas=len(deployment.endpoints),
        is_tried=deployment.state == DeploymentState.OPEN,
    )


def _routes(document_id: UUID, finder: ModelFinder) -> list[Route]:
    """The newcomer if it gets this document, what is in service, and what was in service before that: the settings'
    server or a deployment. The last one is the way out when those before it are not trusted any more."""
    by_state = _in_use()
    routes: list[Route] = []
    tried = by_state.get(DeploymentState.OPEN)
    if tried is not None and rollout.gets(document_id, tried.pk, tried.share):
        try:
            routes.append(route_to(tried))
        except ServiceUnavailable:
            logger.warning("the newcomer cannot be set up here; the model in service is asked")
    adopted = by_state.get(DeploymentState.ADOPTED)
    if adopted is not None:
        routes.append(route_to(adopted))
    before = adopted.predecessor if adopted is not None else None
    if before is not None and before.state == DeploymentState.RETIRED:
        routes.append(route_to(before))
    else:
        routes.append(_settings_route(finder))
    return routes


def _settings_route(finder: ModelFinder) -> Route:
    return Route(finder, None, settings.LLM_MODEL, finder.prompt.version)


def questions(asked: Iterable[Asked], proposals: Iterable[Proposal] = ()) -> list[Question]:
    """Rows for what was asked about a page. Only the one that was answered is compared with the pattern finder."""
    sure = [proposal for proposal in proposals if proposal.checks.valid and "pattern" in proposal.found_by]
    seen = sum("model" in proposal.found_by for proposal in sure)
    return [
        Question(
            deployment_id=each.deployment_id,
            at=timezone.now(),
            error=each.error,
            seconds=round(each.seconds, 3),
            sure=0 if each.error else len(sure),
            seen=0 if each.error else seen,
            hallucinated=each.hallucinated,
        )
        for each in asked
    ]


def answered_by(asked: Iterable[Asked]) -> UUID | None:
    """Whose answer a page has; None for the settings' server or nobody."""
    return next((each.deployment_id for each in asked if not each.error), None)
