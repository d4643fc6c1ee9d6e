/* Self-attention of Whisper's encoders, in bf16; see attention.c. For x86-64 only: elsewhere nothing of it is compiled. */
#ifndef WHISPER_ATTENTION_H
#define WHISPER_ATTENTION_H

#include <stddef.h>

/* Numbers of a head: 64 in every Whisper model. */
#define HEAD 64
/* Of what was heard: 30 s are 1,500 steps. */
#define MOST_LENGTH 1536
/* Queries that one call of attention_rows() answers at most. */
#define MOST_ROWS 12
/* Of `packed`: a line of the cache. */
#define ALIGNMENT 64

/* One attention: `q`, `k`, `v` and `out` are (length, heads, HEAD) floats, one row after another. */
struct attention {
    const float *q, *k, *v;
    float *out;
    size_t length, heads;
    /* attention_bytes() bytes, aligned: room for the keys and values of each head. */
    char *packed;
};

/* Bytes that `packed` needs. */
size_t attention_bytes(size_t length, size_t heads);
/* Round and order the keys and values of one head. */
void attention_pack(const struct attention *a, size_t head);
/* Answer the queries from `row` on, MOST_ROWS or those that are left; the head must be packed. */
void attention_rows(const struct attention *a, size_t head, size_t row);

#endif
