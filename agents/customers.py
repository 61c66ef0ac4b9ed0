"""The agent of what is keyed by customer: each fetched batch is one event, and the engine does the rest."""

from typing import TYPE_CHECKING, Any, cast

from faust import Stream
from faust.types import AgentT, StreamT

from agents.engine.engine import BrokenError
from schemas.topics import INPUT_TOPICS

if TYPE_CHECKING:
    from agents.app import App


def add_agent(app: "App") -> AgentT[Any]:
    """Give all co-partitioned inputs one agent: what was fetched in an order stays in it."""

    async def judge(stream: StreamT[Any]) -> None:
        # The stream does not acknowledge: a batch is done when its transaction is committed, and only positions tell;
        # stock acks what crashed.
        async for event in cast("Stream[Any]", stream).noack().events():
            try:
                app.engine.take(event.message.partition, event.value)
            except BrokenError as error:
                app.fail(error)

    return app.agent(app.topic(*INPUT_TOPICS), name="customers")(judge)
