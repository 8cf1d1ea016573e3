// Which vectors a command is about: those of the built-in descriptor, or of a model and the input it is
// given.
#pragma once

#include <optional>
#include <string>

#include "imgmill/base/result.h"
#include "imgmill/signals/model_image.h"

namespace CLI {
class App;
}

namespace imgmill {

/// Shared by `embed`, `match` and `dedup --method embedding`: vectors are found again only under the same
/// values.
struct EmbeddingOptions {
  /// TorchScript file of a network that takes N x 3 x side x side and gives N vectors. Empty: the built-in
  /// descriptor, for which none of the others means anything.
  std::string model;

  /// Side of the model's square input, in pixels.
  int input_size = 224;

  /// One number or three (in the order of `channels`), each "0.5" or "1/127.5". Either mean and
  /// deviation of values 0..1, as in (x / 255 - mean) / std, or factor and offset of values 0..255, as in
  /// x * scale + shift. A model does not say which it was trained with, and a guess would give vectors that
  /// look right and are not: so one pair must be given.
  std::string mean, deviation;
  std::string scale, shift;

  /// "squash" takes the whole image, whatever its shape; "crop" the largest square in its middle.
  std::string resize = "squash";

  /// "rgb" or "bgr".
  std::string channels = "rgb";

  std::optional<std::string> Check() const;

  /// What Check has found to be right.
  ModelInput Input() const;

  /// FILE.yaml beside the model, where its author can put the options above; empty without a model.
  std::string defaults_file() const { return model.empty() ? std::string() : model + ".yaml"; }
};

/// The group of the flags that FILE.yaml may set.
inline constexpr char kModelInputGroup[] = "Model input";

/// Declares the flags.
void AddEmbeddingFlags(CLI::App& app, EmbeddingOptions& options);

}  // namespace imgmill
