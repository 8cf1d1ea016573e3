// Convolution of each channel by itself on the vectors of vector_body.h and the ends of conv_body.h, which
// are included before it, by the same rules.

/// R pixels from x on, of kLanes channels: what lies left and right of the image is left out.
template <int R>
IMGMILL_INLINE void DepthwisePixels(const ConvLayer& layer, const DepthwiseRow& row, size_t stride, size_t c,
                                    int x) {
  const int reach = row.side / 2;
  const Vector bias = Load(layer.bias + c);
  Vector sum[R];
  for (int r = 0; r < R; ++r) sum[r] = bias;
  for (int i = 0; i < row.side; ++i) {
    if (row.rows[i] == nullptr) continue;
    for (int j = 0; j < row.side; ++j) {
      const Vector weight = Load(layer.weights + static_cast<size_t>(i * row.side + j) * stride + c);
      const int first = x + j - reach;
      if (R == 1 && (first < 0 || first >= row.width)) continue;
      const float* from = row.rows[i] + static_cast<size_t>(first) * stride + c;
      for (int r = 0; r < R; ++r) sum[r] += weight * Load(from + static_cast<size_t>(r) * stride);
    }
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
  const int reach = row.side / 2, inner_end = row.width - reach;
  for (size_t c = 0; c < stride; c += kLanes) {
    int x = 0;
    for (; x < row.width && x < reach; ++x) DepthwisePixels<1>(layer, row, stride, c, x);
    for (; x + kPixels <= inner_end; x += kPixels) DepthwisePixels<kPixels>(layer, row, stride, c, x);
    for (; x < row.width; ++x) DepthwisePixels<1>(layer, row, stride, c, x);
  }
}
