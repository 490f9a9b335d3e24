"""The relay: words of workers on their way to readers."""
