/* As much of the ELF format as is used here (System V ABI, its GNU extensions; linux/auxvec.h). The C library's
   header of that name needs the C library's others, which a compiler for another word size often lacks. */
#ifndef DENIZEN_ELF_H
#define DENIZEN_ELF_H

#include <stdint.h>

#define ELFMAG "\177ELF"
enum { SELFMAG = 4, EI_NIDENT = 16, EI_CLASS = 4, EI_DATA = 5 };
enum { ELFCLASS32 = 1, ELFCLASS64 = 2, ELFDATA2LSB = 1 };
enum { ET_EXEC = 2, ET_DYN = 3 };
enum { EM_386 = 3, EM_X86_64 = 62, EM_AARCH64 = 183 };
enum { PT_LOAD = 1, PT_DYNAMIC = 2, PT_INTERP = 3, PT_NOTE = 4, PT_PHDR = 6 };
enum { PF_X = 1, PF_W = 2, PF_R = 4 };
enum { SHN_UNDEF = 0, STT_FUNC = 2, NT_GNU_BUILD_ID = 3 };
enum {
    DT_NULL = 0,
    DT_NEEDED = 1,
    DT_PLTGOT = 3,
    DT_HASH = 4,
    DT_STRTAB = 5,
    DT_SYMTAB = 6,
    DT_RELA = 7,
    DT_STRSZ = 10,
    DT_RPATH = 15,
    DT_REL = 17,
    DT_DEBUG = 21,
    DT_JMPREL = 23,
    DT_RUNPATH = 29,
    DT_RELR = 36,
    DT_GNU_HASH = 0x6ffffef5,
    DT_AUDIT = 0x6ffffefc,
    DT_VERSYM = 0x6ffffff0,
    DT_VERDEF = 0x6ffffffc,
    DT_VERDEFNUM = 0x6ffffffd,
    DT_VERNEED = 0x6ffffffe,
    DT_VERNEEDNUM = 0x6fffffff,
};
enum {
    AT_NULL = 0,
    AT_PHDR = 3,
    AT_PHNUM = 5,
    AT_PAGESZ = 6,
    AT_BASE = 7,
    AT_ENTRY = 9,
    AT_UID = 11,
    AT_EUID = 12,
    AT_GID = 13,
    AT_EGID = 14,
    AT_SECURE = 23,
    AT_EXECFN = 31,
};

typedef struct {
    unsigned char e_ident[EI_NIDENT];
    uint16_t e_type;
    uint16_t e_machine;
    uint32_t e_version;
    uintptr_t e_entry;
    uintptr_t e_phoff;
    uintptr_t e_shoff;
    uint32_t e_flags;
    uint16_t e_ehsize;
    uint16_t e_phentsize;
    uint16_t e_phnum;
    uint16_t e_shentsize;
    uint16_t e_shnum;
    uint16_t e_shstrndx;
} Ehdr;

#if UINTPTR_MAX > 0xffffffff
typedef struct {
    uint32_t p_type;
    uint32_t p_flags;
    uint64_t p_offset;
    uint64_t p_vaddr;
    uint64_t p_paddr;
    uint64_t p_filesz;
    uint64_t p_memsz;
    uint64_t p_align;
} Phdr;
typedef struct {
    uint32_t st_name;
    unsigned char st_info;
    unsigned char st_other;
    uint16_t st_shndx;
    uint64_t st_value;
    uint64_t st_size;
} Sym;
#define ARCH_CLASS ELFCLASS64
#else
typedef struct {
    uint32_t p_type;
    uint32_t p_offset;
    uint32_t p_vaddr;
    uint32_t p_paddr;
    uint32_t p_filesz;
    uint32_t p_memsz;
    uint32_t p_flags;
    uint32_t p_align;
} Phdr;
typedef struct {
    uint32_t st_name;
    uint32_t st_value;
    uint32_t st_size;
    unsigned char st_info;
    unsigned char st_other;
    uint16_t st_shndx;
} Sym;
#define ARCH_CLASS ELFCLASS32
#endif

typedef struct {
    intptr_t d_tag;
    union {
        uintptr_t d_val;
        uintptr_t d_ptr;
    } d_un;
} Dyn;

typedef struct {
    uintptr_t a_type;
    union {
        uintptr_t a_val;
    } a_un;
} Auxv;

typedef struct {
    uint32_t n_namesz;
    uint32_t n_descsz;
    uint32_t n_type;
} Nhdr;

#endif
