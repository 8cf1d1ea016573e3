// `imgmill upscale`: enlarge images by a model or a classical kernel, in bands, so that memory does not grow
// with height.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/commands/output_format.h"

namespace imgmill {

class Flags;

struct UpscaleOptions {
  /// Folder for the enlarged images; sub-folders of the input are kept.
  std::string output;

  /// Weight file (.safetensors, .pth, .pt); its architecture is detected.
  std::string model;

  /// Without a model: nearest, linear, cubic, mitchell, lanczos2 or lanczos3 ("lanczos" for short).
  std::string method;

  /// Output pixels for each input pixel, each way. 0: the model's own, or 2 for a classical method.
  double scale = 0;

  /// Of a reduction by a whole number N, each image is first cropped to multiples of N, its last columns and
  /// rows left out: each output pixel then shows N x N whole ones, as pairs for super-resolution need it.
  /// Else a side that is no multiple is rounded to the nearest size, and the scale is not quite N.
  bool crop = false;

  /// The N of a reduction by 1/N, where `scale` is one within a thousandth; else 0.
  int Divisor() const;

  /// Standard deviation of the noise, of 255, that a network is told which takes such a level: 0 to 255.
  /// None: what its file says, or 15.
  std::optional<double> noise_level;

  /// Side of the tiles a model works on, in input pixels; 0 leaves it to the model's plan. Part of the plan
  /// of numerics: another tile is another run for the catalog.
  int tile = 0;

  /// What a GPU computes in: "float32", "half", or "auto" for half precision where a picture that is drawn
  /// for the trial comes out within one level of 255. The CPU computes in float32.
  std::string precision = "auto";

  /// Files beside an image that are copied beside its output, under its name: patterns as "*.txt".
  std::vector<std::string> sidecars;

  /// How the outputs are stored: png, jpg, webp, tiff, jxl or avif.
  OutputFormat file;

  std::optional<std::string> Check() const;
};

/// Declares the flags; the command they fill is returned.
std::unique_ptr<Command> AddUpscale(Flags& flags);

}  // namespace imgmill
