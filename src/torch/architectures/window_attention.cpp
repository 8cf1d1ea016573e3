#include "torch/architectures/window_attention.h"

#include <algorithm>
#include <cmath>

#include "torch/architectures/kernel_attention.h"

namespace imgmill {
namespace {

constexpr double kMasked = -100;

/// Which of the last window's rows came from the image's other end.
torch::Tensor Wrapped(int64_t side, int64_t shift, const torch::TensorOptions& options) {
  return torch::arange(side, options).ge(side - shift);
}

/// Whether each pixel of a window at the image's bottom, or at its right, is of another neighbourhood: 0
/// to 3.
torch::Tensor Neighbourhood(int64_t height, int64_t width, int64_t down, int64_t right,
                            const torch::TensorOptions& options) {
  const torch::Tensor rows = Wrapped(height, down, options), columns = Wrapped(width, right, options);
  return (rows.to(torch::kInt32).mul(2).unsqueeze(1) + columns.to(torch::kInt32).unsqueeze(0)).flatten();
}

/// What is added to the bias where the window touches the bottom, the right edge, or both.
torch::Tensor Mask(const WindowShape& shape, bool bottom, bool right, const torch::Tensor& like) {
  const auto options = torch::TensorOptions(like.device()).dtype(torch::kInt64);
  const int64_t step = shape.key_step;
  const auto parts = [&](int64_t by) {
    return Neighbourhood(shape.height / by, shape.width / by, bottom ? (shape.down + by - 1) / by : 0,
                         right ? (shape.right + by - 1) / by : 0, options);
  };
  const torch::Tensor differs = parts(1).unsqueeze(1).ne(parts(step).unsqueeze(0));
  return differs.to(like.dtype()).mul_(kMasked);
}

}  // namespace

torch::Tensor ToWindows(const torch::Tensor& image, int64_t height, int64_t width) {
  const int64_t n = image.size(0), rows = image.size(1) / height, columns = image.size(2) / width;
  return image.unflatten(1, {rows, height})
      .unflatten(3, {columns, width})
      .permute({0, 1, 3, 2, 4, 5})
      .reshape({n * rows * columns, height * width, image.size(3)});
}

void FromWindows(const torch::Tensor& windows, int64_t height, int64_t width, torch::Tensor image) {
  const int64_t rows = image.size(1) / height, columns = image.size(2) / width;
  image.unflatten(1, {rows, height})
      .unflatten(3, {columns, width})
      .copy_(windows.view({image.size(0), rows, columns, height, width, image.size(3)})
                 .permute({0, 1, 3, 2, 4, 5}));
}

torch::Tensor ForWindows(const torch::Tensor& image, const WindowShape& shape, const torch::Tensor& bias,
                         const WindowFunction& attend) {
  const int64_t height = image.size(1), width = image.size(2);
  const bool moves = shape.down > 0 || shape.right > 0;
  torch::Tensor moved = moves ? image.roll({-shape.down, -shape.right}, {1, 2}) : image;
  torch::Tensor output;
  const int64_t band =
      std::max<int64_t>(1, kPixelsAtOnce / (image.size(0) * width * shape.height)) * shape.height;
  const auto part = [&](int64_t top, int64_t bottom, int64_t left, int64_t right) {
    if (top == bottom || left == right) return;
    torch::Tensor shown = bias;
    if (moves && (bottom == height || right == width))
      shown = bias + Mask(shape, bottom == height, right == width, bias);
    for (int64_t from = top; from < bottom; from += band) {
      const int64_t rows = std::min(band, bottom - from);
      const auto cut = [&](const torch::Tensor& of) {
        return of.narrow(1, from, rows).slice(2, left, right);
      };
      const torch::Tensor made = attend(ToWindows(cut(moved), shape.height, shape.width), shown);
      if (!output.defined())
        output = torch::empty({image.size(0), height, width, made.size(2)}, image.options());
      FromWindows(made, shape.height, shape.width, cut(output));
    }
  };
  if (!moves) {
    part(0, height, 0, width);
    return output;
  }
  // Only windows at the bottom and at the right have pixels from the other end.
  const int64_t inner_height = height - shape.height, inner_width = width - shape.width;
  part(0, inner_height, 0, inner_width);
  part(0, inner_height, inner_width, width);
  part(inner_height, height, 0, inner_width);
  part(inner_height, height, inner_width, width);
  moved.reset();
  return output.roll({shape.down, shape.right}, {1, 2});
}

torch::Tensor Attend(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                     const torch::Tensor& bias, double scale) {
  if (const ConvKernels* kernels = AttentionKernels(q, k, v, bias)) {
    return AttendOnKernels(*kernels, q, k, v, bias,
                           scale > 0 ? scale : 1 / std::sqrt(static_cast<double>(q.size(3))));
  }
  const auto factor = scale > 0 ? std::optional<double>(scale) : std::nullopt;
  return at::scaled_dot_product_attention(q, k, v, bias.unsqueeze(0), 0.0, false, factor)
      .transpose(1, 2)
      .flatten(2);
}

torch::Tensor SplitHeads(const torch::Tensor& windows, int64_t parts, int64_t heads) {
  return windows.unflatten(2, {parts, heads, windows.size(2) / (parts * heads)}).permute({2, 0, 3, 1, 4});
}

torch::Tensor RelativeIndex(int64_t height, int64_t width, c10::Device device) {
  const auto options = torch::TensorOptions(device).dtype(torch::kInt64);
  const auto offsets = [&](int64_t side) {
    const torch::Tensor at = torch::arange(side, options);
    return at.unsqueeze(1) - at.unsqueeze(0) + (side - 1);  // of queries from keys, from 0
  };
  const torch::Tensor down = offsets(height), right = offsets(width);
  return (down.view({height, 1, height, 1}) * (2 * width - 1) + right.view({1, width, 1, width}))
      .reshape({height * width, height * width});
}

torch::Tensor RelativeBias(const torch::Tensor& table, const torch::Tensor& index) {
  return table.index_select(0, index.flatten())
      .view({index.size(0), index.size(1), table.size(1)})
      .permute({2, 0, 1})
      .contiguous();
}

int64_t WindowOfTable(int64_t rows) {
  const auto side = (static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(rows)))) + 1) / 2;
  return rows > 0 && (2 * side - 1) * (2 * side - 1) == rows ? side : 0;
}

int64_t WindowFloats(const WindowShape& shape, int64_t width, int64_t features, int64_t heads, int64_t keys) {
  const int64_t pixels = std::max(kPixelsAtOnce, width * shape.height);
  return pixels * (6 * features + heads * keys);
}

}  // namespace imgmill
