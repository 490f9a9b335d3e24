"""Too much of everything: what is refused, how early, and who does not notice."""
