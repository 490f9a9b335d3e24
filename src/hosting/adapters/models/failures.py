"""How a model can fail its run, in words that can be told: no key, address, path or body of an answer is in them.

ModelFailed                   (middleware.errors) has ModelUnavailable beside these
+-- ProviderFailed            the provider is ill; the call is made again
|   +-- ModelUnreachable      there is no connection, or it broke
|   +-- ModelTimedOut         there is no answer, or it does not go on
|   +-- ModelOverloaded       the provider has too much to do
|   +-- ModelServerFailed     the provider failed
|   +-- ModelGarbled          the answer makes no sense
+-- ModelRateLimited          the provider is asked too often; the call is made again
+-- ModelQuotaExceeded        what was paid for is used up
+-- ModelCallRefused          the provider does not take the call
|   +-- ModelKeyRefused       nor anything else with this key
|   +-- ModelNotFound         it has no such model
|   +-- ModelContextExceeded  the conversation is too long for the model
+-- ModelAnswerWithheld       the provider's filter keeps the answer
+-- ModelAnswerTooLong        the answer does not end where it must
+-- ModelTriesUsedUp          what it was told again and again to do right, it did not
+-- ModelLimitReached         the agent's own limit is reached
"""

from middleware.errors import MODEL_NOT_FOUND, ModelFailed


class ProviderFailed(ModelFailed):
    """The provider is ill, whatever it is asked."""

    is_retryable = True
    is_providers_fault = True


class ModelUnreachable(ProviderFailed):
    """There is no connection to the provider, or it broke."""

    category = "connection"


class ModelTimedOut(ProviderFailed):
    """There is no answer, or it does not go on."""

    category = "timeout"


class ModelOverloaded(ProviderFailed):
    """The provider has too much to do."""

    category = "overloaded"


class ModelServerFailed(ProviderFailed):
    """The provider failed."""

    category = "server_error"


class ModelGarbled(ProviderFailed):
    """The answer makes no sense."""

    category = "garbled"


class ModelRateLimited(ModelFailed):
    """The provider is asked too often."""

    category = "rate_limit"
    is_retryable = True


class ModelQuotaExceeded(ModelFailed):
    """What was paid for is used up."""

    category = "quota"


class ModelCallRefused(ModelFailed):
    """The provider does not take the call."""

    category = "rejected"


class ModelKeyRefused(ModelCallRefused):
    """The provider takes nothing with this key."""

    category = "authentication"


class ModelNotFound(ModelCallRefused):
    """The provider has no such model."""

    category = MODEL_NOT_FOUND


class ModelContextExceeded(ModelCallRefused):
    """The conversation is too long for the model."""

    category = "context_length"


class ModelAnswerWithheld(ModelFailed):
    """The provider's filter keeps the answer."""

    category = "content_filter"


class ModelAnswerTooLong(ModelFailed):
    """The answer does not end where it must."""

    category = "too_long"


class ModelTriesUsedUp(ModelFailed):
    """The model was told what is wrong with a call or an answer of its own, and did it no better."""

    category = "tries"
    is_retryable = True


class ModelLimitReached(ModelFailed):
    """The agent's own limit of what it may use is reached."""

    category = "limit"
