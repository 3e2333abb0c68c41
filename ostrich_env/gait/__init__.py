"""The reference gait: footfalls, body motion, and the clips that are synthesised from them."""
