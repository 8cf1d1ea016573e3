// Dense layers on the vectors of conv_body.h, which is included before it, by the same rules.

/// Inputs that are multiplied at a time: those of kRows rows stay in the first-level cache, and the weights
/// of one block in the second.
constexpr size_t kDepth = 512;
constexpr size_t kCacheLine = 16;  // floats

/// out[R][V vectors] (+)= in[R][inputs] * weights[inputs][V vectors]: from `start` on, or from what is there
/// already. `ahead`: weights that the next calls will want, of which this one fetches a cache line an input.
template <int R, int V, bool Ahead>
IMGMILL_INLINE void MultiplyOnto(const float* in, size_t in_stride, const float* weights, size_t inputs,
                                 float* out, size_t out_stride, const float* start, const float* ahead) {
  Vector sum[R][V];
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v)
      sum[r][v] = Load((start != nullptr ? start : out + static_cast<size_t>(r) * out_stride) + v * kLanes);
  }
  for (size_t c = 0; c < inputs; ++c) {
    if (Ahead) __builtin_prefetch(ahead + c * kCacheLine, 0, 2);
    Vector w[V];
    for (int v = 0; v < V; ++v) w[v] = Load(weights + (c * V + static_cast<size_t>(v)) * kLanes);
    for (int r = 0; r < R; ++r) {
      const float x = in[static_cast<size_t>(r) * in_stride + c];
      for (int v = 0; v < V; ++v) sum[r][v] += x * w[v];
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) Store(out + static_cast<size_t>(r) * out_stride + v * kLanes, sum[r][v]);
  }
}

/// One chunk of inputs and one block of outputs, for all rows.
template <int V>
static void RunDenseChunk(const float* in, size_t in_stride, const float* weights, size_t inputs, int rows,
                          float* out, size_t out_stride, const float* start) {
  const float* ahead = weights + inputs * V * kLanes;
  const float* const ahead_end = ahead + inputs * V * kLanes;
  for (; rows >= kRows; rows -= kRows) {
    if (ahead < ahead_end) {
      MultiplyOnto<kRows, V, true>(in, in_stride, weights, inputs, out, out_stride, start, ahead);
      ahead += inputs * kCacheLine;
    } else {
      MultiplyOnto<kRows, V, false>(in, in_stride, weights, inputs, out, out_stride, start, ahead);
    }
    in += kRows * in_stride;
    out += kRows * out_stride;
  }
  const auto rest = [&]<int R>() {
    MultiplyOnto<R, V, false>(in, in_stride, weights, inputs, out, out_stride, start, ahead);
  };
  switch (rows) {
    case 5:
      return rest.template operator()<5>();
    case 4:
      return rest.template operator()<4>();
    case 3:
      return rest.template operator()<3>();
    case 2:
      return rest.template operator()<2>();
    case 1:
      return rest.template operator()<1>();
    default:
      return;
  }
}

static void RunDense(const ConvLayer& layer, const float* in, int rows, float* out) {
  const auto inputs = static_cast<size_t>(layer.in_channels),
             outputs = static_cast<size_t>(layer.out_channels);
  ForBlocks(layer, inputs, [&]<int V>(size_t k, const float* weights) {
    for (size_t c = 0; c < inputs; c += kDepth) {
      RunDenseChunk<V>(in + c, inputs, weights + c * V * kLanes, inputs - c < kDepth ? inputs - c : kDepth,
                       rows, out + k, outputs, c == 0 ? layer.bias + k : nullptr);
    }
  });
}
