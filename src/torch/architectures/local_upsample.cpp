#include "torch/architectures/local_upsample.h"

#include <algorithm>
#include <cmath>

#include "torch/architectures/feature_maps.h"
#include "torch/architectures/same_bits.h"

namespace imgmill {
namespace {

// What leaves no trace in the shapes, as all published networks have it.
constexpr int64_t kReduction = 4;  ///< of features to those of queries and keys
constexpr int64_t kGroups = 2;     ///< of features that look at the same places
constexpr int64_t kSide = 3, kPlaces = kSide * kSide;
constexpr double kReach = 11;  ///< output pixels that a place may be off, each way
constexpr double kEpsilon = 1e-6;

constexpr int64_t kPixelsAtOnce = 8192;
constexpr int64_t kOffsetContext = 2;  ///< rows that the two convolutions behind the offsets see

int64_t BandRows(int64_t output_width) {
  return std::max<int64_t>(4, kPixelsAtOnce / output_width);
}

}  // namespace

LocalUpsample::LocalUpsample(Layers& layers, const std::string& name, const LocalUpsampleShape& shape)
    : shape_(shape) {
  const int64_t features = shape.features, few = features / kReduction, each = few / kGroups;
  const ConvShape plain = {.side = 1, .bias = false};
  query_ = layers.Conv(name + ".proj_q", few, features, plain);
  key_ = layers.Conv(name + ".proj_k", few, features, plain);
  norm_ = layers.Norm(name + ".layer_norm", features, kEpsilon);
  around_ = layers.Conv(name + ".conv_offset.0", each, each, {.groups = each, .bias = false});
  offset_norm_ = layers.Norm(name + ".conv_offset.1", each, kEpsilon);
  offset_ = layers.Conv(name + ".conv_offset.3", 2 * kPlaces, each);
  places_ = layers.Parameter(name + ".relative_position_bias_table", {1, 1, 1, kPlaces, few});
  if (places_.defined()) places_ = places_.view({kPlaces, few}).t().contiguous();
}

int64_t LocalUpsample::Floats(const LocalUpsampleShape& shape, int64_t height, int64_t width) {
  const int64_t few = shape.features / kReduction, columns = width * shape.scale;
  const int64_t rows = std::min(height * shape.scale, BandRows(columns) + 2);
  return height * width * (shape.features + few * (1 + shape.scale * shape.scale)) +
         rows * columns * (kPlaces * (shape.features + 2 * few + 8) + 2 * shape.features);
}

torch::Tensor LocalUpsample::Rows(const torch::Tensor& x, const torch::Tensor& keys,
                                  const torch::Tensor& queries, int64_t top, int64_t rows) const {
  const int64_t n = x.size(0), features = shape_.features, few = features / kReduction;
  const int64_t height = queries.size(2), width = queries.size(3);
  const auto grouped = [&](const torch::Tensor& of) {
    return of.contiguous().view({n * kGroups, of.size(1) / kGroups, of.size(2), of.size(3)});
  };
  // n * groups x 2 * places x rows x width: down and right, of each place. Half precision has no place
  // between two pixels of a wide image.
  torch::Tensor offsets;
  {
    const int64_t from = std::max<int64_t>(0, top - kOffsetContext);
    const int64_t to = std::min(height, top + rows + kOffsetContext);
    const torch::Tensor around = around_(grouped(queries.slice(2, from, to)));
    offsets = offset_(torch::silu(NormalizedPixels(offset_norm_, around)))
                  .narrow(2, top - from, rows)
                  .to(torch::kFloat32)
                  .tanh()
                  .mul_(kReach)
                  .view({n * kGroups, kSide, kSide, 2, rows, width});
  }
  const auto count = [&](int64_t first, int64_t many) {
    return torch::arange(first, first + many, offsets.options());
  };
  // Places from -1 to 1, the first and the last output pixel.
  const auto normal = [](torch::Tensor at, int64_t size) {
    return at.mul_(2.0 / static_cast<double>(size - 1)).sub_(1);
  };
  offsets.select(3, 0).add_(count(-(kSide / 2), kSide).view({1, -1, 1, 1, 1}));
  offsets.select(3, 1).add_(count(-(kSide / 2), kSide).view({1, 1, -1, 1, 1}));
  const torch::Tensor down =
      normal(offsets.select(3, 0).add_(count(top, rows).view({1, 1, 1, -1, 1})), height);
  const torch::Tensor right =
      normal(offsets.select(3, 1).add_(count(0, width).view({1, 1, 1, 1, -1})), width);
  const torch::Tensor grid = torch::stack({right, down}, -1).view({n * kGroups, kPlaces * rows, width, 2});
  const auto seen = [&](const torch::Tensor& of) {
    constexpr int64_t kBilinear = 0, kZeros = 0;
    return torch::grid_sampler(grouped(of).to(torch::kFloat32), grid, kBilinear, kZeros,
                               /*align_corners=*/true)
        .to(of.scalar_type())
        .view({n, of.size(1), kPlaces, rows, width});
  };
  torch::Tensor weights;  // n x places x rows x width
  {
    torch::Tensor products = seen(keys).add_(places_.view({1, few, kPlaces, 1, 1}));
    products.mul_(queries.slice(2, top, top + rows).unsqueeze(2));
    weights = SoftmaxOfChannels(products.sum(1).mul_(1 / std::sqrt(static_cast<double>(few))));
  }
  return seen(x).mul_(weights.unsqueeze(1)).sum(2);
}

torch::Tensor LocalUpsample::operator()(const torch::Tensor& x, const Convolution& last) const {
  const int64_t height = x.size(2) * shape_.scale, width = x.size(3) * shape_.scale;
  torch::Tensor keys, queries;
  {
    const torch::Tensor normalized = NormalizedPixels(norm_, x);
    keys = key_(normalized);
    queries = EnlargedBilinear(query_(normalized), height, width, /*align_corners=*/true);
  }
  torch::Tensor output = torch::empty({x.size(0), last.weight.size(0), height, width}, x.options());
  for (int64_t top = 0; top < height; top += BandRows(width)) {
    const int64_t rows = std::min(BandRows(width), height - top);
    const int64_t from = std::max<int64_t>(0, top - 1), to = std::min(height, top + rows + 1);
    output.narrow(2, top, rows)
        .copy_(last(Rows(x, keys, queries, from, to - from)).narrow(2, top - from, rows));
  }
  return output;
}

}  // namespace imgmill
