// The body of every convolution kernel, by the rules of vector_body.h: the including file sets IMGMILL_LANES
// and IMGMILL_BLOCK_VECTORS and opens a namespace of its own.
#include "networks/kernels/vector_body.h"

constexpr int kBlockVectors = IMGMILL_BLOCK_VECTORS;
constexpr int kRows =
    6;  // rows x block vectors accumulators, the weights' vectors and one more fill the registers
constexpr int kPlanes = 36;

/// B^T d, one column of it.
IMGMILL_INLINE void TransformInput(const Vector d[6], Vector o[6]) {
  o[0] = 4.0f * d[0] - 5.0f * d[2] + d[4];
  const Vector a = d[4] - 4.0f * d[2], b = d[3] - 4.0f * d[1];
  o[1] = a + b;
  o[2] = a - b;
  const Vector c = d[4] - d[2], e = 2.0f * (d[3] - d[1]);
  o[3] = c + e;
  o[4] = c - e;
  o[5] = 4.0f * d[1] - 5.0f * d[3] + d[5];
}

/// A^T m, one column of it.
IMGMILL_INLINE void TransformOutput(const Vector m[6], Vector o[4]) {
  const Vector s12 = m[1] + m[2], d12 = m[1] - m[2], s34 = m[3] + m[4], d34 = m[3] - m[4];
  o[0] = m[0] + s12 + s34;
  o[1] = 2.0f * d34 + d12;
  o[2] = 4.0f * s34 + s12;
  o[3] = 8.0f * d34 + d12 + m[5];
}

/// Where pixel `at`, counted from the one left of the image, is stored.
template <bool Doubled>
IMGMILL_INLINE size_t Stored(size_t at) {
  return Doubled ? (at + 1) / 2 : at;
}

/// planes[36][tiles][channels] = B^T d B of each tile; `stride` floats from one pixel's channels to the next.
template <bool Doubled>
static void GatherTiles(const ConvInput& in, size_t stride, int first, int tiles, float* planes) {
  const size_t plane = WinogradPlane(stride), pixel = static_cast<size_t>(in.stride);
  for (int p = 0; p < tiles; ++p) {
    const size_t start = static_cast<size_t>(4 * (first + p));
    for (size_t c = 0; c < static_cast<size_t>(in.channels); c += kLanes) {
      alignas(kLanes * sizeof(float)) Vector half[6][6];
      for (size_t j = 0; j < 6; ++j) {
        const size_t from = Stored<Doubled>(start + j) * pixel + c;
        Vector column[6], out[6];
        for (int i = 0; i < 6; ++i) column[i] = Load(in.rows[i] + from);
        // What the next tile sees and this one does not: six rows are too many for processors to foresee.
        if (j >= 2) {
          const size_t next = Stored<Doubled>(start + j + 4) * pixel + c;
          for (int i = 0; i < 6; ++i) __builtin_prefetch(in.rows[i] + next, 0, 3);
        }
        TransformInput(column, out);
        for (int i = 0; i < 6; ++i) half[i][j] = out[i];
      }
      float* to = planes + static_cast<size_t>(p) * stride + c;
      for (int i = 0; i < 6; ++i) {
        Vector out[6];
        TransformInput(half[i], out);
        for (int j = 0; j < 6; ++j) Store(to + static_cast<size_t>(6 * i + j) * plane, out[j]);
      }
    }
  }
}

/// to[pixels][channels] of pixels x0 .. x1 - 1 of row i.
template <bool Doubled>
static void GatherPixels(const ConvInput& in, size_t stride, int i, int x0, int x1, float* to) {
  for (int x = x0; x < x1; ++x, to += stride) {
    const float* from =
        in.rows[i + 1] + Stored<Doubled>(static_cast<size_t>(x + 1)) * static_cast<size_t>(in.stride);
    for (size_t c = 0; c < static_cast<size_t>(in.channels); c += kLanes) Store(to + c, Load(from + c));
  }
}

/// Floats of a pixel of all inputs together.
IMGMILL_INLINE size_t GatheredChannels(const ConvRows& rows) {
  size_t channels = 0;
  for (int n = 0; n < rows.inputs; ++n) channels += static_cast<size_t>(rows.in[n].channels);
  return channels;
}

/// products[R][V vectors] = tiles[R][channels] * weights[channels][V vectors], summed in registers in the
/// order of the channels, whatever R is.
template <int R, int V>
IMGMILL_INLINE void MultiplyRows(const float* tiles, size_t stride, const float* weights, size_t channels,
                                 float* products) {
  Vector sum[R][V];
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) sum[r][v] = Vector{};
  }
  for (size_t c = 0; c < channels; ++c) {
    Vector w[V];
    for (int v = 0; v < V; ++v) w[v] = Load(weights + (c * V + static_cast<size_t>(v)) * kLanes);
    for (int r = 0; r < R; ++r) {
      const float x = tiles[static_cast<size_t>(r) * stride + c];
      for (int v = 0; v < V; ++v) sum[r][v] += x * w[v];
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) Store(products + (r * V + v) * kLanes, sum[r][v]);
  }
}

template <int V>
static void Multiply(const float* tiles, size_t stride, const float* weights, size_t channels, int count,
                     float* products) {
  for (; count >= kRows; count -= kRows) {
    MultiplyRows<kRows, V>(tiles, stride, weights, channels, products);
    tiles += kRows * stride;
    products += kRows * V * kLanes;
  }
  switch (count) {
    case 5:
      return MultiplyRows<5, V>(tiles, stride, weights, channels, products);
    case 4:
      return MultiplyRows<4, V>(tiles, stride, weights, channels, products);
    case 3:
      return MultiplyRows<3, V>(tiles, stride, weights, channels, products);
    case 2:
      return MultiplyRows<2, V>(tiles, stride, weights, channels, products);
    case 1:
      return MultiplyRows<1, V>(tiles, stride, weights, channels, products);
    default:
      return;
  }
}

/// Activation and what is added, of an end that does not need the first of these for more.
/// @param sum  sum(value): with what is added
template <typename Sum>
IMGMILL_INLINE Vector Ended(const ConvLayer& layer, Vector value, Vector slope, const Sum& sum) {
  switch (layer.end) {
    case ConvEnd::kSilu:
      return sum(value * Sigmoid(value) * layer.gain);
    case ConvEnd::kGelu:
      return sum(value * NormalShare(value) * layer.gain);
    case ConvEnd::kMish:
      return sum(value * MishShare(value) * slope * layer.gain);
    case ConvEnd::kSumGelu:
      value = sum(value * layer.gain);
      return value * NormalShare(value);
    case ConvEnd::kSumSlope:
      value = sum(value * layer.gain);
      return value > 0.0f ? value : value * slope;
    default:
      value = value > 0.0f ? value : value * slope;
      return sum(value * layer.gain);
  }
}

/// Bias, activation and what is added, for the channels from `at` on: floats from the start of row i.
template <bool Plain>
IMGMILL_INLINE Vector Finished(const ConvLayer& layer, const ConvRows& rows, int i, size_t at, Vector value,
                               Vector slope) {
  if (Plain) return value > 0.0f ? value : value * slope;
  if (layer.end == ConvEnd::kGate)
    return (value + Load(rows.added[0].rows[i] + at)) * (Sigmoid(value) - 0.5f);
  if (Gates(layer.end)) {
    const Vector weight = layer.end == ConvEnd::kWeigh ? Sigmoid(value) : value * NormalShare(value);
    value = Load(rows.added[0].rows[i] + at) * weight;
    if (rows.additions > 1) value += rows.added[1].scale * Load(rows.added[1].rows[i] + at);
    return value;
  }
  return Ended(layer, value, slope, [&](Vector sum) {
    if (layer.shift != 0.0f) sum += layer.shift;
    for (int n = 0; n < rows.additions; ++n) sum += rows.added[n].scale * Load(rows.added[n].rows[i] + at);
    return sum;
  });
}

IMGMILL_INLINE bool IsPlain(const ConvLayer& layer, const ConvRows& rows) {
  return layer.end == ConvEnd::kSlope && layer.gain == 1.0f && layer.shift == 0.0f && rows.additions == 0;
}

/// A^T m A of each tile and its end; V vectors of output channels from channel k on.
template <int V, bool Plain>
static void ScatterTiles(const ConvLayer& layer, const ConvRows& rows, size_t k, int first, int tiles,
                         const float* products) {
  const size_t stride = static_cast<size_t>(PaddedChannels(layer.out_channels));
  const size_t plane = WinogradPlane(V * kLanes);
  for (int p = 0; p < tiles; ++p) {
    const int x = 4 * (first + p);
    const int columns = rows.width - x < 4 ? rows.width - x : 4;
    for (int v = 0; v < V; ++v) {
      const size_t channel = k + static_cast<size_t>(v * kLanes);
      const float* from = products + static_cast<size_t>((p * V + v) * kLanes);
      alignas(kLanes * sizeof(float)) Vector half[4][6];
      for (size_t j = 0; j < 6; ++j) {
        Vector column[6], out[4];
        for (size_t i = 0; i < 6; ++i) column[i] = Load(from + (6 * i + j) * plane);
        TransformOutput(column, out);
        for (int i = 0; i < 4; ++i) half[i][j] = out[i];
      }
      const Vector bias = Load(layer.bias + channel), slope = Load(layer.slope + channel);
      for (int i = 0; i < 4 && rows.out[i] != nullptr; ++i) {
        Vector out[4];
        TransformOutput(half[i], out);
        size_t at = static_cast<size_t>(x) * stride + channel;
        for (int j = 0; j < columns; ++j, at += stride)
          Store(rows.out[i] + at, Finished<Plain>(layer, rows, i, at, out[j] + bias, slope));
      }
    }
  }
}

template <int V>
static void RunBlock(const ConvLayer& layer, const ConvRows& rows, size_t k, const float* weights,
                     size_t stride, int first, int tiles, const float* planes, float* products) {
  const size_t channels = static_cast<size_t>(layer.in_channels);
  for (size_t e = 0; e < kPlanes; ++e) {
    Multiply<V>(planes + e * WinogradPlane(stride), stride, weights + e * channels * V * kLanes, channels,
                tiles, products + e * WinogradPlane(V * kLanes));
  }
  if (IsPlain(layer, rows)) return ScatterTiles<V, true>(layer, rows, k, first, tiles, products);
  ScatterTiles<V, false>(layer, rows, k, first, tiles, products);
}

/// Calls one<V>(first channel, weights) for each block of V vectors of output channels.
template <typename One>
IMGMILL_INLINE void ForBlocks(const ConvLayer& layer, size_t floats_a_channel, const One& one) {
  const int vectors = PaddedChannels(layer.out_channels) / kLanes;
  const float* weights = layer.weights;
  for (int done = 0; done < vectors;) {
    const int now = vectors - done < kBlockVectors ? vectors - done : kBlockVectors;
    const size_t k = static_cast<size_t>(done * kLanes);
    switch (now) {
#if IMGMILL_BLOCK_VECTORS >= 4
      case 4:
        one.template operator()<4>(k, weights);
        break;
      case 3:
        one.template operator()<3>(k, weights);
        break;
#endif
      case 2:
        one.template operator()<2>(k, weights);
        break;
      default:
        one.template operator()<1>(k, weights);
        break;
    }
    weights += floats_a_channel * static_cast<size_t>(now * kLanes);
    done += now;
  }
}

static void Run(const ConvLayer& layer, const ConvRows& rows, int first, int tiles, float* scratch) {
  const size_t stride = GatheredChannels(rows);
  float* products = scratch + kPlanes * WinogradPlane(stride);
  size_t before = 0;
  for (int n = 0; n < rows.inputs; ++n) {
    const auto gather = rows.in[n].doubled ? GatherTiles<true> : GatherTiles<false>;
    gather(rows.in[n], stride, first, tiles, scratch + before);
    before += static_cast<size_t>(rows.in[n].channels);
  }
  ForBlocks(layer, kPlanes * static_cast<size_t>(layer.in_channels),
            [&]<int V>(size_t k, const float* weights) {
              RunBlock<V>(layer, rows, k, weights, stride, first, tiles, scratch, products);
            });
}

template <int V, bool Plain>
static void FinishPixels(const ConvLayer& layer, const ConvRows& rows, size_t k, int i, int x0, int x1,
                         const float* products) {
  const size_t stride = static_cast<size_t>(PaddedChannels(layer.out_channels));
  for (int v = 0; v < V; ++v) {
    const size_t channel = k + static_cast<size_t>(v * kLanes);
    const Vector bias = Load(layer.bias + channel), slope = Load(layer.slope + channel);
    for (int x = x0; x < x1; ++x) {
      const size_t at = static_cast<size_t>(x) * stride + channel;
      const Vector value = Load(products + ((x - x0) * V + v) * kLanes) + bias;
      Store(rows.out[i] + at, Finished<Plain>(layer, rows, i, at, value, slope));
    }
  }
}

static void Run1x1(const ConvLayer& layer, const ConvRows& rows, int first, int tiles, float* scratch) {
  const size_t stride = GatheredChannels(rows);
  const int x0 = 4 * first, end = 4 * (first + tiles), x1 = end < rows.width ? end : rows.width;
  float* products = scratch + static_cast<size_t>(4 * kMostWinogradTiles) * stride;
  for (int i = 0; i < 4 && rows.out[i] != nullptr; ++i) {
    size_t before = 0;
    for (int n = 0; n < rows.inputs; ++n) {
      const auto gather = rows.in[n].doubled ? GatherPixels<true> : GatherPixels<false>;
      gather(rows.in[n], stride, i, x0, x1, scratch + before);
      before += static_cast<size_t>(rows.in[n].channels);
    }
    ForBlocks(layer, static_cast<size_t>(layer.in_channels), [&]<int V>(size_t k, const float* weights) {
      Multiply<V>(scratch, stride, weights, static_cast<size_t>(layer.in_channels), x1 - x0, products);
      if (IsPlain(layer, rows)) return FinishPixels<V, true>(layer, rows, k, i, x0, x1, products);
      FinishPixels<V, false>(layer, rows, k, i, x0, x1, products);
    });
  }
}

// G of F(4x4, 3x3): the interpolation points are 0, 1, -1, 2, -2 and infinity.
constexpr double kG[6][3] = {{1.0 / 4, 0, 0},
                             {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                             {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                             {1.0 / 24, 1.0 / 12, 1.0 / 6},
                             {1.0 / 24, -1.0 / 12, 1.0 / 6},
                             {0, 0, 1}};

/// Calls each(c, lane, weights) for the kernels of kLanes output channels from k on; null for none.
template <typename Each>
IMGMILL_INLINE void ForKernels(const ConvPacking& packing, int k, int side, const Each& each) {
  for (int c = 0; c < packing.in_channels; ++c) {
    const int from = packing.from != nullptr ? packing.from[c] : c;
    for (int lane = 0; lane < kLanes; ++lane) {
      const bool real = from >= 0 && k + lane < packing.out_channels;
      each(c, lane,
           real ? packing.weights +
                      (static_cast<size_t>(k + lane) * static_cast<size_t>(packing.file_channels) +
                       static_cast<size_t>(from)) *
                          static_cast<size_t>(side * side)
                : nullptr);
    }
  }
}

/// G g G^T, in double so that only the last rounding shows.
static void Pack(const ConvPacking& packing, int block, float* packed) {
  const int first = block * kBlockVectors * kLanes, all = PaddedChannels(packing.out_channels);
  const int width = all - first < kBlockVectors * kLanes ? all - first : kBlockVectors * kLanes;
  packed += static_cast<size_t>(kPlanes * packing.in_channels) * static_cast<size_t>(first);
  for (int k = 0; k < width; k += kLanes) {
    double g[9][kLanes];
    ForKernels(packing, first + k, 3, [&](int c, int lane, const float* weights) {
      for (int i = 0; i < 9; ++i) g[i][lane] = weights != nullptr ? static_cast<double>(weights[i]) : 0.0;
      if (lane + 1 < kLanes) return;
      double half[6][3][kLanes];
      for (int i = 0; i < 6; ++i) {
        for (int j = 0; j < 3; ++j) {
          for (int l = 0; l < kLanes; ++l)
            half[i][j][l] = kG[i][0] * g[j][l] + kG[i][1] * g[3 + j][l] + kG[i][2] * g[6 + j][l];
        }
      }
      for (int i = 0; i < 6; ++i) {
        for (int j = 0; j < 6; ++j) {
          float* to = packed + ((6 * i + j) * packing.in_channels + c) * width + k;
          for (int l = 0; l < kLanes; ++l)
            to[l] = static_cast<float>(half[i][0][l] * kG[j][0] + half[i][1][l] * kG[j][1] +
                                       half[i][2][l] * kG[j][2]);
        }
      }
    });
  }
}

static void Pack1x1(const ConvPacking& packing, int block, float* packed) {
  const int first = block * kBlockVectors * kLanes, all = PaddedChannels(packing.out_channels);
  const int width = all - first < kBlockVectors * kLanes ? all - first : kBlockVectors * kLanes;
  packed += static_cast<size_t>(packing.in_channels) * static_cast<size_t>(first);
  for (int k = 0; k < width; k += kLanes) {
    ForKernels(packing, first + k, 1, [&](int c, int lane, const float* weight) {
      packed[c * width + k + lane] = weight != nullptr ? *weight : 0.0f;
    });
  }
}
