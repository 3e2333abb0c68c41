"""Pictures, videos and pages of clips and policies."""
