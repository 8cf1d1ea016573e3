// Dense layers on the vectors of vector_body.h, which is included before it by conv_body.h, by the same
// rules.

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

/// Ends of rows x V vectors that all inputs were added to.
template <int V>
static void FinishDense(DenseEnd end, const float* bias, int rows, float* out, size_t stride) {
  for (int r = 0; r < rows; ++r, out += stride) {
    for (int v = 0; v < V; ++v) {
      const Vector value = Load(out + v * kLanes);
      if (end == DenseEnd::kAdd) {
        Store(out + v * kLanes, value + Load(bias + v * kLanes));
      } else if (end == DenseEnd::kGelu) {
        Store(out + v * kLanes, value * NormalShare(value));
      } else {
        Store(out + v * kLanes, value * Sigmoid(1.702f * value));
      }
    }
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

/// All inputs of the rows from `row` on, and one block of V vectors of outputs.
template <int V>
static void RunDenseBlock(const DensePieces& in, int row, const float* weights, const float* bias, int rows,
                          float* out, size_t out_stride, DenseEnd end) {
  bool onto = end == DenseEnd::kAdd;
  for (int piece = 0; piece < in.count; ++piece, weights += in.floats * V * kLanes) {
    if (in.first[piece] == nullptr) continue;
    const float* from = in.first[piece] + static_cast<size_t>(row) * in.step;
    for (size_t c = 0; c < in.floats; c += kDepth) {
      RunDenseChunk<V>(from + c, in.step, weights + c * V * kLanes,
                       in.floats - c < kDepth ? in.floats - c : kDepth, rows, out, out_stride,
                       onto ? nullptr : bias);
      onto = true;
    }
  }
  if (end != DenseEnd::kNone) FinishDense<V>(end, bias, rows, out, out_stride);
}

/// The same where there are only `some` outputs left, which fill no whole vectors.
template <int V>
static void RunDenseRest(const DensePieces& in, const float* weights, const float* bias, int rows, float* out,
                         size_t stride, size_t some, DenseEnd end) {
  constexpr int kSome = 8 * kRows;
  constexpr size_t kWidth = V * kLanes;
  float held[kSome * kWidth] = {};
  for (int done = 0; done < rows; done += kSome) {
    const int now = rows - done < kSome ? rows - done : kSome;
    const auto count = static_cast<size_t>(now);
    if (end == DenseEnd::kAdd) {
      for (size_t r = 0; r < count; ++r) {
        for (size_t k = 0; k < some; ++k) held[r * kWidth + k] = out[r * stride + k];
      }
    }
    RunDenseBlock<V>(in, done, weights, bias, now, held, kWidth, end);
    for (size_t r = 0; r < count; ++r) {
      for (size_t k = 0; k < some; ++k) out[r * stride + k] = held[r * kWidth + k];
    }
    out += count * stride;
  }
}

IMGMILL_INLINE void RunDenseRows(const ConvLayer& layer, const DensePieces& in, int rows, float* out,
                                 DenseEnd end) {
  const auto outputs = static_cast<size_t>(layer.out_channels);
  ForBlocks(layer, static_cast<size_t>(layer.in_channels), [&]<int V>(size_t k, const float* weights) {
    if (k + V * kLanes <= outputs)
      return RunDenseBlock<V>(in, 0, weights, layer.bias + k, rows, out + k, outputs, end);
    if (k < outputs) RunDenseRest<V>(in, weights, layer.bias + k, rows, out + k, outputs, outputs - k, end);
  });
}

static void RunDense(const ConvLayer& layer, const float* in, int rows, float* out, DenseEnd end) {
  const auto inputs = static_cast<size_t>(layer.in_channels);
  const DensePieces all = {{in}, 1, inputs, inputs};
  RunDenseRows(layer, all, rows, out, end);
}

static void RunPieces(const ConvLayer& layer, const DensePieces& in, int rows, float* out) {
  RunDenseRows(layer, in, rows, out, DenseEnd::kNone);
}
