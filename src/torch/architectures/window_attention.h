// Attention among the pixels of windows, as Swin Transformers have it: windows, shifts, masks and relative
// positions, in bands of bounded size.
#pragma once

#include <functional>

#include "torch/architectures/image_bands.h"
#include "torch/torch_headers.h"

namespace imgmill {

/// How an image is cut. Images are N x H x W x C in this file, of sides that are multiples of the window's.
struct WindowShape {
  int64_t height = 8, width = 8;
  /// The image is first moved up and left by so many pixels; what leaves it comes back at the other end.
  int64_t down = 0, right = 0;
  /// Keys and values are squares of so many pixels a side, put together.
  int64_t key_step = 1;
  int64_t pixels() const { return height * width; }
};

/// (windows) x (pixels of one) x C, row by row.
torch::Tensor ToWindows(const torch::Tensor& image, int64_t height, int64_t width);
/// Writes such windows into an image, or a part of one.
void FromWindows(const torch::Tensor& windows, int64_t height, int64_t width, torch::Tensor image);

/// windows x pixels x C and what is added to the logits (heads x queries x keys) to windows x pixels x C.
using WindowFunction = std::function<torch::Tensor(const torch::Tensor& windows, const torch::Tensor& bias)>;

/// Calls `attend` for bands of windows and puts its results together, moved back. With a shift, pixels that
/// were not neighbours in the image do not see each other: -100 is added to the bias.
/// @param bias  heads x queries x keys
torch::Tensor ForWindows(const torch::Tensor& image, const WindowShape& shape, const torch::Tensor& bias,
                         const WindowFunction& attend);

/// softmax(q k^T * scale + bias) v of windows x heads x pixels x features each; merged to windows x pixels x
/// (heads * features). `bias` is heads x queries x keys.
/// @param scale  0: 1 / sqrt(features)
torch::Tensor Attend(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                     const torch::Tensor& bias, double scale = 0);

/// Of windows x pixels x (parts * heads * features), the parts: parts x windows x heads x pixels x features.
torch::Tensor SplitHeads(const torch::Tensor& windows, int64_t parts, int64_t heads);

/// For each pair of pixels of one window the row of a table of (2 * height - 1) * (2 * width - 1) offsets.
torch::Tensor RelativeIndex(int64_t height, int64_t width, c10::Device device);
/// heads x queries x keys from a table of offsets x heads.
torch::Tensor RelativeBias(const torch::Tensor& table, const torch::Tensor& index);
/// Side of the square window whose table has so many rows: (2 * side - 1) squared. 0: of none.
int64_t WindowOfTable(int64_t rows);

/// What attention holds at once beside images, in floats: three projections, what comes of them and windows,
/// and the logits. `width` is the image's.
int64_t WindowFloats(const WindowShape& shape, int64_t width, int64_t features, int64_t heads, int64_t keys);

}  // namespace imgmill
