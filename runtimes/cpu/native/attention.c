/* Attention in bf16 with AVX512-BF16: products of pairs, summed in 32 bits, at twice the rate of 32 bit products.
 *
 * Keys lie in tiles of 64, pair by pair: [tile][pair of numbers][key]; values lie by pairs of keys: [pair][number].
 * MOST_ROWS queries at a time meet each tile of keys while it is in the first cache; scores stay in 32 bits until their
 * exponentials are taken, and these are rounded to bf16, in place, for the product with the values.
 * Queries are scaled so that scores are exponents of 2. Keys beyond the last score LEAST, whose power of 2 is zero.
 */
#include "attention.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <stdint.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define INLINE static inline __attribute__((always_inline)) TARGET
#define UNROLL _Pragma("GCC unroll 8")

enum { LANES = 16, TILE = 64, VECTORS = TILE / LANES, PAIRS = HEAD / 2, GROUP = 6 };
#define LEAST -1e30f
/* 1 / sqrt(HEAD), times the binary logarithm of e. */
#define QUERY_SCALE (0.125f * 1.44269504f)

static size_t padded(size_t length) { return (length + TILE - 1) / TILE * TILE; }

static size_t head_words(size_t length) { return padded(length) * PAIRS; }

size_t attention_bytes(size_t length, size_t heads) { return heads * 2 * head_words(length) * sizeof(uint32_t); }

/* What one attention_rows() needs for itself, on its thread's stack. */
struct scratch {
    _Alignas(ALIGNMENT) float scores[MOST_ROWS * MOST_LENGTH];
    _Alignas(ALIGNMENT) uint32_t queries[MOST_ROWS * PAIRS];
    float inverse[MOST_ROWS];
};

static uint32_t *keys_of(const struct attention *a, size_t head) {
    return (uint32_t *)a->packed + head * 2 * head_words(a->length);
}

static uint32_t *values_of(const struct attention *a, size_t head) { return keys_of(a, head) + head_words(a->length); }

/* Two vectors of floats as 32 bf16, `low` first. */
INLINE __m512i rounded(__m512 low, __m512 high) { return (__m512i)_mm512_cvtne2ps_pbh(high, low); }

INLINE __m512 product(__m512 sum, __m512i x, __m512i y) {
    return _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)y);
}

/* 16 by 16 words, rows to columns. */
INLINE void transpose(__m512i r[LANES]) {
    __m512i t[LANES];
    UNROLL for (int i = 0; i < 8; i++) {
        t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
    }
    UNROLL for (int i = 0; i < 4; i++) {
        __m512i *from = t + 4 * i, *to = r + 4 * i;
        to[0] = _mm512_unpacklo_epi64(from[0], from[2]);
        to[1] = _mm512_unpackhi_epi64(from[0], from[2]);
        to[2] = _mm512_unpacklo_epi64(from[1], from[3]);
        to[3] = _mm512_unpackhi_epi64(from[1], from[3]);
    }
    UNROLL for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
    }
    UNROLL for (int i = 0; i < 8; i++) {
        r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
        r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
    }
}

TARGET static void pack_keys(const struct attention *a, size_t head, uint32_t *packed) {
    size_t stride = a->heads * HEAD;
    for (size_t j = 0; j < padded(a->length); j += LANES)
        for (size_t half = 0; half < 2; half++) {
            __m512i rows[LANES];
            for (size_t i = 0; i < LANES; i++) {
                const float *key = a->k + (j + i) * stride + head * HEAD + half * 2 * LANES;
                rows[i] = j + i < a->length ? rounded(_mm512_loadu_ps(key), _mm512_loadu_ps(key + LANES))
                                            : _mm512_setzero_si512();
            }
            transpose(rows);
            uint32_t *tile = packed + j / TILE * TILE * PAIRS + half * LANES * TILE + j % TILE;
            UNROLL for (int i = 0; i < LANES; i++) _mm512_store_si512(tile + i * TILE, rows[i]);
        }
}

TARGET static void pack_values(const struct attention *a, size_t head, uint32_t *packed) {
    size_t stride = a->heads * HEAD;
    __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m512i pairs = _mm512_or_si512(lane, _mm512_slli_epi32(_mm512_add_epi32(lane, _mm512_set1_epi32(LANES)), 16));
    for (size_t j = 0; j < padded(a->length); j += 2)
        for (size_t at = 0; at < HEAD; at += LANES) {
            const float *first = a->v + j * stride + head * HEAD + at;
            __m512 even = j < a->length ? _mm512_loadu_ps(first) : _mm512_setzero_ps();
            __m512 odd = j + 1 < a->length ? _mm512_loadu_ps(first + stride) : _mm512_setzero_ps();
            _mm512_store_si512(packed + j / 2 * HEAD + at, _mm512_permutexvar_epi16(pairs, rounded(even, odd)));
        }
}

void attention_pack(const struct attention *a, size_t head) {
    pack_keys(a, head, keys_of(a, head));
    pack_values(a, head, values_of(a, head));
}

/* GROUP rows of pairs, `row_words` apart, times a table of as many rows of TILE numbers' pairs. */
INLINE void multiply(__m512 sums[GROUP][VECTORS], const uint32_t *rows, size_t row_words, const uint32_t *tile,
                     size_t pairs) {
    for (size_t p = 0; p < pairs; p++) {
        __m512i column[VECTORS];
        UNROLL for (int v = 0; v < VECTORS; v++) column[v] = _mm512_load_si512(tile + p * TILE + v * LANES);
        UNROLL for (int i = 0; i < GROUP; i++) {
            __m512i pair = _mm512_set1_epi32((int)rows[i * row_words + p]);
            UNROLL for (int v = 0; v < VECTORS; v++) sums[i][v] = product(sums[i][v], pair, column[v]);
        }
    }
}

INLINE void clear(__m512 sums[GROUP][VECTORS]) {
    UNROLL for (int i = 0; i < GROUP; i++) UNROLL for (int v = 0; v < VECTORS; v++) sums[i][v] = _mm512_setzero_ps();
}

/* 2 to the power of x, for x <= 0, to four digits: a cubic between whole powers. */
INLINE __m512 power_of_2(__m512 x) {
    __m512 part = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    __m512 y = _mm512_fmadd_ps(part, _mm512_set1_ps(0.07944155f), _mm512_set1_ps(0.22440664f));
    y = _mm512_fmadd_ps(y, part, _mm512_set1_ps(0.69606564f));
    y = _mm512_fmadd_ps(y, part, _mm512_set1_ps(0.99992522f));
    return _mm512_scalef_ps(y, x);
}

/* The tile's scores with GROUP queries; scores of keys beyond `left` are LEAST. */
TARGET static void score(const uint32_t *queries, const uint32_t *tile, float *scores, size_t width, size_t left) {
    __m512 sums[GROUP][VECTORS];
    clear(sums);
    multiply(sums, queries, PAIRS, tile, PAIRS);
    if (left < TILE)
        UNROLL for (int v = 0; v < VECTORS; v++) {
            __mmask16 there = (__mmask16)((((uint64_t)1 << left) - 1) >> (v * LANES));
            UNROLL for (int i = 0; i < GROUP; i++)
                sums[i][v] = _mm512_mask_blend_ps(there, _mm512_set1_ps(LEAST), sums[i][v]);
        }
    UNROLL for (int i = 0; i < GROUP; i++)
        UNROLL for (int v = 0; v < VECTORS; v++) _mm512_store_ps(scores + i * width + v * LANES, sums[i][v]);
}

/* A row of scores becomes weights in bf16, in the first half of its own memory: the inverse of their sum. */
TARGET static float weigh(float *scores, size_t width) {
    __m512 most[VECTORS], sum[VECTORS];
    UNROLL for (int v = 0; v < VECTORS; v++) most[v] = _mm512_set1_ps(LEAST), sum[v] = _mm512_setzero_ps();
    for (size_t j = 0; j < width; j += TILE)
        UNROLL for (int v = 0; v < VECTORS; v++) most[v] = _mm512_max_ps(most[v], _mm512_load_ps(scores + j + v * LANES));
    __m512 both = _mm512_max_ps(_mm512_max_ps(most[0], most[1]), _mm512_max_ps(most[2], most[3]));
    __m512 top = _mm512_set1_ps(_mm512_reduce_max_ps(both));
    for (size_t j = 0; j < width; j += TILE) {
        __m512 x[VECTORS];
        UNROLL for (int v = 0; v < VECTORS; v++) {
            x[v] = power_of_2(_mm512_sub_ps(_mm512_load_ps(scores + j + v * LANES), top));
            sum[v] = _mm512_add_ps(sum[v], x[v]);
        }
        _mm512_store_si512(scores + j / 2, rounded(x[0], x[1]));
        _mm512_store_si512(scores + j / 2 + LANES, rounded(x[2], x[3]));
    }
    return 1.0f / _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(sum[0], sum[1]), _mm512_add_ps(sum[2], sum[3])));
}

/* Weights of GROUP queries times all values, of which the first `rows` are written. */
TARGET static void answer(const float *weights, size_t width, const uint32_t *values, const float *inverse, float *out,
                          size_t stride, size_t rows) {
    __m512 sums[GROUP][VECTORS];
    clear(sums);
    multiply(sums, (const uint32_t *)weights, width, values, width / 2);
    UNROLL for (int i = 0; i < GROUP; i++)
        if ((size_t)i < rows)
            UNROLL for (int v = 0; v < VECTORS; v++)
                _mm512_storeu_ps(out + i * stride + v * LANES, _mm512_mul_ps(sums[i][v], _mm512_set1_ps(inverse[i])));
}

/* Queries of `rows` rows, and zeros up to MOST_ROWS. */
TARGET static void pack_queries(const float *q, size_t stride, size_t rows, uint32_t *packed) {
    __m512 scale = _mm512_set1_ps(QUERY_SCALE);
    for (size_t i = 0; i < MOST_ROWS; i++)
        for (size_t half = 0; half < 2; half++) {
            const float *from = q + i * stride + half * 2 * LANES;
            __m512i pairs = _mm512_setzero_si512();
            if (i < rows)
                pairs = rounded(_mm512_mul_ps(_mm512_loadu_ps(from), scale),
                                _mm512_mul_ps(_mm512_loadu_ps(from + LANES), scale));
            _mm512_store_si512(packed + i * PAIRS + half * LANES, pairs);
        }
}

void attention_rows(const struct attention *a, size_t head, size_t row) {
    struct scratch s;
    size_t width = padded(a->length), stride = a->heads * HEAD, first = row * stride + head * HEAD;
    size_t rows = a->length - row < MOST_ROWS ? a->length - row : MOST_ROWS;
    pack_queries(a->q + first, stride, rows, s.queries);
    for (size_t j = 0; j < width; j += TILE)
        for (size_t i = 0; i < rows; i += GROUP)
            score(s.queries + i * PAIRS, keys_of(a, head) + j * PAIRS, s.scores + i * width + j, width, a->length - j);
    for (size_t i = 0; i < rows; i += GROUP) {
        float *scores = s.scores + i * width;
        for (size_t one = 0; one < GROUP; one++) s.inverse[i + one] = weigh(scores + one * width, width);
        answer(scores, width, values_of(a, head), s.inverse + i, a->out + first + i * stride, stride, rows - i);
    }
}

#endif
