// Softmax attention on the vectors of vector_body.h and the products of dense_body.h, which are included
// before it, by the same rules.

/// blocks of [inputs][V vectors] out of at(input, output), as products take their weights.
template <typename At>
IMGMILL_INLINE void PackColumns(size_t inputs, size_t outputs, float* packed, const At& at) {
  for (size_t first = 0; first < outputs;) {
    constexpr size_t kMost = kBlockVectors * kLanes;
    const size_t now = outputs - first < kMost ? outputs - first : kMost;
    for (size_t i = 0; i < inputs; ++i, packed += now) {
      for (size_t o = 0; o < now; ++o) packed[o] = at(i, first + o);
    }
    first += now;
  }
}

static const float kZeros[kBlockVectors * kLanes] = {};

/// Of each of `rows` rows, products[outputs] of its inputs and packed columns.
static void MultiplyPacked(const float* in, size_t in_stride, const float* packed, size_t inputs,
                           size_t outputs, int rows, float* out, size_t out_stride) {
  ConvLayer columns;
  columns.out_channels = static_cast<int>(outputs);
  columns.weights = packed;
  ForBlocks(columns, inputs, [&]<int V>(size_t k, const float* weights) {
    RunDenseChunk<V>(in, in_stride, weights, inputs, rows, out + k, out_stride, kZeros);
  });
}

/// e to the power of what each is less than the largest, in place. @return one divided by their sum
IMGMILL_INLINE float Exponentials(float* scores, size_t count) {
  Vector most = Load(scores);
  for (size_t i = kLanes; i < count; i += kLanes) {
    const Vector next = Load(scores + i);
    most = next > most ? next : most;
  }
  float largest = most[0];
  for (int lane = 1; lane < kLanes; ++lane) largest = most[lane] > largest ? most[lane] : largest;
  Vector sums{};
  for (size_t i = 0; i < count; i += kLanes) {
    const Vector power = Exp(Load(scores + i) - largest);
    Store(scores + i, power);
    sums += power;
  }
  float sum = 0;
  for (int lane = 0; lane < kLanes; ++lane) sum += sums[lane];
  return 1.0f / sum;
}

/// Less than any score: it has the power of -88, which no sum of others feels.
constexpr float kUnseen = -1e38f;

/// Products of query t become shares, but for the factor that is returned. `scores` are padded.
IMGMILL_INLINE float Shares(const AttentionHead& on, size_t t, float* scores, size_t padded) {
  const auto keys = static_cast<size_t>(on.key_count);
  const size_t seen = on.causal && t + 1 < keys ? t + 1 : keys;
  if (on.bias.first != nullptr) {
    const float* bias = on.bias.first + t * on.bias.stride;
    for (size_t u = 0; u < seen; ++u) scores[u] = scores[u] * on.scale + bias[u];
  } else {
    for (size_t u = 0; u < padded; u += kLanes) Store(scores + u, Load(scores + u) * on.scale);
  }
  for (size_t u = seen; u < padded; ++u) scores[u] = kUnseen;
  return Exponentials(scores, padded);
}

static void Attend(const AttentionHead& on, float* scratch) {
  const auto keys = static_cast<size_t>(on.key_count), features = static_cast<size_t>(on.features);
  const auto padded_keys = static_cast<size_t>(PaddedChannels(on.key_count)),
             padded_features = static_cast<size_t>(PaddedChannels(on.features));
  float *packed_keys = scratch, *packed_values = packed_keys + features * padded_keys;
  float *scores = packed_values + keys * padded_features, *sums = scores + kRows * padded_keys;
  PackColumns(features, padded_keys, packed_keys,
              [&](size_t c, size_t u) { return u < keys ? on.keys.first[u * on.keys.stride + c] : 0.0f; });
  PackColumns(keys, padded_features, packed_values, [&](size_t u, size_t c) {
    return c < features ? on.values.first[u * on.values.stride + c] : 0.0f;
  });
  const auto queries = static_cast<size_t>(on.query_count);
  for (size_t first = 0; first < queries; first += kRows) {
    const size_t rows = queries - first < kRows ? queries - first : kRows;
    MultiplyPacked(on.queries.first + first * on.queries.stride, on.queries.stride, packed_keys, features,
                   padded_keys, static_cast<int>(rows), scores, padded_keys);
    float shares[kRows];
    for (size_t r = 0; r < rows; ++r)
      shares[r] = Shares(on, first + r, scores + r * padded_keys, padded_keys);
    MultiplyPacked(scores, padded_keys, packed_values, keys, padded_features, static_cast<int>(rows), sums,
                   padded_features);
    for (size_t r = 0; r < rows; ++r) {
      float* out = on.out + (first + r) * on.out_stride;
      for (size_t c = 0; c < features; ++c) out[c] = sums[r * padded_features + c] * shares[r];
    }
  }
}
