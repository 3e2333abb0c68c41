"""Clips: reading, checking, editing, converting, and sampling windows from them."""
