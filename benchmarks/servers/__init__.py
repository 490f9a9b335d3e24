"""The programs that are measured, each a process of its own: the real server, and what it is compared with."""
