"""Agents that think with a model, run by pydantic-ai: their model calls and tool calls are steps of the run."""
