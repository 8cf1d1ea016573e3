// Which vectors a command is about: those of the built-in descriptor, or of a model and the input it is
// given.
#pragma once

#include <optional>
#include <string>

#include "imgmill/base/model_input.h"
#include "imgmill/base/result.h"

namespace imgmill {

class Flags;

/// Shared by `embed`, `match` and `dedup --method embedding`: vectors are found again only under the same
/// values.
struct EmbeddingOptions {
  /// Weights of an embedding network as they were published (.safetensors, .pth), which say what they take;
  /// or a TorchScript file of a network that takes N x 3 x side x side and gives N vectors. Empty: the
  /// built-in descriptor, for which none of the others means anything.
  std::string model;

  /// In place of a model, the name under which vectors made elsewhere were imported.
  std::string model_name;

  /// Side of the model's square input, in pixels. 0: what the weights say; 224 for TorchScript.
  int input_size = 0;

  /// One number or three (in the order of `channels`), each "0.5" or "1/127.5". Either mean and
  /// deviation of values 0..1, as in (x / 255 - mean) / std, or factor and offset of values 0..255, as in
  /// x * scale + shift. Empty: what the weights were trained with. TorchScript does not say, and a guess
  /// would give vectors that look right and are not: there one pair must be given.
  std::string mean, deviation;
  std::string scale, shift;

  /// "squash" takes the whole image, whatever its shape; "crop" the largest square in its middle; "shorter"
  /// brings the shorter side to `shorter_side`, and then cuts the square out of the middle. Empty: what the
  /// weights were tested with; "squash" for TorchScript.
  std::string resize;

  /// For "shorter", in pixels. 0: what the weights say, or the input's side.
  int shorter_side = 0;

  /// Of Pillow's resize: "bilinear", "bicubic", "lanczos". Empty: what the weights say; "bilinear" for
  /// TorchScript.
  std::string interpolation;

  /// "rgb" or "bgr"; empty is "rgb".
  std::string channels;

  /// "gelu" or "quickgelu", for a CLIP model, whose weights are the same for both. Empty: by the file's
  /// layout.
  std::string activation;

  std::optional<std::string> Check() const;
  /// Whether any option but the model is given.
  bool DescribesInput() const;

  /// What Check has found to be right, and otherwise what the weights say.
  /// @param own  null for TorchScript, which says nothing: kUsage where nothing else does
  Result<ModelInput> Input(const ModelInput* own) const;

  /// FILE.yaml beside the model, where its author can put the options above; empty without a model.
  std::string defaults_file() const { return model.empty() ? std::string() : model + ".yaml"; }
};

/// Why a model's file cannot be opened; nothing if it can.
std::optional<std::string> CheckModel(const std::string& path);

/// The group of the flags that FILE.yaml may set.
inline constexpr char kModelInputGroup[] = "Model input";

/// Declares the flags.
void AddEmbeddingFlags(Flags& flags, EmbeddingOptions& options);

}  // namespace imgmill
