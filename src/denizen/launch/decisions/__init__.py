"""Decisions how one program is started: as values, as files, and made from a resolution in the store."""

# The generation of the rules by which decisions are made. Increase it when programs with an old decision
# would start better by a new one: their next start decides again.
GENERATION = 14
# Bytes of a decision's file.
MAX_SIZE = 256 * 1024
