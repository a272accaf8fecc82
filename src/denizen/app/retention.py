"""Times for which what nobody uses is kept before a collection of garbage deletes it, in seconds."""

# What was made for use and can be made again: environments of builds, directories of shells, unpacked
# bundles, commands that were tried, the logs of builds of which nothing is in the store.
UNUSED_FOR = 30 * 86400
# Decisions and shells whose program or project is missing: perhaps on a disk that is not mounted now.
MISSING_FOR = 7 * 86400
