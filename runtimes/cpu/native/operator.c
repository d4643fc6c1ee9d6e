/* `com.microsoft.MultiHeadAttention` for Whisper's encoders, in place of ONNX Runtime's own in the sessions that register
 * this library: graphs stay as they are.
 *
 * ONNX Runtime's package has no headers, so what is used of its C API is declared here: the table of functions only ever
 * grows at its end, and OrtCustomOp is read as far as the version says that it gives. Both are those of API 18.
 */
#include "attention.h"

#if defined(__x86_64__)

#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

enum { API = 18, FLOATS = 1, ARENA = 1, DEFAULT_MEMORY = 0, REQUIRED = 0, OPTIONAL = 1, INVALID_ARGUMENT = 2 };
enum { INPUTS = 3, OUTPUTS = 1, DIMENSIONS = 3, EVERY_VERSION = INT32_MAX };
/* Places in the table OrtApi. */
enum {
    CREATE_STATUS = 0,
    CREATE_DOMAIN = 26,
    ADD_OPERATOR = 27,
    ADD_DOMAIN = 28,
    TENSOR_DATA = 51,
    COUNT_DIMENSIONS = 61,
    DIMENSIONS_OF = 62,
    SHAPE_OF = 65,
    CREATE_MEMORY_INFO = 69,
    ALLOCATE = 75,
    FREE = 76,
    INTEGER_ATTRIBUTE = 86,
    INPUT = 90,
    OUTPUT = 91,
    RELEASE_SHAPE = 99,
    RELEASE_ALLOCATOR = 132,
    ALLOCATOR_OF = 253,
    PARALLEL_FOR = 274
};

typedef void *Status;
typedef void (*const *Api)(void);
struct api_base {
    Api (*get)(uint32_t version);
    const char *(*version)(void);
};

/* OrtCustomOp of API 18. */
struct operator {
    uint32_t version;
    void *(*create)(const struct operator *, Api, const void *info);
    const char *(*name)(const struct operator *);
    const char *(*provider)(const struct operator *);
    int (*input_type)(const struct operator *, size_t);
    size_t (*input_count)(const struct operator *);
    int (*output_type)(const struct operator *, size_t);
    size_t (*output_count)(const struct operator *);
    void (*compute)(void *kernel, void *context);
    void (*destroy)(void *kernel);
    int (*input_kind)(const struct operator *, size_t);
    int (*output_kind)(const struct operator *, size_t);
    int (*input_memory)(const struct operator *, size_t);
    int (*least_inputs)(const struct operator *);
    int (*inputs_alike)(const struct operator *);
    int (*least_outputs)(const struct operator *);
    int (*outputs_alike)(const struct operator *);
    Status (*create_or_fail)(const struct operator *, Api, const void *info, void **kernel);
    Status (*compute_or_fail)(void *kernel, void *context);
    Status (*infer_shape)(const struct operator *, void *);
    int (*first_version)(const struct operator *);
    int (*last_version)(const struct operator *);
    size_t (*may_inplace)(int **, int **);
    void (*release_may_inplace)(int *, int *);
    size_t (*aliases)(int **, int **);
    void (*release_aliases)(int *, int *);
};

/* Functions of the table by their types. */
typedef Status (*create_status)(int code, const char *message);
typedef Status (*create_domain)(const char *name, void **domain);
typedef Status (*add_to)(void *owner, const void *added);
typedef Status (*tensor_data)(const void *value, float **data);
typedef Status (*count_dimensions)(const void *shape, size_t *count);
typedef Status (*dimensions_of)(const void *shape, int64_t *dimensions, size_t count);
typedef Status (*shape_of)(const void *value, void **shape);
typedef Status (*create_memory_info)(int allocator, int memory, void **info);
typedef Status (*allocate)(void *allocator, size_t bytes, void **memory);
typedef Status (*free_memory)(void *allocator, void *memory);
typedef Status (*integer_attribute)(const void *info, const char *name, int64_t *value);
typedef Status (*input_value)(const void *context, size_t index, const void **value);
typedef Status (*output_value)(void *context, size_t index, const int64_t *shape, size_t dimensions, void **value);
typedef void (*release)(void *released);
typedef Status (*allocator_of)(const void *context, const void *info, void **allocator);
typedef Status (*parallel_for)(const void *context, void (*task)(void *, size_t), size_t tasks, size_t batches, void *data);

#define TRY(call)                     \
    do {                              \
        Status status_ = (call);      \
        if (status_) return status_;  \
    } while (0)

static Api api;
static void *memory_info;

static Status refuse(const char *why) { return ((create_status)api[CREATE_STATUS])(INVALID_ARGUMENT, why); }

/* A kernel is nothing but its number of heads. */
static Status create(const struct operator *self, Api given, const void *info, void **kernel) {
    (void)self, (void)given;
    int64_t heads = 0, causal = 0;
    TRY(((integer_attribute)api[INTEGER_ATTRIBUTE])(info, "num_heads", &heads));
    TRY(((integer_attribute)api[INTEGER_ATTRIBUTE])(info, "unidirectional", &causal));
    if (causal || heads < 1) return refuse("attention in bf16 is for encoders: one head or more, unidirectional = 0");
    *kernel = (void *)(uintptr_t)heads;
    return NULL;
}

static void pack(void *attention, size_t head) { attention_pack(attention, head); }

static size_t blocks(const struct attention *a) { return (a->length + MOST_ROWS - 1) / MOST_ROWS; }

static void answer(void *attention, size_t task) {
    const struct attention *a = attention;
    attention_rows(a, task / blocks(a), task % blocks(a) * MOST_ROWS);
}

static Status read_shape(const void *value, int64_t shape[DIMENSIONS]) {
    void *info = NULL;
    size_t count = 0;
    TRY(((shape_of)api[SHAPE_OF])(value, &info));
    Status status = ((count_dimensions)api[COUNT_DIMENSIONS])(info, &count);
    if (!status && count != DIMENSIONS) status = refuse("attention in bf16 takes (1, length, width)");
    if (!status) status = ((dimensions_of)api[DIMENSIONS_OF])(info, shape, DIMENSIONS);
    ((release)api[RELEASE_SHAPE])(info);
    return status;
}

/* The query, key or value, each of the same shape: (1, length, heads times HEAD). */
static Status read_input(void *context, size_t index, struct attention *a, const float **data) {
    const void *value = NULL;
    int64_t shape[DIMENSIONS];
    TRY(((input_value)api[INPUT])(context, index, &value));
    TRY(read_shape(value, shape));
    if (index == 0) a->length = (size_t)shape[1];
    if (shape[0] != 1 || shape[1] != (int64_t)a->length || shape[2] != (int64_t)(a->heads * HEAD))
        return refuse("attention in bf16 takes one window, as many keys as queries, and heads of 64");
    if (a->length > MOST_LENGTH) return refuse("attention in bf16 takes 1,536 steps at most");
    return ((tensor_data)api[TENSOR_DATA])(value, (float **)data);
}

/* On the session's own threads: heads are packed, then blocks of queries answered. */
static Status run(void *context, struct attention *a, void *memory) {
    parallel_for parallel = (parallel_for)api[PARALLEL_FOR];
    a->packed = (char *)(((uintptr_t)memory + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    TRY(parallel(context, pack, a->heads, 0, a));
    return parallel(context, answer, a->heads * blocks(a), 0, a);
}

/* Keys and values are packed into memory of the session's arena, which keeps it for the next layer. */
static Status compute(void *kernel, void *context) {
    struct attention a = {.heads = (size_t)(uintptr_t)kernel};
    void *out = NULL, *allocator = NULL, *memory = NULL;
    TRY(read_input(context, 0, &a, &a.q));
    TRY(read_input(context, 1, &a, &a.k));
    TRY(read_input(context, 2, &a, &a.v));
    int64_t shape[DIMENSIONS] = {1, (int64_t)a.length, (int64_t)(a.heads * HEAD)};
    TRY(((output_value)api[OUTPUT])(context, 0, shape, DIMENSIONS, &out));
    TRY(((tensor_data)api[TENSOR_DATA])(out, &a.out));
    TRY(((allocator_of)api[ALLOCATOR_OF])(context, memory_info, &allocator));
    Status status = ((allocate)api[ALLOCATE])(allocator, attention_bytes(a.length, a.heads) + ALIGNMENT, &memory);
    if (!status) {
        status = run(context, &a, memory);
        Status freed = ((free_memory)api[FREE])(allocator, memory);
        status = status ? status : freed;
    }
    ((release)api[RELEASE_ALLOCATOR])(allocator);
    return status;
}

static const char *name(const struct operator *self) { (void)self; return "MultiHeadAttention"; }
static const char *provider(const struct operator *self) { (void)self; return "CPUExecutionProvider"; }
static int type(const struct operator *self, size_t index) { (void)self, (void)index; return FLOATS; }
static size_t inputs(const struct operator *self) { (void)self; return INPUTS; }
static size_t outputs(const struct operator *self) { (void)self; return OUTPUTS; }
static void destroy(void *kernel) { (void)kernel; }
static int required(const struct operator *self, size_t index) { (void)self, (void)index; return REQUIRED; }
static int memory(const struct operator *self, size_t index) { (void)self, (void)index; return DEFAULT_MEMORY; }
static int one(const struct operator *self) { (void)self; return 1; }
static int any_version(const struct operator *self) { (void)self; return EVERY_VERSION; }

static const struct operator attention_operator = {
    .version = API, .name = name, .provider = provider,
    .input_type = type, .input_count = inputs, .output_type = type, .output_count = outputs,
    .destroy = destroy, .input_kind = required, .output_kind = required, .input_memory = memory,
    .least_inputs = one, .inputs_alike = one, .least_outputs = one, .outputs_alike = one,
    .create_or_fail = create, .compute_or_fail = compute, .first_version = one, .last_version = any_version,
};

/* What ONNX Runtime's register_custom_ops_library calls for each session that is to have the operator. */
EXPORT Status RegisterCustomOps(void *options, const struct api_base *base) {
    static void *domain; /* sessions read it as long as they live */
    api = base->get(API);
    if (!api) {
        api = base->get(1);
        return refuse("attention in bf16 needs ONNX Runtime 1.18 or later");
    }
    if (!domain) {
        TRY(((create_memory_info)api[CREATE_MEMORY_INFO])(ARENA, DEFAULT_MEMORY, &memory_info));
        TRY(((create_domain)api[CREATE_DOMAIN])("com.microsoft", &domain));
        TRY(((add_to)api[ADD_OPERATOR])(domain, &attention_operator));
    }
    return ((add_to)api[ADD_DOMAIN])(options, domain);
}

#endif
