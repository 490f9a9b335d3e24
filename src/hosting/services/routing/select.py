"""Choosing the provider that is to work on an item of the fleet."""

from collections.abc import Sequence
from dataclasses import dataclass

from hosting.domain.errors import AgentMissing
from hosting.domain.routing import ChosenBy, Decision
from hosting.domain.run_config import check_stored_config
from hosting.ports.routing import Dispatch
from hosting.services.routing.core import Router


@dataclass(frozen=True, slots=True)
class Selection:
    """Who has chosen, and what; without a decision it is left to whoever asked."""

    source: ChosenBy
    decision: Decision | None = None


async def select_provider(router: Router, dispatch: Dispatch, work_type: str, candidates: Sequence[str]) -> Selection:
    """Choose one of the candidates, unless nobody is to be told, or the dispatch says already who it is.

    Raises:
        StorageUnavailable: what is known of them cannot be read now.
    """
    if not router.sampler.enabled:
        return Selection(ChosenBy.DISABLED)
    if names_provider(router, dispatch):
        return Selection(ChosenBy.EXPLICIT)
    if not candidates:
        return Selection(ChosenBy.FALLBACK)
    decision = await router.sampler.choose(dispatch.item.scope.tenant, work_type, candidates)
    return Selection(ChosenBy.SAMPLED, decision)


def names_provider(router: Router, dispatch: Dispatch) -> bool:
    """Say whether an item's run, or the definition of its agent, names the provider."""
    model = check_stored_config(dispatch.config).model
    if model is not None and model.provider_key is not None:
        return True
    if dispatch.defined is not None:
        terms = dispatch.defined.terms
        return terms is not None and terms.provider is not None
    try:
        terms = router.agents.terms(dispatch.item.agent_id)
    except AgentMissing:
        # It lay in a file that is not there any more.
        return False
    return terms is not None and terms.provider is not None
