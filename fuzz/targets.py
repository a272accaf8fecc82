"""Every parser of foreign bytes, with its seeds. A new parser adds a line."""

from fuzz import elf, linker
from fuzz.driver import Target

TARGETS: dict[str, Target] = {
    "elf": Target(elf.read_everything, elf.seeds, elf.large, elf.TOKENS),
    "script": Target(elf.read_script, elf.scripts, tokens=elf.SCRIPT_TOKENS),
    "ld.so.cache": Target(linker.look_everything_up, linker.caches, linker.large_caches, linker.CACHE_TOKENS),
    "ld.so.conf": Target(linker.read_conf, linker.confs, linker.large_confs, linker.CONF_TOKENS),
}
