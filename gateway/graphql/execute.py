"""This file is the order of checks between a request and its answer.

Reference on reliability, 2.3: document (parsed with limits, pre-pass, standard rules; kept when it passed) → operation → variables
→ cost → rate → execution under a deadline → size → masked errors.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    create_source_event_stream,
    execute,
    get_operation_ast,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from gateway import errors, limits
from gateway.admission import Admission
from gateway.graphql import execution, introspection
from gateway.graphql.api import SCHEMA
from gateway.graphql.context import Context, Memo
from gateway.graphql.execution import Prepared
from gateway.graphql.request import Request
from gateway.limits import Limits
from schema.errors import BadInput, LimitExceeded, PangateError, RateLimited

# Valid documents kept, and the characters they have in all: parsed, one takes up to two hundred times its text.
_DOCUMENTS, _CHARACTERS = 500, 262_144


@dataclass(frozen=True)
class Answer:
    """A response on its way out. `status` is that of application/graphql-response+json; `executed` tells a result from a
    request that was refused before."""

    body: bytes
    status: int = 200
    executed: bool = True
    retry_after_s: float | None = None


@dataclass(frozen=True)
class Plan:
    """A request that passed every check up to its cost."""

    request: Request
    prepared: Prepared
    operation: OperationDefinitionNode
    variables: dict[str, Any]
    points: int

    @property
    def document(self) -> DocumentNode:
        """The document it is of."""
        return self.prepared.document

    @property
    def kind(self) -> OperationType:
        """Query, mutation or subscription."""
        return self.operation.operation


class Rejected(Exception):
    """Errors of graphql-core before execution."""

    def __init__(self, found: list[GraphQLError]) -> None:
        super().__init__(found)
        self.found = found


class Desk:
    """Where requests become answers; one a process, for it keeps documents and counts clients."""

    def __init__(
        self, limits: Limits | None = None, *, rated: bool = True, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits = limits or Limits()
        self._admission = Admission(self.limits, clock, rated=rated)
        self._documents: OrderedDict[str, Prepared] = OrderedDict()
        self._characters = 0

    def plan(self, request: Request, context: Context) -> Plan | Answer:
        """The checked request, or the answer that refuses it."""
        try:
            prepared = self._prepared(request.query)
            operation = _operation(prepared.document, request.operation)
            variables = self._variables(operation, request.variables)
            points = limits.cost(SCHEMA, prepared.document, operation, variables)
            limits.at_most(points, self.limits.cost, "points of cost")
        except Rejected as rejected:
            shown = [errors.rejected(each, context.correlation_id) for each in rejected.found[: self.limits.errors]]
            return Answer(orjson.dumps({"errors": shown}), 400, executed=False)
        except PangateError as error:
            return refusal(error, context.correlation_id)
        return Plan(request, prepared, operation, variables, points)

    async def run(self, plan: Plan, context: Context) -> Answer:
        """The answer to a query or mutation."""
        try:
            self._charge(plan, context)
            if limits.is_introspection(plan.document):
                request = plan.request
                data = introspection.answer(request.query, plan.document, request.operation, request.variables)
                return self._sized(data, context)
            async with self._admission.place(context.client):
                return self._sized(await self._execute(plan, context), context)
        except PangateError as error:
            return refusal(error, context.correlation_id)

    async def subscribe(self, plan: Plan, context: Context) -> Stream | Answer:
        """The stream of payloads of a subscription, or the answer that refuses it."""
        try:
            self._charge(plan, context)
            self._admission.open_subscription(context.client)
        except PangateError as error:
            return refusal(error, context.correlation_id)
        opened: AsyncIterable[Any] | ExecutionResult | None = None
        try:
            opened = await create_source_event_stream(
                SCHEMA,
                plan.document,
                context_value=context,
                variable_values=plan.request.variables,
                operation_name=plan.request.operation,
            )
        finally:
            if opened is None or isinstance(opened, ExecutionResult):
                self._closed(context)
        if isinstance(opened, ExecutionResult):
            return self._sized(_formatted(opened, context), context)
        return Stream(aiter(opened), lambda event: self._payload(plan, context, event), lambda: self._closed(context))

    def _closed(self, context: Context) -> None:
        self._admission.close_subscription(context.client)

    async def _payload(self, plan: Plan, context: Context, event: Any) -> bytes:
        fresh = replace(context, memo=Memo())
        return self._sized(await self._execute(plan, fresh, event), fresh).body

    def _prepared(self, query: str) -> Prepared:
        """The parsed and valid document of a text. Raises Rejected and LimitExceeded."""
        known = self._documents.pop(query, None)
        if known is None:
            known = Prepared(SCHEMA, query, self._checked(query))
            self._characters += len(query)
        self._documents[query] = known
        while len(self._documents) > _DOCUMENTS or self._characters > _CHARACTERS:
            old, _ = self._documents.popitem(last=False)
            self._characters -= len(old)
        return known

    def _checked(self, query: str) -> DocumentNode:
        numbers = self.limits
        try:
            document = parse(
                query,
                max_lexical_tokens=numbers.tokens,
                max_comments=numbers.comments,
                max_source_length=numbers.document,
            )
        except GraphQLError as error:
            raise Rejected([error]) from None
        limits.check(document, numbers)
        found = validate(SCHEMA, document, max_errors=numbers.errors, hide_suggestions=True)
        if found:
            raise Rejected(found)
        return document

    def _variables(self, operation: OperationDefinitionNode, given: Mapping[str, Any]) -> dict[str, Any]:
        coerced = get_variable_values(
            SCHEMA, operation.variable_definitions, dict(given), self.limits.errors, hide_suggestions=True
        )
        if isinstance(coerced, list):
            raise Rejected(coerced)
        return coerced

    def _charge(self, plan: Plan, context: Context) -> None:
        self._admission.charge(
            context.client,
            plan.points,
            signed_in=context.viewer.signed_in,
            mutation=plan.kind is OperationType.MUTATION,
        )

    async def _execute(self, plan: Plan, context: Context, root: Any = None) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self.limits.execution_s):
                context = replace(context, limits=self.limits)
                if plan.kind is OperationType.QUERY:
                    result = await execution.answer(plan.prepared, plan.operation, plan.variables, context)
                else:
                    result = await _standard(plan, context, root)
        except TimeoutError:
            slow = LimitExceeded(f"It took longer than {self.limits.execution_s:g} s. Ask for less at once.")
            return {"data": None, "errors": [errors.entry(slow, context.correlation_id)]}
        return _formatted(result, context)

    def _sized(self, result: dict[str, Any], context: Context) -> Answer:
        body = orjson.dumps(result)
        if len(body) > self.limits.response:
            large = LimitExceeded(f"The answer has more than {self.limits.response} bytes. Ask for less at once.")
            body = orjson.dumps({"data": None, "errors": [errors.entry(large, context.correlation_id)]})
        return Answer(body)


class Stream:
    """The payloads of a subscription, in order. Whoever takes it closes it."""

    def __init__(
        self, events: AsyncIterator[Any], payload: Callable[[Any], Awaitable[bytes]], closed: Callable[[], None]
    ) -> None:
        self._events = events
        self._payload = payload
        self._closed: Callable[[], None] | None = closed

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> bytes:
        """The next payload. Raises StopAsyncIteration at the end, and whatever the source raises."""
        return await self._payload(await anext(self._events))

    async def aclose(self) -> None:
        """Let go of the source and of the place among the client's subscriptions; a second time does nothing."""
        closed, self._closed = self._closed, None
        if closed is not None:
            try:
                close = getattr(self._events, "aclose", None)
                if close is not None:
                    await close()
            finally:
                closed()


def refusal(error: BaseException, correlation: str) -> Answer:
    """The answer to a request that was refused as a whole."""
    status = errors.http_status(error) if isinstance(error, PangateError) else 500
    body = orjson.dumps({"errors": [errors.entry(error, correlation)]})
    return Answer(body, status, False, error.retry_after_s if isinstance(error, RateLimited) else None)


async def _standard(plan: Plan, context: Context, root: Any) -> ExecutionResult:
    """The answer of graphql-core's own executor."""
    request = plan.request
    result = execute(SCHEMA, plan.document, root, context, request.variables, request.operation, hide_suggestions=True)
    return result if isinstance(result, ExecutionResult) else await result


def _formatted(result: ExecutionResult, context: Context) -> dict[str, Any]:
    formatted: dict[str, Any] = {"data": result.data}
    if result.errors:
        formatted["errors"] = [errors.located(each, context.correlation_id) for each in result.errors]
    return formatted


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operation = get_operation_ast(document, name)
    if operation is None:
        raise BadInput(
            "The document has no operation of that name." if name else "The document has several operations.",
            field="operationName",
            remedy="Name one of them in `operationName`.",
        )
    return operation
