"""Every parser of foreign bytes, with its seeds. A new parser adds a line."""

from fuzz import elf
from fuzz.driver import Target

TARGETS: dict[str, Target] = {
    "elf": Target(elf.read_everything, elf.seeds, elf.large, elf.TOKENS),
    "script": Target(elf.read_script, elf.scripts, tokens=elf.SCRIPT_TOKENS),
}
