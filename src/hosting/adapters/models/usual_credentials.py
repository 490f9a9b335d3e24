"""Under which name a tenant has its key for a provider, when a definition does not say."""

from typing import Final

_OTHERWISE: Final = {
    "azure": "AZURE_OPENAI_API_KEY",
    "azure-responses": "AZURE_OPENAI_API_KEY",
    "bedrock": "AWS_BEARER_TOKEN_BEDROCK",
    "bedrock-mantle": "AWS_BEARER_TOKEN_BEDROCK",
    "cohere": "CO_API_KEY",
    "github-copilot": "GITHUB_COPILOT_API_KEY",
    "google-cloud": "GOOGLE_API_KEY",
    "google-decisions": "GOOGLE_API_KEY",
    "heroku": "HEROKU_INFERENCE_KEY",
    "huggingface": "HF_TOKEN",
    "openai-chat": "OPENAI_API_KEY",
    "openai-decisions": "OPENAI_API_KEY",
    "openai-responses": "OPENAI_API_KEY",
    "snowflake": "SNOWFLAKE_TOKEN",
    "vercel": "VERCEL_AI_GATEWAY_API_KEY",
}
"""As the libraries of the providers call the variable: of all others it is the provider's name with _API_KEY."""


def usual_credential(provider: str) -> str | None:
    """Return the name; None for a provider whose keys are not its own."""
    if "/" in provider:
        return None
    return _OTHERWISE.get(provider, provider.upper().replace("-", "_") + "_API_KEY")
