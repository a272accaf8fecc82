"""Constants of the ELF format that more than one module needs (pure).

Sources: System V gABI 4.3 chapters "Object Files" and "Dynamic Linking"; glibc elf/elf.h for the GNU
extensions. Only numbers that some rule here uses are named.
"""

from __future__ import annotations

MAGIC = b"\x7fELF"

# e_type
ET_REL, ET_EXEC, ET_DYN, ET_CORE = 1, 2, 3, 4

# p_type
PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_TLS = 1, 2, 3, 4, 7
PT_GNU_STACK = 0x6474E551
# p_flags
PF_X, PF_W, PF_R = 1, 2, 4

# d_tag
DT_NULL, DT_NEEDED, DT_PLTRELSZ, DT_HASH, DT_STRTAB, DT_SYMTAB = 0, 1, 2, 4, 5, 6
DT_RELA, DT_RELASZ, DT_STRSZ, DT_SYMENT, DT_SONAME, DT_RPATH, DT_SYMBOLIC = 7, 8, 10, 11, 14, 15, 16
DT_REL, DT_RELSZ, DT_PLTREL, DT_TEXTREL, DT_JMPREL, DT_BIND_NOW = 17, 18, 20, 22, 23, 24
DT_RUNPATH, DT_FLAGS = 29, 30
DT_GNU_HASH = 0x6FFFFEF5
DT_DEPAUDIT, DT_AUDIT = 0x6FFFFEFB, 0x6FFFFEFC
DT_VERSYM = 0x6FFFFFF0
DT_FLAGS_1 = 0x6FFFFFFB
DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM = 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
DT_MIPS_SYMTABNO = 0x70000011
DT_AUXILIARY, DT_FILTER = 0x7FFFFFFD, 0x7FFFFFFF

# DT_FLAGS
DF_ORIGIN, DF_SYMBOLIC, DF_TEXTREL, DF_BIND_NOW, DF_STATIC_TLS = 1, 2, 4, 8, 16
# DT_FLAGS_1
DF_1_NOW, DF_1_NODELETE, DF_1_NOOPEN, DF_1_ORIGIN = 0x1, 0x8, 0x40, 0x80
DF_1_NODEFLIB, DF_1_PIE = 0x800, 0x08000000

# e_machine, where a rule of this package depends on it; denizen.machines has all.
EM_MIPS, EM_S390, EM_ALPHA = 8, 22, 0x9026

# (class, e_machine) where the words of DT_HASH have eight bytes.
WIDE_HASH = frozenset({(64, EM_S390), (64, EM_ALPHA)})

# st_info: binding in the high half, type in the low
STB_LOCAL, STB_GLOBAL, STB_WEAK, STB_GNU_UNIQUE = 0, 1, 2, 10
STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_COMMON, STT_TLS, STT_GNU_IFUNC = 0, 1, 2, 5, 6, 10
# st_other
STV_DEFAULT, STV_INTERNAL, STV_HIDDEN, STV_PROTECTED = 0, 1, 2, 3
# st_shndx
SHN_UNDEF, SHN_ABS = 0, 0xFFF1

# Entries of DT_VERSYM: bit 15 hides the definition from references that ask for no version
VER_NDX_LOCAL, VER_NDX_GLOBAL = 0, 1
VERSYM_HIDDEN, VERSYM_VERSION = 0x8000, 0x7FFF
# vd_flags and vna_flags
VER_FLG_BASE, VER_FLG_WEAK = 1, 2

# glibc's do_lookup_x finds symbols of these bindings, check_match of these types (its mask 0x467) and
# visibilities.
FINDABLE_BINDINGS = frozenset({STB_GLOBAL, STB_WEAK, STB_GNU_UNIQUE})
FINDABLE_TYPES = frozenset({STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_COMMON, STT_TLS, STT_GNU_IFUNC})
VISIBLE = frozenset({STV_DEFAULT, STV_PROTECTED})
