"""The agent of what is keyed by customer: each fetched batch is one event, and the engine does the rest."""

from typing import TYPE_CHECKING, Any, cast

from faust import Stream
from faust.types import AgentT, StreamT

from agents.engine.engine import BrokenError
from agents.engine.transport import Batch
from schemas.topics import CUSTOMER_TOPICS

if TYPE_CHECKING:
    from agents.app import App


def add_agent(app: "App") -> AgentT[Any]:
    """Give all co-partitioned inputs one agent: what was fetched in an order stays in it."""

    async def judge(stream: StreamT[Any]) -> None:
        # The stream does not acknowledge: a batch is done when its transaction is committed; stock acks what crashed.
        async for event in cast("Stream[Any]", stream).noack().events():
            batch = Batch(event, app.consumer)
            try:
                app.engine.take(batch.partition, batch)
            except BrokenError as error:
                app.fail(error)

    return app.agent(app.topic(*CUSTOMER_TOPICS), name="customers")(judge)
