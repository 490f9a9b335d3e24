"""Which provider is to do a piece of work: chosen by what the ones before have brought."""
