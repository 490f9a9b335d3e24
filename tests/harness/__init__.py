"""What tests use to try the server from outside; nothing here shares code with it."""
