// Convolution of each channel by itself on the vectors of vector_body.h and the ends of conv_body.h, which
// are included before it, by the same rules.

/// One pixel of a kernel.
struct DepthwiseTap {
  const float* row;      ///< of the map
  const float* weights;  ///< of kLanes channels
  int shift;             ///< pixels to the right
};

IMGMILL_INLINE bool IsZero(Vector value) {
  bool zero = true;
  for (int lane = 0; lane < kLanes; ++lane) zero &= value[lane] == 0.0f;
  return zero;
}

/// Those that are inside the map, from channel c on. What a large kernel has as zeros is left out: some are a
/// cross, or a single pixel.
static int GatherTaps(const ConvLayer& layer, const DepthwiseRow& row, size_t stride, size_t c,
                      DepthwiseTap* taps) {
  constexpr int kWhole = 3;  // of this side
  int count = 0;
  for (int i = 0; i < row.side; ++i) {
    if (row.rows[i] == nullptr) continue;
    for (int j = 0; j < row.across; ++j) {
      const float* weights = layer.weights + static_cast<size_t>(i * row.across + j) * stride + c;
      if ((row.side > kWhole || row.across > kWhole) && IsZero(Load(weights))) continue;
      taps[count++] = {row.rows[i] + c, weights, j - row.across / 2};
    }
  }
  return count;
}

/// R pixels from x on, of kLanes channels: what lies left and right of the image is left out.
template <int R>
IMGMILL_INLINE void DepthwisePixels(const ConvLayer& layer, const DepthwiseRow& row, const DepthwiseTap* taps,
                                    int count, size_t stride, size_t c, int x) {
  const Vector bias = Load(layer.bias + c);
  Vector sum[R];
  for (int r = 0; r < R; ++r) sum[r] = bias;
  for (const DepthwiseTap* tap = taps; tap != taps + count; ++tap) {
    const int first = x + tap->shift;
    if (R == 1 && (first < 0 || first >= row.width)) continue;
    const Vector weight = Load(tap->weights);
    const float* from = tap->row + static_cast<size_t>(first) * row.pixel;
    for (int r = 0; r < R; ++r) sum[r] += weight * Load(from + static_cast<size_t>(r) * row.pixel);
  }
  const Vector slope = Load(layer.slope + c);
  for (int r = 0; r < R; ++r) {
    const size_t at = static_cast<size_t>(x + r) * stride + c;
    Store(row.out + at, Ended(layer, sum[r], slope, [&](Vector value) {
            if (layer.shift != 0.0f) value += layer.shift;
            for (int n = 0; n < row.additions; ++n) value += row.scales[n] * Load(row.added[n] + at);
            return value;
          }));
  }
}

static void RunDepthwise(const ConvLayer& layer, const DepthwiseRow& row) {
  constexpr int kPixels = 8;  // sums in registers, beside the weights
  const size_t stride = static_cast<size_t>(PaddedChannels(layer.out_channels));
  const int reach = row.across / 2, inner_end = row.width - reach;
  DepthwiseTap taps[kMostDepthwiseSide * kMostDepthwiseSide];
  for (size_t c = 0; c < stride; c += kLanes) {
    const int count = GatherTaps(layer, row, stride, c, taps);
    int x = 0;
    for (; x < row.width && x < reach; ++x) DepthwisePixels<1>(layer, row, taps, count, stride, c, x);
    for (; x + kPixels <= inner_end; x += kPixels)
      DepthwisePixels<kPixels>(layer, row, taps, count, stride, c, x);
    for (; x < row.width; ++x) DepthwisePixels<1>(layer, row, taps, count, stride, c, x);
  }
}
