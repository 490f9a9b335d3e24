"""The vocabulary of Branchline: events, inputs, ids, and the mechanics of a stream of them."""
