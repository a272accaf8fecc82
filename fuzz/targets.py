"""Every parser of foreign bytes, with its seeds. A new parser adds a line."""

from fuzz import elf, formats, launch, linker
from fuzz.driver import Target

TARGETS: dict[str, Target] = {
    "elf": Target(elf.read_everything, elf.seeds, elf.large, elf.TOKENS),
    "script": Target(elf.read_script, elf.scripts, tokens=elf.SCRIPT_TOKENS),
    "ld.so.cache": Target(linker.look_everything_up, linker.caches, linker.large_caches, linker.CACHE_TOKENS),
    "ld.so.conf": Target(linker.read_conf, linker.confs, linker.large_confs, linker.CONF_TOKENS),
    "nar": Target(formats.read_nar, formats.nars, formats.large_nars, formats.NAR_TOKENS),
    "tar": Target(formats.read_tar, formats.tars, formats.large_tars, formats.TAR_TOKENS),
    "deb": Target(formats.read_deb, formats.packages, tokens=formats.DEB_TOKENS),
    "aterm": Target(
        formats.read_derivation, formats.derivations, formats.large_derivations, formats.ATERM_TOKENS
    ),
    "narinfo": Target(formats.read_narinfo, formats.narinfos, formats.large_narinfos, formats.NARINFO_TOKENS),
    "decision": Target(
        launch.read_decision, launch.decisions, launch.large_decisions, launch.DECISION_TOKENS
    ),
}
