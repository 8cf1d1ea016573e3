// Flags, checks and numbers of what a model is shown.
#include "imgmill/commands/embedding_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/usage_error.h"
#include "commands/readable_file.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flags.h"

namespace imgmill {
namespace {

/// "0.5" or "1/127.5".
std::optional<double> Number(std::string_view text) {
  const auto parse = [](std::string_view part) -> std::optional<double> {
    double value = 0;
    const auto [end, problem] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (problem != std::errc{} || end != part.data() + part.size() || !std::isfinite(value))
      return std::nullopt;
    return value;
  };
  const size_t slash = text.find('/');
  const std::optional<double> above = parse(text.substr(0, slash));
  if (!above || slash == std::string_view::npos) return above;
  const std::optional<double> below = parse(text.substr(slash + 1));
  if (!below || *below == 0) return std::nullopt;
  return *above / *below;
}

/// One number for all bands, or three; by commas or spaces, or lines as a YAML list comes.
std::optional<std::array<double, 3>> Triple(const std::string& text) {
  std::array<double, 3> values{};
  size_t count = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = text.find_first_not_of(", \n", at);
    if (begin == std::string::npos) break;
    at = std::min(text.find_first_of(", \n", begin), text.size());
    const std::optional<double> value = Number(std::string_view(text).substr(begin, at - begin));
    if (!value || count == 3) return std::nullopt;
    values[count++] = *value;
  }
  if (count == 1) values = {values[0], values[0], values[0]};
  if (count == 0 || count == 2) return std::nullopt;
  return values;
}

std::optional<std::string> CheckTriple(const char* flag, const std::string& text) {
  if (text.empty() || Triple(text)) return std::nullopt;
  return std::string(flag) + " takes one number or three with commas between them (0.5 or 1/127.5), not \"" +
         text + "\"";
}

/// A flag that takes one of a few words.
struct Choice {
  const char* flag;
  std::string EmbeddingOptions::*word;
  std::vector<std::string> words;
  const char* help;
};

const std::vector<Choice>& Choices() {
  static const std::vector<Choice> choices = {
      {"--resize",
       &EmbeddingOptions::resize,
       {"squash", "crop", "shorter"},
       "squash (into the square), crop, or shorter (scale the shorter side, then crop) [from the weights; "
       "squash for TorchScript]"},
      {"--interpolation",
       &EmbeddingOptions::interpolation,
       {"bilinear", "bicubic", "lanczos"},
       "Filter of that resize: bilinear, bicubic, lanczos [from the weights; bilinear for TorchScript]"},
      {"--channels", &EmbeddingOptions::channels, {"rgb", "bgr"}, "rgb or bgr [rgb]"},
      {"--activation",
       &EmbeddingOptions::activation,
       {"gelu", "quickgelu"},
       "gelu or quickgelu, of a CLIP model [by the layout of its weights]"},
  };
  return choices;
}

std::optional<std::string> CheckModelName(const std::string& name) {
  constexpr size_t kLongest = 200;
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (name.size() <= kLongest && plain && !name.starts_with(' ') && !name.ends_with(' ')) return std::nullopt;
  return "--model-name takes up to 200 letters, digits, signs and inner spaces (ASCII)";
}

std::string Listed(const std::vector<std::string>& words) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 < words.size() ? ", " : " or ") + words[i];
  return text;
}

}  // namespace

std::optional<std::string> CheckModel(const std::string& path) {
  return CheckReadable(path, "model");
}

std::optional<std::string> EmbeddingOptions::Check() const {
  const bool by_mean = !mean.empty() || !deviation.empty();
  const bool by_scale = !scale.empty() || !shift.empty();
  if (model.empty()) {
    if (by_mean || by_scale) return "--mean, --std, --scale and --shift go with --model FILE";
    return CheckModelName(model_name);
  }
  if (!model_name.empty())
    return "--model and --model-name: vectors are made by a model, or were imported under a name";
  if (auto wrong = CheckModel(model)) return wrong;
  if (input_size != 0 && (input_size < 8 || input_size > 4096)) return "--input-size takes 8 to 4096 pixels";
  if (shorter_side != 0 && (shorter_side < 8 || shorter_side > 4096))
    return "--shorter-side takes 8 to 4096 pixels";
  for (const auto& [flag, text] : {std::pair{"--mean", &mean}, std::pair{"--std", &deviation},
                                   std::pair{"--scale", &scale}, std::pair{"--shift", &shift}}) {
    if (auto wrong = CheckTriple(flag, *text)) return wrong;
  }
  if (by_mean && by_scale) return "give either --mean and --std, or --scale and --shift";
  if (by_mean && (mean.empty() || deviation.empty())) return "--mean and --std go together";
  if (by_scale && scale.empty()) return "--shift goes with --scale";
  if (by_mean) {
    const std::array<double, 3> spread = Triple(deviation).value_or(std::array<double, 3>{});
    if (std::count(spread.begin(), spread.end(), 0.0) > 0) return "--std must not be 0";
  }
  for (const Choice& choice : Choices()) {
    const std::string& word = this->*choice.word;
    if (!word.empty() && std::count(choice.words.begin(), choice.words.end(), word) == 0)
      return std::string(choice.flag) + " takes " + Listed(choice.words) + ", not \"" + word + "\"";
  }
  if (shorter_side != 0 && !resize.empty() && resize != "shorter")
    return "--shorter-side goes with --resize shorter";
  return std::nullopt;
}

bool EmbeddingOptions::DescribesInput() const {
  const std::string* const texts[] = {&mean,   &deviation,     &scale,    &shift,
                                      &resize, &interpolation, &channels, &activation};
  return input_size != 0 || shorter_side != 0 ||
         std::any_of(std::begin(texts), std::end(texts),
                     [](const std::string* text) { return !text->empty(); });
}

Result<ModelInput> EmbeddingOptions::Input(const ModelInput* own) const {
  if (own == nullptr && mean.empty() && scale.empty()) {
    return UsageError("which pixel values does " + PrintablePath(model) +
                      " expect? Give --mean and --std, as in (x / 255 - mean) / std, or --scale and --shift, "
                      "as in x * scale + shift; or write them to " +
                      PrintablePath(defaults_file()));
  }
  ModelInput input = own != nullptr ? *own : ModelInput{};
  if (input_size != 0) {
    // The margin that is cut off stays in proportion.
    input.shorter = static_cast<int>(int64_t{input.shorter} * input_size / input.side);
    input.side = input_size;
  }
  if (resize == "squash") input.rule = SquareRule::kSquash;
  if (resize == "crop") input.rule = SquareRule::kCrop;
  if (resize == "shorter" || shorter_side != 0) input.rule = SquareRule::kShorter;
  if (shorter_side != 0) input.shorter = shorter_side;
  // What does not count is not told apart.
  input.shorter = input.rule == SquareRule::kShorter ? std::max(input.shorter, input.side) : 0;
  for (const ResizeFilter filter : {ResizeFilter::kTriangle, ResizeFilter::kCubic, ResizeFilter::kLanczos}) {
    if (interpolation == ToString(filter)) input.filter = filter;
  }
  if (!channels.empty()) input.bgr = channels == "bgr";
  constexpr std::array<double, 3> kNone = {0, 0, 0}, kOnes = {1, 1, 1};
  if (!mean.empty()) {
    input.SetMean(Triple(mean).value_or(kNone), Triple(deviation).value_or(kOnes));
  } else if (!scale.empty()) {
    const std::array<double, 3> factor = Triple(scale).value_or(kOnes);
    const std::array<double, 3> offset = Triple(shift).value_or(kNone);
    for (size_t i = 0; i < 3; ++i) {
      input.scale[i] = static_cast<float>(factor[i]);
      input.shift[i] = static_cast<float>(offset[i]);
    }
  }
  return input;
}

void AddEmbeddingFlags(Flags& flags, EmbeddingOptions& options) {
  flags
      .Add("--model", options.model,
           "Weights of an embedding network, or a TorchScript file [the built-in descriptor]")
      .ModelFile()
      .Type("FILE");
  flags
      .Add("--model-name", options.model_name,
           "Vectors that were made elsewhere and imported under this name (see embed --import)")
      .Type("TEXT");
  flags.Group(kModelInputGroup);
  const auto pixels = [&](const char* flag, int& target, const char* help) {
    flags.Add(flag, target, help).Type("N");
  };
  const auto numbers = [&](const char* flag, std::string& target, const char* help) {
    flags.Add(flag, target, help).Type("X[,X,X]").JoinValues();
  };
  pixels("--input-size", options.input_size,
         "Side of the model's square input, in pixels [from the weights; 224 for TorchScript]");
  numbers("--mean", options.mean, "The model takes (x / 255 - mean) / std ... [from the weights]");
  numbers("--std", options.deviation, "... of pixels x");
  numbers("--scale", options.scale, "Or it takes x * scale + shift ...");
  numbers("--shift", options.shift, "... of pixels x [0]");
  for (const Choice& choice : Choices()) {
    flags.Add(choice.flag, options.*choice.word, choice.help).Words(choice.words).Type("NAME");
  }
  pixels("--shorter-side", options.shorter_side, "Of --resize shorter, in pixels");
  flags.Group();
}

}  // namespace imgmill
