// The body of every Winograd kernel, written once on GCC's vector types and compiled once an instruction set:
// the including file sets IMGMILL_LANES and IMGMILL_BLOCK_VECTORS and opens a namespace of its own. Nothing
// with code in it may be included here: of an inline function that several files compile the linker keeps one
// copy, perhaps the one made of AVX-512 instructions, for all machines.

using Vector =
    float __attribute__((vector_size(IMGMILL_LANES * sizeof(float)), aligned(sizeof(float)), may_alias));

constexpr int kLanes = IMGMILL_LANES;
constexpr int kBlockVectors = IMGMILL_BLOCK_VECTORS;
constexpr int kRows =
    6;  // rows x block vectors accumulators, the weights' vectors and one more fill the registers
constexpr int kPlanes = 36;

#define IMGMILL_INLINE static inline __attribute__((always_inline))

IMGMILL_INLINE Vector Load(const float* from) {
  return *reinterpret_cast<const Vector*>(from);
}
IMGMILL_INLINE void Store(float* to, Vector value) {
  *reinterpret_cast<Vector*>(to) = value;
}

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

/// planes[36][tiles][channels] = B^T d B of each tile.
static void GatherTiles(const WinogradRows& rows, size_t channels, int first, int tiles, float* planes) {
  const size_t plane = WinogradPlane(channels);
  for (int p = 0; p < tiles; ++p) {
    const size_t start = static_cast<size_t>(4 * (first + p)) * channels;
    for (size_t c = 0; c < channels; c += kLanes) {
      Vector half[6][6];
      for (size_t j = 0; j < 6; ++j) {
        Vector column[6], out[6];
        for (int i = 0; i < 6; ++i) column[i] = Load(rows.in[i] + start + j * channels + c);
        TransformInput(column, out);
        for (int i = 0; i < 6; ++i) half[i][j] = out[i];
      }
      float* to = planes + static_cast<size_t>(p) * channels + c;
      for (int i = 0; i < 6; ++i) {
        Vector out[6];
        TransformInput(half[i], out);
        for (int j = 0; j < 6; ++j) Store(to + static_cast<size_t>(6 * i + j) * plane, out[j]);
      }
    }
  }
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

/// A^T m A of each tile, bias, activation; V vectors of output channels from channel k on.
template <int V>
static void ScatterTiles(const WinogradLayer& layer, const WinogradRows& rows, size_t k, int first, int tiles,
                         const float* products) {
  const size_t stride = static_cast<size_t>(PaddedChannels(layer.out_channels));
  const size_t plane = WinogradPlane(V * kLanes);
  for (int p = 0; p < tiles; ++p) {
    const int x = 4 * (first + p);
    const int columns = rows.width - x < 4 ? rows.width - x : 4;
    for (int v = 0; v < V; ++v) {
      const size_t channel = k + static_cast<size_t>(v * kLanes);
      const float* from = products + static_cast<size_t>((p * V + v) * kLanes);
      Vector half[4][6];
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
        float* to = rows.out[i] + static_cast<size_t>(x) * stride + channel;
        for (int j = 0; j < columns; ++j, to += stride) {
          const Vector value = out[j] + bias;
          Store(to, value > 0.0f ? value : value * slope);
        }
      }
    }
  }
}

template <int V>
static void RunBlock(const WinogradLayer& layer, const WinogradRows& rows, size_t k, const float* weights,
                     int first, int tiles, const float* planes, float* products) {
  const size_t channels = static_cast<size_t>(layer.in_channels);
  const size_t stride = static_cast<size_t>(PaddedChannels(layer.in_channels));
  for (size_t e = 0; e < kPlanes; ++e) {
    Multiply<V>(planes + e * WinogradPlane(stride), stride, weights + e * channels * V * kLanes, channels,
                tiles, products + e * WinogradPlane(V * kLanes));
  }
  ScatterTiles<V>(layer, rows, k, first, tiles, products);
}

static void Run(const WinogradLayer& layer, const WinogradRows& rows, int first, int tiles, float* scratch) {
  const size_t stride = static_cast<size_t>(PaddedChannels(layer.in_channels));
  float* products = scratch + kPlanes * WinogradPlane(stride);
  GatherTiles(rows, stride, first, tiles, scratch);
  const int vectors = PaddedChannels(layer.out_channels) / kLanes;
  const float* weights = layer.weights;
  for (int done = 0; done < vectors;) {
    const int now = vectors - done < kBlockVectors ? vectors - done : kBlockVectors;
    const size_t k = static_cast<size_t>(done * kLanes);
    switch (now) {
#if IMGMILL_BLOCK_VECTORS >= 4
      case 4:
        RunBlock<4>(layer, rows, k, weights, first, tiles, scratch, products);
        break;
      case 3:
        RunBlock<3>(layer, rows, k, weights, first, tiles, scratch, products);
        break;
#endif
      case 2:
        RunBlock<2>(layer, rows, k, weights, first, tiles, scratch, products);
        break;
      default:
        RunBlock<1>(layer, rows, k, weights, first, tiles, scratch, products);
        break;
    }
    weights += static_cast<size_t>(kPlanes * layer.in_channels * now * kLanes);
    done += now;
  }
}
