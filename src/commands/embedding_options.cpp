// Flags, checks and numbers of what a model is shown.
#include "imgmill/commands/embedding_options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>

#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flag_words.h"

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

}  // namespace

std::optional<std::string> EmbeddingOptions::Check() const {
  const bool by_mean = !mean.empty() || !deviation.empty();
  const bool by_scale = !scale.empty() || !shift.empty();
  if (model.empty()) {
    if (by_mean || by_scale) return "--mean, --std, --scale and --shift go with --model FILE";
    return std::nullopt;
  }
  if (::access(model.c_str(), R_OK) != 0)
    return PrintablePath(model) + ": the model cannot be opened: " + ErrnoText(errno);
  if (input_size < 8 || input_size > 4096) return "--input-size takes 8 to 4096 pixels";
  for (const auto& [flag, text] : {std::pair{"--mean", &mean}, std::pair{"--std", &deviation},
                                   std::pair{"--scale", &scale}, std::pair{"--shift", &shift}}) {
    if (auto wrong = CheckTriple(flag, *text)) return wrong;
  }
  if (by_mean && by_scale) return "give either --mean and --std, or --scale and --shift";
  if (!by_mean && !by_scale) {
    return "which pixel values does " + PrintablePath(model) +
           " expect? Give --mean and --std, as in (x / 255 - mean) / std, or --scale and --shift, as "
           "in "
           "x * scale + shift; or write them to " +
           PrintablePath(defaults_file());
  }
  if (by_mean && (mean.empty() || deviation.empty())) return "--mean and --std go together";
  if (by_scale && scale.empty()) return "--shift goes with --scale";
  if (by_mean) {
    const std::array<double, 3> spread = Triple(deviation).value_or(std::array<double, 3>{});
    if (std::count(spread.begin(), spread.end(), 0.0) > 0) return "--std must not be 0";
  }
  if (resize != "squash" && resize != "crop") return "--resize takes squash or crop, not \"" + resize + "\"";
  if (channels != "rgb" && channels != "bgr") return "--channels takes rgb or bgr, not \"" + channels + "\"";
  return std::nullopt;
}

ModelInput EmbeddingOptions::Input() const {
  ModelInput input;
  input.side = input_size;
  input.crop = resize == "crop";
  input.bgr = channels == "bgr";
  const std::array<double, 3> factor = Triple(scale).value_or(std::array<double, 3>{1, 1, 1});
  const std::array<double, 3> offset = Triple(shift).value_or(std::array<double, 3>{0, 0, 0});
  const std::array<double, 3> middle = Triple(mean).value_or(std::array<double, 3>{0, 0, 0});
  const std::array<double, 3> spread = Triple(deviation).value_or(std::array<double, 3>{1, 1, 1});
  for (size_t i = 0; i < 3; ++i) {
    input.scale[i] = static_cast<float>(mean.empty() ? factor[i] : 1 / (255 * spread[i]));
    input.shift[i] = static_cast<float>(mean.empty() ? offset[i] : -middle[i] / spread[i]);
  }
  return input;
}

void AddEmbeddingFlags(CLI::App& app, EmbeddingOptions& options) {
  app.add_option("--model", options.model, "TorchScript file [the built-in descriptor]")->type_name("FILE");
  app.add_option("--input-size", options.input_size, "Side of the model's square input, in pixels")
      ->capture_default_str()
      ->type_name("N");
  const auto numbers = [&app](const char* flag, std::string& target, const char* help) {
    app.add_option(flag, target, help)
        ->type_name("X[,X,X]")
        ->multi_option_policy(CLI::MultiOptionPolicy::Join);
  };
  numbers("--mean", options.mean, "The model takes (x / 255 - mean) / std ...");
  numbers("--std", options.deviation, "... of pixels x");
  numbers("--scale", options.scale, "Or it takes x * scale + shift ...");
  numbers("--shift", options.shift, "... of pixels x [0]");
  TakesWords(app.add_option("--resize", options.resize, "squash the image into the square, or crop it"),
             {"squash", "crop"})
      ->capture_default_str()
      ->type_name("NAME");
  TakesWords(app.add_option("--channels", options.channels, "rgb or bgr"), {"rgb", "bgr"})
      ->capture_default_str()
      ->type_name("NAME");
  for (const char* flag : {"--input-size", "--mean", "--std", "--scale", "--shift", "--resize", "--channels"})
    app.get_option(flag)->group(kModelInputGroup);
}

}  // namespace imgmill
