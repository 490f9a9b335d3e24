"""An agent that tells what the process it runs in holds, as a file that `branchline serve` takes."""

import asyncio
import gc
import json
import os
from collections import Counter

import psutil

from hosting import RunContext, agent


@agent("census")
async def census(context: RunContext) -> None:
    """Look for garbage, then say how many tasks, descriptors, bytes of memory and objects there are."""
    gc.collect()
    process = psutil.Process(os.getpid())
    tasks = Counter(task.get_coro().__qualname__ for task in asyncio.all_tasks())
    kinds = Counter(type(thing).__qualname__ for thing in gc.get_objects())
    told = {
        "tasks": sum(tasks.values()),
        "files": process.num_fds(),
        "memory": process.memory_info().rss,
        "which": dict(tasks),
        "objects": dict(kinds.most_common(60)),
    }
    await context.model_call(lambda reply: reply.text(json.dumps(told)))
