#include "x86.h"

#include <stdbool.h>

enum { FIELD = 4 };

/* A ModRM byte that says: at a distance from the next instruction. */
static bool is_relative(uint8_t modrm)
{
    return (modrm & 0xC7) == 0x05;
}

static bool is_word_operation(uint8_t opcode)
{
    return opcode == 0x8B || opcode == 0x8D || opcode == 0x89 || opcode == 0x39 || opcode == 0x3B || opcode == 0x03;
}

static bool is_vector_operation(uint8_t opcode)
{
    return (opcode >= 0x10 && opcode < 0x80) || opcode >= 0xB0;
}

/* Opcodes with a ModRM byte: REX.W with mov, lea, cmp or add; SSE; VEX of two bytes and of three. `end` is behind the
   ModRM byte, `before` are the bytes in front of that. */
static bool is_relative_operation(const uint8_t *end, size_t before)
{
    uint8_t opcode = before ? end[-2] : 0;
    if (before >= 2 && ((end[-3] & 0xFB) == 0x48 ? is_word_operation(opcode) : end[-3] == 0x0F && is_vector_operation(opcode)))
        return true;
    return opcode >= 0x10 && ((before >= 3 && end[-4] == 0xC5) || (before >= 4 && end[-5] == 0xC4));
}

/* Whether an opcode ends there that a distance of 32 bits follows, without disassembly. */
static bool ends_opcode(const uint8_t *end, size_t before)
{
    uint8_t last = end[-1], first = before ? end[-2] : 0;
    if ((last & 0xFE) == 0xE8) /* call, jmp */
        return true;
    if ((last & 0xF0) == 0x80) /* jcc */
        return first == 0x0F;
    if (!is_relative(last))
        return false;
    return (first == 0xFF && (last == 0x15 || last == 0x25)) /* call, jmp through a pointer */
           || is_relative_operation(end, before);
}

/* An address has 25 bits: 24 of them with the highest byte first, and the sign in the last byte. */
static void restore(uint8_t *field, size_t end)
{
    uint8_t sign = field[3];
    if (sign != 0 && sign != 0xFF)
        return;
    uint32_t address = (uint32_t)(sign & 1) << 24 | (uint32_t)field[0] << 16 | (uint32_t)field[1] << 8 | field[2];
    uint32_t distance = address - (uint32_t)end;
    field[0] = (uint8_t)distance;
    field[1] = (uint8_t)(distance >> 8);
    field[2] = (uint8_t)(distance >> 16);
    field[3] = distance >> 24 & 1 ? 0xFF : 0;
}

void x86_restore(uint8_t *content, size_t size)
{
    for (size_t at = 1; size >= FIELD && at <= size - FIELD;) {
        bool found = ends_opcode(content + at, at - 1);
        if (found)
            restore(content + at, at + FIELD);
        at += found ? FIELD : 1;
    }
}
