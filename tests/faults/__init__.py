"""What the library promises when things go wrong, as programs that anyone can run; see docs/reliability.md."""
